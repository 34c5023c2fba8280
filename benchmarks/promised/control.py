"""Control that can be trusted: what holds of runs under faults."""

from __future__ import annotations

from benchmarks.promised.measure import INPUTS, Promise

_NONE = ("tasks_counted_twice", "tasks_lost", "wrong_counts", "processes_left")


def chaos() -> tuple[object, bool]:
    """Runs under faults, at a small size: what must be 0, and that faults happened at all."""
    figures = INPUTS.benchmark("benchmarks.chaos", "--runs", "8", "--tasks", "10", "--seed", "11")
    told = {name: figures[name] for name in ("runs", "runs_with_one_summary", *_NONE, "kills", "restarts", "cancels")}
    some = all(figures[name] >= 1 for name in ("kills", "restarts", "cancels"))
    kept = figures["runs_with_one_summary"] == figures["runs"] and not any(figures[name] for name in _NONE)
    return told, kept and some


PROMISES = [
    Promise("chaos", "one summary a run, 0 lost", chaos),
]
