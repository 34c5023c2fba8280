"""A plan as text for a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from orchestrator.domain.plan import Omitted, Suite, TestPlan, TestTask
from orchestrator.domain.shown import printable
from orchestrator.planner.summary import count, duration

#: Names of a long list that are shown.
_NAMES = 80


def plan_text(plan: TestPlan) -> str:
    """What runs and why, what it costs, what does not run, and what no rule knows. Ends in a newline."""
    lines = [f"Plan {plan.id[:12]} ({', '.join(origin(plan))})", plan.summary]
    lines += [f"note: {note}" for note in plan.notes]
    lines += [f"warning: {warning}" for warning in plan.diff_summary.warnings]
    for suite in Suite:
        lines += _suite(plan, suite)
    lines += ["", *_cost(plan)]
    for reason, names in omitted_by_reason(plan.omitted):
        more = f" and {len(names) - _NAMES} more; `explain` says all" if len(names) > _NAMES else ""
        lines += [f"Not chosen, {reason} ({len(names)}): {', '.join(names[:_NAMES])}{more}"]
    if plan.unmatched:
        lines += [f"No rule knows ({len(plan.unmatched)}):", *(f"  {path}" for path in plan.unmatched)]
    return "\n".join(map(printable, lines)) + "\n"


def origin(plan: TestPlan) -> Iterator[str]:
    """Where a plan comes from, in a few words."""
    change = plan.diff_summary
    yield f"profile {plan.profile}"
    if change.pr_number is not None:
        yield f"pull request {change.pr_number}"
    if change.head_commit and change.base_commit:
        yield f"{change.base_commit[:12]}..{change.head_commit[:12]}"


def omitted_by_reason(omitted: Sequence[Omitted]) -> Iterator[tuple[str, list[str]]]:
    """Names of omitted tests of one suite and one reason: ``("BVT: no evidence …", ["array", …])``."""
    groups: dict[tuple[Suite, str], list[str]] = {}
    for test in omitted:
        groups.setdefault((test.type, test.reason), []).append(test.name)
    for (suite, reason), names in groups.items():
        yield f"{suite.label}: {reason}", names


def _suite(plan: TestPlan, suite: Suite) -> Iterator[str]:
    tasks = [task for task in plan.tasks if task.type is suite]
    if not tasks:
        return
    shards = sum(shard.suite is suite for shard in plan.shards)
    price = dict(plan.cost.by_suite).get(suite.value, 0.0)
    yield ""
    size = f"{count(len(tasks), ('task', 'tasks'))} in {count(shards, ('shard', 'shards'))}"
    yield f"{suite.label}: {size}, {duration(price)}"
    width = min(max(len(task.id) for task in tasks), 48)
    yield from (_task(task, width) for task in tasks)


def _task(task: TestTask, width: int) -> str:
    time = "skipped" if task.skip else duration(task.est_duration)
    note = f" [{task.note}]" if task.note else ""
    return f"  {task.priority.name.lower():<8}  {time:>8}  {task.shard:<7}  {task.id:<{width}}  {task.reason}{note}"


def _cost(plan: TestPlan) -> Iterator[str]:
    parts = ", ".join(f"{Suite(suite).label} {duration(price)}" for suite, price in plan.cost.by_suite)
    total = duration(plan.cost.runner_seconds)
    yield f"Cost: {total} of runner time{f' ({parts})' if parts else ''}"
    yield f"Critical path: {duration(plan.cost.critical_path)} on {plan.cost.workers} workers"
