"""Why each test of a plan is there, why others are not, and what it costs."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from orchestrator.domain.errors import UnknownRunError, nearest
from orchestrator.domain.plan import Omitted, Reason, Suite, TestPlan, TestTask, whole_of
from orchestrator.domain.shown import printable
from orchestrator.planner.encode import plan_to_json
from orchestrator.planner.rank import task_id
from orchestrator.planner.summary import duration


def explain(plan: TestPlan, task: str | None = None) -> dict[str, Any]:
    """Plain data: ``plan, summary, notes, tasks, omitted, cost``; of one test only when ``task`` names it.

    A category is told with its cases that are left out.

    A test the plan neither has nor omits is an :class:`UnknownRunError` that names the nearest.
    """
    named, task = task, _holding(plan, task)
    document = plan_to_json(plan)
    tasks = [entry for entry in document["tasks"] if task in (None, entry["id"], whole_of(entry["id"]))]
    omitted = [
        {"id": task_id(test.type, test.name), **entry}
        for test, entry in zip(plan.omitted, document["omitted"], strict=True)
        if _means(named, test)
    ]
    if task is not None and not tasks and not omitted:
        raise UnknownRunError(f"the plan knows no test {task!r}", nearest(task, _known(plan)))
    keys = ("id", "summary", "notes")
    head = {("plan" if key == "id" else key): document[key] for key in keys}
    return {**head, "tasks": tasks, "omitted": omitted, "cost": document["cost"]}


class Told(NamedTuple):
    """What is told of a chosen task: its reasons, those of some of its scripts, and which scripts it is only of."""

    task: TestTask
    scripts: tuple[str, ...]
    only: tuple[str, ...]


def explain_text(plan: TestPlan, task: str | None = None) -> str:
    """:func:`explain` for a terminal, of a script alone when ``task`` names one. Ends in a newline."""
    chosen, left = told(plan, task)
    lines = [] if task else [f"Plan {plan.id[:12]}: {plan.summary}", *(f"note: {note}" for note in plan.notes), ""]
    for one in chosen:
        lines += _why(one, plan.cost.runner_seconds)
    for omitted in left:
        lines += _why_not(omitted)
    return "\n".join(map(printable, lines)) + "\n"


def told(plan: TestPlan, named: str | None) -> tuple[list[Told], list[Omitted]]:
    """What :func:`explain` finds, of a script alone when ``named`` is one; refuses what it refuses."""
    explain(plan, named)
    task = _holding(plan, named)
    script = named.partition("/")[2] if named and named != task else None
    chosen = []
    for one in plan.tasks:
        if task in (None, one.id, whole_of(one.id)):
            scripts = dict.fromkeys(reason.test for reason in one.reasons if reason.test is not None)
            whole = script is None and (task == one.id or not one.is_part)
            chosen.append(Told(one, tuple(s for s in scripts if script in (None, s)), one.files if whole else ()))
    return chosen, [test for test in plan.omitted if _means(named, test)]


def share_of(task: TestTask, total: float) -> str:
    """``high, 20 s, 12% of the plan, shard bvt-1``."""
    share = f", {task.est_duration / total:.0%} of the plan" if total else ""
    return f"{task.priority.name.lower()}, {duration(task.est_duration)}{share}, shard {task.shard}"


def enough_for(test: Omitted) -> str:
    """The budget that would take a test, rounded up: ``12.4%``; empty where none is known."""
    return f"{math.ceil(test.budget * 1000 - 1e-6) / 10:.1f}%" if test.budget is not None else ""


def _means(name: str | None, test: Omitted) -> bool:
    """Whether ``name`` is a test that is left out, or the category of a case that is."""
    own = task_id(test.type, test.name)
    return name in (None, own) or (test.type is Suite.BVT and own.startswith(f"{name}/"))


def _holding(plan: TestPlan, name: str | None) -> str | None:
    """The task that holds a chosen script (``bvt:join/apply.sql``); any other name as it is."""
    held = (t.id for t in plan.tasks for file in _scripts(t) if name in (f"{t.id}/{file}", f"{whole_of(t.id)}/{file}"))
    return next(held, name)


def _scripts(task: TestTask) -> Iterator[str]:
    """The scripts a task names: those it is only of, and those that are a reason for it (it may run them all)."""
    yield from task.files
    yield from (reason.test for reason in task.reasons if reason.test is not None)


def _known(plan: TestPlan) -> list[str]:
    return [task.id for task in plan.tasks] + [task_id(test.type, test.name) for test in plan.omitted]


def _why(told_of: Told, total: float) -> Iterator[str]:
    task = told_of.task
    yield f"{task.id}: chosen, {share_of(task, total)}"
    yield from _because(reason for reason in task.reasons if reason.test is None)
    for file in told_of.scripts:
        yield f"  {file}"
        yield from (f"  {line}" for line in _because(reason for reason in task.reasons if reason.test == file))
    if told_of.only:
        yield f"  only {', '.join(told_of.only)}"
    if task.note:
        yield f"  {'skipped' if task.skip else 'note'}: {task.note}"


def _why_not(test: Omitted) -> Iterator[str]:
    more = f"; a budget of {enough} would take it" if (enough := enough_for(test)) else ""
    yield f"{task_id(test.type, test.name)}: not chosen (best evidence {test.score:.2f}): {test.reason}{more}"
    yield from _because(test.reasons)


def _because(reasons: Iterable[Reason]) -> Iterator[str]:
    for reason in reasons:
        yield f"  because {reason.strategy} ({reason.weight:.2f}): {reason.detail}"
