"""Promises of test selection by history: its cost on the beginning of a real line, and what it may not look at."""

from __future__ import annotations

from benchmarks.promised.measure import INPUTS, Promise, environment

#: The beginning of the line that fits into a minute; the whole is `benchmarks/full.py`.
_COMMITS = "2500"


def learned(name: str, limit: float) -> tuple[object, bool]:
    """One figure of `benchmarks/learned.py` on a short history."""
    figures = INPUTS.benchmark("benchmarks.learned", "--repo", environment("MO_REPO"), "--commits", _COMMITS)
    return figures[name], figures[name] <= limit


PROMISES = [
    Promise("learn-seconds", f"<= 120 for {_COMMITS} commits", lambda: learned("learn_seconds", 120)),
    Promise("learn-update", "<= 10 s for 100 commits", lambda: learned("update_seconds", 10)),
    Promise("learn-model", "<= 20 MB", lambda: learned("model_mb", 20)),
    Promise("learn-plan", "<= 300 ms", lambda: learned("plan_ms", 300)),
    Promise(
        "selection-failures",
        "0 fail",
        lambda: INPUTS.tests("tests/unit/cli/test_learn.py", "-k", "failed_on_such_a_change"),
    ),
    Promise("selection-surface", "0 fail", lambda: INPUTS.tests("tests/unit/history/test_surface.py")),
    Promise("selection-honest", "0 fail", lambda: INPUTS.tests("tests/unit/history/test_benchmark.py")),
    Promise(
        "selection-same",
        "0 fail",
        lambda: INPUTS.tests("tests/unit/planner/test_learned.py", "-k", "hash_seed or may_not_be_asked or widens"),
    ),
]
