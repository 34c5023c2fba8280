"""A part of a plan, as a plan of its own: for one task, for what failed, for a few scripts of a category."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Mapping

from orchestrator.domain.errors import UnknownRunError, UsageError, nearest
from orchestrator.domain.plan import Omitted, Shard, Suite, TestPlan, TestTask
from orchestrator.planner.cost import cost
from orchestrator.planner.encode import plan_id
from orchestrator.planner.evidence import Tree
from orchestrator.planner.names import is_safe_path
from orchestrator.planner.summary import summarize
from orchestrator.planner.verify import check

#: What is said of a task that the whole plan has and the part has not.
LEFT_OUT = "left out on request"
#: 2,980 s over the 1,323 scripts of the MatrixOne tree.
_SECONDS_PER_SCRIPT = 2.3


def subset(plan: TestPlan, task_ids: Collection[str], limits: Mapping[str, Collection[str]] | None = None) -> TestPlan:
    """The plan of these tasks alone, with an id of its own; the others become ``omitted``.

    Shards lose the tasks that are left out, and keep their order; empty ones go. ``limits`` cuts tasks (by id) down to
    these files: scripts of a BVT task, relative to its category, or package directories of an analyser. An id the plan
    has not is an :class:`UnknownRunError` that names the nearest. All tasks and no limit give the plan itself.
    """
    limits = dict(limits or {})
    known = {task.id: task for task in plan.tasks}
    for wanted in (*task_ids, *limits):
        if wanted not in known:
            raise UnknownRunError(f"the plan has no task {wanted!r}", nearest(wanted, known))
    kept = frozenset(task_ids)
    tasks = tuple(_limited(task, limits.get(task.id)) for task in plan.tasks if task.id in kept)
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


def labelled(plan: TestPlan, label: str) -> TestPlan:
    """The same plan for the workers that serve ``label`` alone, with an id of its own."""
    shards = tuple(dataclasses.replace(shard, queue=f"{shard.suite.queue}.{label}") for shard in plan.shards)
    moved = dataclasses.replace(plan, shards=shards)
    check(moved)
    return dataclasses.replace(moved, id=plan_id(moved))


def first_scripts(task: TestTask, cases: str, tree: Tree, limit: int) -> tuple[str, ...]:
    """The first ``limit`` scripts, in path order, of a BVT task's category below the case tree ``cases``."""
    scripts = task.files or tree.files(f"{cases.rstrip('/')}/{task.category}")
    return tuple(sorted(script for script in scripts if script.endswith((".sql", ".test"))))[:limit]


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
            f"task {task.id!r} cannot be limited to {', '.join(files) or 'nothing'}",
            "Name scripts of a BVT task, relative to its category, or package directories of an analyser.",
        )
    scripts = tuple(dict.fromkeys(files))
    if task.type is Suite.SCA:
        return dataclasses.replace(task, files=scripts)
    estimate = min(task.est_duration, round(len(scripts) * _SECONDS_PER_SCRIPT, 1))
    return dataclasses.replace(task, files=scripts, est_duration=estimate)


def _omitted(task: TestTask) -> Omitted:
    name = task.package or task.category or task.analyser or task.id
    return Omitted(task.type, name, max((reason.weight for reason in task.reasons), default=0.0), LEFT_OUT)
