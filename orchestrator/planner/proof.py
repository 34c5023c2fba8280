"""Preview: what the cut of a plan costs with any number of workers, and the proof that it is a partition."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from orchestrator.domain.plan import Suite, TestPlan
from orchestrator.planner.cost import critical_path


@dataclass(frozen=True, slots=True)
class Partition:
    """Each task in exactly one shard, each script of a split category in one part: counted here, not believed."""

    tasks: int
    shards: int
    #: Task ids that are in several shards, in none, and in a shard without being a task.
    twice: tuple[str, ...]
    missing: tuple[str, ...]
    foreign: tuple[str, ...]
    #: Parts of split categories, and the scripts that are in several of them.
    parts: int = 0
    shared: tuple[str, ...] = ()

    @property
    def holds(self) -> bool:
        """Complete and disjoint."""
        return not (self.twice or self.missing or self.foreign or self.shared)

    def __str__(self) -> str:
        if self.holds:
            parts = f"; no script is in two of {self.parts} parts" if self.parts else ""
            return f"complete and disjoint: {self.tasks} tasks, each in exactly one of {self.shards} shards{parts}"
        wrong = {
            "in several shards": self.twice,
            "in no shard": self.missing,
            "no task": self.foreign,
            "in several parts": self.shared,
        }
        return "no partition: " + "; ".join(f"{what}: {', '.join(ids)}" for what, ids in wrong.items() if ids)


@dataclass(frozen=True, slots=True)
class Preview:
    """What waits for whoever runs the plan on ``workers`` workers, in seconds."""

    workers: int
    runner_seconds: float
    critical_path: float
    #: No order of these shards is done sooner: the longest of them, or all of them evenly spread.
    lower_bound: float
    #: The longest shard over the mean, by suite.
    evenness: dict[str, float]
    partition: Partition


def preview(plan: TestPlan, workers: int | None = None) -> Preview:
    """The cost of ``plan`` as it is cut, for ``workers`` (default: those it was made for)."""
    workers = workers or plan.cost.workers
    lengths = [shard.est_duration for shard in plan.shards]
    total = sum(lengths)
    return Preview(
        workers=workers,
        runner_seconds=round(total, 1),
        critical_path=critical_path(lengths, workers),
        lower_bound=round(max([total / workers, *lengths]), 1),
        evenness={
            suite.value: round(max(ours) * len(ours) / sum(ours), 3)
            for suite in Suite
            if (ours := [shard.est_duration for shard in plan.shards if shard.suite is suite]) and sum(ours)
        },
        partition=partition(plan),
    )


def partition(plan: TestPlan) -> Partition:
    """Count where every task is."""
    placed = Counter(task for shard in plan.shards for task in shard.tasks)
    known = {task.id for task in plan.tasks}
    parts = [task for task in plan.tasks if task.is_part]
    scripts = Counter(f"{task.category}/{file}" for task in parts for file in task.files)
    return Partition(
        tasks=len(plan.tasks),
        shards=len(plan.shards),
        twice=tuple(sorted(task for task, count in placed.items() if count > 1)),
        missing=tuple(sorted(known - placed.keys())),
        foreign=tuple(sorted(placed.keys() - known)),
        parts=len(parts),
        shared=tuple(sorted(script for script, count in scripts.items() if count > 1)),
    )
