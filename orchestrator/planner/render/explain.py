"""Why each test of a plan is there, why others are not, and what it costs."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import Any

from orchestrator.domain.errors import UnknownRunError, nearest
from orchestrator.domain.plan import Omitted, Reason, TestPlan, TestTask, whole_of
from orchestrator.domain.shown import printable
from orchestrator.planner.encode import plan_to_json
from orchestrator.planner.rank import task_id
from orchestrator.planner.summary import duration


def explain(plan: TestPlan, task: str | None = None) -> dict[str, Any]:
    """Plain data: ``plan, summary, notes, tasks, omitted, cost``; of one test only when ``task`` names it.

    A test the plan neither has nor omits is an :class:`UnknownRunError` that names the nearest.
    """
    task = _holding(plan, task)
    document = plan_to_json(plan)
    tasks = [entry for entry in document["tasks"] if task in (None, entry["id"], whole_of(entry["id"]))]
    omitted = [
        {"id": task_id(test.type, test.name), **entry}
        for test, entry in zip(plan.omitted, document["omitted"], strict=True)
        if task in (None, task_id(test.type, test.name))
    ]
    if task is not None and not tasks and not omitted:
        raise UnknownRunError(f"the plan knows no test {task!r}", nearest(task, _known(plan)))
    keys = ("id", "summary", "notes")
    head = {("plan" if key == "id" else key): document[key] for key in keys}
    return {**head, "tasks": tasks, "omitted": omitted, "cost": document["cost"]}


def explain_text(plan: TestPlan, task: str | None = None) -> str:
    """:func:`explain` for a terminal, of a script alone when ``task`` names one. Ends in a newline."""
    explain(plan, task)  # refuses unknown names
    named, task = task, _holding(plan, task)
    lines = [] if task else [f"Plan {plan.id[:12]}: {plan.summary}", *(f"note: {note}" for note in plan.notes), ""]
    for chosen in plan.tasks:
        if task in (None, chosen.id, whole_of(chosen.id)):
            script = named.partition("/")[2] if named and named != task else None
            files = task == chosen.id or not chosen.is_part
            lines += _why(chosen, plan.cost.runner_seconds, script, files=files)
    for left in plan.omitted:
        if task in (None, task_id(left.type, left.name)):
            lines += _why_not(left)
    return "\n".join(map(printable, lines)) + "\n"


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


def _why(task: TestTask, total: float, script: str | None, *, files: bool) -> Iterator[str]:
    share = f", {task.est_duration / total:.0%} of the plan" if total else ""
    yield f"{task.id}: chosen, {task.priority.name.lower()}, {duration(task.est_duration)}{share}, shard {task.shard}"
    yield from _because(reason for reason in task.reasons if reason.test is None)
    for file in dict.fromkeys(reason.test for reason in task.reasons if reason.test is not None):
        if script not in (None, file):
            continue
        yield f"  {file}"
        yield from (f"  {line}" for line in _because(reason for reason in task.reasons if reason.test == file))
    if task.files and files and script is None:
        yield f"  only {', '.join(task.files)}"
    if task.note:
        yield f"  {'skipped' if task.skip else 'note'}: {task.note}"


def _why_not(test: Omitted) -> Iterator[str]:
    enough = math.ceil(test.budget * 1000 - 1e-6) / 10 if test.budget is not None else None
    more = f"; a budget of {enough:.1f}% would take it" if enough is not None else ""
    yield f"{task_id(test.type, test.name)}: not chosen (best evidence {test.score:.2f}): {test.reason}{more}"
    yield from _because(test.reasons)


def _because(reasons: Iterable[Reason]) -> Iterator[str]:
    for reason in reasons:
        yield f"  because {reason.strategy} ({reason.weight:.2f}): {reason.detail}"
