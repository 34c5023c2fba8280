"""What a plan costs, and how long it is waited for."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Sequence

from orchestrator.domain.plan import Cost, Shard, Suite


def cost(shards: Sequence[Shard], workers: int) -> Cost:
    """Seconds paid for, and seconds waited for when ``workers`` take the shards longest first."""
    by_suite = tuple(
        (suite.value, _total(made for made in shards if made.suite is suite))
        for suite in Suite
        if any(made.suite is suite for made in shards)
    )
    return Cost(_total(shards), critical_path([made.est_duration for made in shards], workers), workers, by_suite)


def critical_path(durations: Sequence[float], workers: int) -> float:
    """When the last of ``workers`` is done, each taking the longest shard left as soon as it is free."""
    free = [0.0] * max(1, min(workers, len(durations)))  # others have nothing to do
    for duration in sorted(durations, reverse=True):
        heapq.heapreplace(free, free[0] + duration)
    return round(max(free), 1)


def _total(shards: Iterable[Shard]) -> float:
    return round(sum(made.est_duration for made in shards), 1)
