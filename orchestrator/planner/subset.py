"""A part of a plan, as a plan of its own: for one task, for what failed, for a few scripts of a category."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Mapping

from orchestrator.cases.discover import SCRIPT_SUFFIXES
from orchestrator.domain.errors import UsageError, nearest
from orchestrator.domain.naming import tasks_named
from orchestrator.domain.plan import Omitted, Shard, Suite, TestPlan, TestTask
from orchestrator.domain.shown import printable
from orchestrator.planner.cost import cost
from orchestrator.planner.encode import plan_id
from orchestrator.planner.evidence import Tree
from orchestrator.planner.names import is_safe_path
from orchestrator.planner.rank import task_id
from orchestrator.planner.summary import summarize
from orchestrator.planner.verify import check

#: What is said of a task that the whole plan has and the part has not.
LEFT_OUT = "left out on request"
#: 2,980 s over the 1,323 scripts of the MatrixOne tree.
_SECONDS_PER_SCRIPT = 2.3


def subset(plan: TestPlan, task_ids: Collection[str], limits: Mapping[str, Collection[str]] | None = None) -> TestPlan:
    """The plan of these tasks alone, with an id of its own; the others become ``omitted``.

    Shards lose the tasks that are left out, and keep their order; empty ones go. ``limits`` cuts tasks (by id) down to
    these files: scripts of a BVT task, relative to its category and among those it runs, or package directories of an
    analyser. The id of a category in parts means all of them. An id the plan has not is an :class:`UnknownRunError`
    that names the nearest.
    All tasks and no limit give the plan itself.
    """
    known = {task.id: task for task in plan.tasks}
    kept = {task for name in task_ids for task in tasks_named(name, known, "the plan")}
    wanted = _by_task(limits or {}, known)
    kept -= {task for task, files in wanted.items() if not files and known[task].is_part}
    tasks = tuple(_limited(task, wanted.get(task.id)) for task in plan.tasks if task.id in kept)
    shards = _shards(plan, {task.id: task for task in tasks})
    price = cost(shards, plan.cost.workers)
    part = dataclasses.replace(
        plan,
        summary=plan.summary if tasks == plan.tasks else summarize(plan.diff_summary, tasks, price, None),
        tasks=tasks,
        shards=shards,
        omitted=(*(_omitted(task) for task in plan.tasks if task.id not in kept), *plan.omitted),
        cost=price,
    )
    check(part)
    return dataclasses.replace(part, id=plan_id(part))


def _by_task(limits: Mapping[str, Collection[str]], known: Mapping[str, TestTask]) -> dict[str, Collection[str]]:
    """The files of each task; those of a category in parts go to the parts that have them."""
    found: dict[str, Collection[str]] = {}
    for name, files in limits.items():
        tasks = tasks_named(name, known, "the plan")
        parts: dict[str, Collection[str]] = {
            task: [file for file in files if file in known[task].files] for task in tasks if known[task].is_part
        }
        held = {file for inside in parts.values() for file in inside}
        if parts and (not files or held != set(files)):
            strange = next((file for file in files if file not in held), "nothing")
            raise _no_script(name, strange)
        found |= parts or dict.fromkeys(tasks, files)
    return found


def labelled(plan: TestPlan, label: str) -> TestPlan:
    """The same plan for the workers that serve ``label`` alone, with an id of its own."""
    shards = tuple(dataclasses.replace(shard, queue=f"{shard.suite.queue}.{label}") for shard in plan.shards)
    moved = dataclasses.replace(plan, shards=shards)
    check(moved)
    return dataclasses.replace(moved, id=plan_id(moved))


def first_scripts(plan: TestPlan, cases: str, tree: Tree, limit: int) -> dict[str, tuple[str, ...]]:
    """Of each category that has something to run, the first ``limit`` scripts in path order: limits for :func:`subset`.

    ``cases`` is the case tree; parts of a category count as the one task that they are of, and scripts that no plan may
    name are left out.
    """
    chosen: dict[str, list[str]] = {}
    for task in plan.tasks:
        if task.category is not None and not task.skip:
            scripts = task.files or tree.files(f"{cases.rstrip('/')}/{task.category}")
            chosen.setdefault(task_id(Suite.BVT, task.category), []).extend(filter(is_safe_path, scripts))
    found = {
        task: tuple(sorted(script for script in scripts if script.endswith(SCRIPT_SUFFIXES))[:limit])
        for task, scripts in chosen.items()
    }
    return {task: scripts for task, scripts in found.items() if scripts}


def check_limits(plan: TestPlan, limits: Mapping[str, Collection[str]], cases: str, tree: Tree) -> None:
    """See that ``tree`` has the scripts below ``cases``, and the packages, that ``limits`` names.

    Raises :class:`UsageError` for the first that it lacks: the task would be skipped, and its run would pass.
    """
    known = {task.id: task for task in plan.tasks}
    for name, files in limits.items():
        for task in (known[found] for found in tasks_named(name, known, "the plan")):
            if task.type is Suite.SCA:
                folders = [file.removesuffix("...").rstrip("/") or "." for file in files]
                lost = [folder for folder in folders if not tree.has_directory(folder)]
                remedy = "Name directories of packages, relative to the top of the tree."
            else:
                there = tree.files(f"{cases.rstrip('/')}/{task.category}") if task.category else ()
                scripts = [file for file in there if file.endswith(SCRIPT_SUFFIXES)]
                lost = [file for file in files if task.category and file not in scripts]
                remedy = nearest(lost[0], scripts) if lost else ""
            if lost:
                raise UsageError(f"{name!r} is limited to {printable(lost[0])}: the tree under test has none", remedy)


def _shards(plan: TestPlan, kept: Mapping[str, TestTask]) -> tuple[Shard, ...]:
    before = {task.id: task.est_duration for task in plan.tasks}
    shards = []
    for shard in plan.shards:
        inside = tuple(task for task in shard.tasks if task in kept)
        if inside:
            setup = shard.est_duration - sum(before[task] for task in shard.tasks)
            length = max(0.0, setup) + sum(kept[task].est_duration for task in inside)
            shards.append(dataclasses.replace(shard, tasks=inside, est_duration=round(length, 1)))
    return tuple(shards)


def _limited(task: TestTask, files: Collection[str] | None) -> TestTask:
    if files is None:
        return task
    if task.type is Suite.UNIT_TEST or not files or not all(map(is_safe_path, files)):
        raise UsageError(
            f"task {task.id!r} cannot be limited to {printable(', '.join(files)) or 'nothing'}",
            "Name scripts of a BVT task, relative to its category, or package directories of an analyser.",
        )
    scripts = tuple(dict.fromkeys(files))
    if task.type is Suite.SCA:
        return dataclasses.replace(task, files=scripts)
    if strange := [file for file in scripts if task.files and file not in task.files]:
        raise _no_script(task.id, strange[0])
    reasons = tuple(reason for reason in task.reasons if reason.test is None or reason.test in scripts)
    estimate = min(task.est_duration, round(len(scripts) * _SECONDS_PER_SCRIPT, 1))
    return dataclasses.replace(task, files=scripts, reasons=reasons, est_duration=estimate)


def _no_script(name: str, file: str) -> UsageError:
    return UsageError(f"{name!r} has no script {printable(file)} in this plan", "`mo-testplan explain` lists them.")


def _omitted(task: TestTask) -> Omitted:
    name = task.id.partition(":")[2]
    return Omitted(task.type, name, max((reason.weight for reason in task.reasons), default=0.0), LEFT_OUT)
