"""The plan in one line, and durations as people say them."""

from __future__ import annotations

from collections.abc import Sequence

from orchestrator.domain.change import DiffSummary
from orchestrator.domain.plan import Cost, Suite, TestTask

_NOUNS = {
    Suite.UNIT_TEST: ("package pattern", "package patterns"),
    Suite.BVT: ("category", "categories"),
    Suite.SCA: ("analyser", "analysers"),
}


def summarize(change: DiffSummary, tasks: Sequence[TestTask], cost: Cost, veto: str | None) -> str:
    """What changed, what runs, what it costs."""
    files = count(len(change.files), ("file", "files"))
    head = f"{files} (+{change.total_added} -{change.total_deleted})"
    if not tasks:
        return f"{head}: {veto or 'nothing to test.'}"
    suites = [
        f"{suite.label} {count(number, _NOUNS[suite])}"
        for suite in Suite
        if (number := len({task.name for task in tasks if task.type is suite}))
    ]
    time = f"{duration(cost.runner_seconds)} of runner time, {duration(cost.critical_path)} on {cost.workers} workers"
    return f"{head}: {', '.join(suites)}; {time}"


def duration(seconds: float) -> str:
    """``45 s``, ``12 min``, ``1 h 05 min``."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02d} min"


def count(number: int, noun: tuple[str, str]) -> str:
    """``1 file``, ``2 files``: a number with its noun in singular or plural."""
    return f"{number} {noun[number != 1]}"
