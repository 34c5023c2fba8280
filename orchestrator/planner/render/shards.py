"""How a plan is cut, as data and as text."""

from __future__ import annotations

from typing import Any

from orchestrator.domain.plain import to_plain
from orchestrator.domain.plan import TestPlan
from orchestrator.domain.shown import printable
from orchestrator.planner.proof import preview
from orchestrator.planner.summary import duration


def shards(plan: TestPlan, workers: int | None = None) -> dict[str, Any]:
    """Plain data: ``plan``, the preview for ``workers``, and each shard with its tasks and their seconds."""
    seconds = {task.id: task.est_duration for task in plan.tasks}
    rows = [{**to_plain(shard), "tasks": {task: seconds[task] for task in shard.tasks}} for shard in plan.shards]
    seen = preview(plan, workers)
    proof = {**to_plain(seen.partition), "holds": seen.partition.holds}
    return {"plan": plan.id, "preview": {**to_plain(seen), "partition": proof}, "shards": rows}


def shards_text(plan: TestPlan, workers: int | None = None) -> str:
    """:func:`shards` for a terminal. Ends in a newline."""
    seen = preview(plan, workers)
    longest = max((shard.est_duration for shard in plan.shards), default=0.0) or 1.0
    width = max((len(shard.id) for shard in plan.shards), default=0)
    lines = [
        f"{shard.id:<{width}}  {'█' * max(1, round(24 * shard.est_duration / longest)):<24}  "
        f"{duration(shard.est_duration):>8}  {shard.queue}: {' '.join(shard.tasks)}"
        for shard in plan.shards
    ]
    even = ", ".join(f"{suite} {value:.2f}" for suite, value in seen.evenness.items())
    lines += [
        f"Partition: {seen.partition}",
        f"Longest over mean: {even or 'nothing to run'}",
        f"Cost: {duration(seen.runner_seconds)} of runner time",
        f"On {seen.workers} workers: {duration(seen.critical_path)}; at best {duration(seen.lower_bound)}",
    ]
    return "\n".join(map(printable, lines)) + "\n"
