"""Control that can be trusted: what holds of runs under faults, of cancels, outages and overhead."""

from __future__ import annotations

import os
import shutil
from typing import Any

from benchmarks.promised.measure import INPUTS, MissingError, Promise

_NONE = ("tasks_counted_twice", "tasks_lost", "wrong_counts", "processes_left")
_SOME = ("kills", "restarts", "cancels")


def chaos() -> tuple[object, bool]:
    """Runs under faults, at a small size: what must be 0, and that faults happened at all."""
    figures = INPUTS.benchmark("benchmarks.chaos", "--runs", "8", "--tasks", "10", "--seed", "11")
    told = {name: figures[name] for name in ("runs", "runs_with_one_summary", *_NONE, *_SOME)}
    kept = figures["runs_with_one_summary"] == figures["runs"] and not any(figures[name] for name in _NONE)
    return told, kept and all(figures[name] >= 1 for name in _SOME)


def _cancel() -> dict[str, Any]:
    figures: dict[str, Any] = INPUTS.benchmark("benchmarks.cancel", "--trials", "2", "--queued", "1000")
    return figures


def cancel_dead() -> tuple[object, bool]:
    """Seconds from a cancel, with 1,000 shards queued, until six trees that ignore TERM are dead; late starts."""
    figures = _cancel()
    told = {name: figures[name] for name in ("dead_p95", "started_after")}
    return told, figures["dead_p95"] <= 1.0 and figures["started_after"] == 0


def cancel_told() -> tuple[object, bool]:
    """Seconds from the same cancel until the run's summary."""
    seconds = _cancel()["summary_p95"]
    return seconds, seconds <= 2.0


def killed_tree() -> tuple[object, bool]:
    """Seconds from ``kill -9`` of a worker until none of its descendants lives."""
    seconds = _cancel()["killed_p95"]
    return seconds, seconds <= 1.0


def outage(which: str, *more: str) -> tuple[object, bool]:
    """A host, the broker or the leading control process is gone."""
    figures = INPUTS.benchmark("benchmarks.outages", which, *more)[which]
    return {name: value for name, value in figures.items() if name != "ok"}, bool(figures["ok"])


def partition() -> tuple[object, bool]:
    """Two hosts as network namespaces, one of them cut off."""
    if os.geteuid() != 0 or shutil.which("ip") is None:
        raise MissingError("network namespaces need root and iproute2")
    figures = INPUTS.benchmark("benchmarks.partition")
    return {name: value for name, value in figures.items() if name != "ok"}, bool(figures["ok"])


def overhead(part: str, name: str, least: float | None = None, most: float | None = None) -> tuple[object, bool]:
    """One figure of the ledger beside bare Celery; ratios with the same in seconds of processor."""
    figures = INPUTS.benchmark("benchmarks.overhead", "--part", part, "--tasks", "500", "--rounds", "6", "--runs", "20")
    value = figures[name]
    told = {name: value, f"{name}_cpu": figures[f"{name}_cpu"]} if f"{name}_cpu" in figures else value
    return told, (least is None or value >= least) and (most is None or value <= most)


PROMISES = [
    Promise("chaos", "one summary a run, 0 lost", chaos),
    Promise("cancel-dead", "<= 1 s, 0 started after", cancel_dead),
    Promise("cancel-summary", "<= 2 s", cancel_told),
    Promise("killed-tree", "<= 1 s", killed_tree),
    Promise("lost-host", "<= lease + 5 s", lambda: outage("host")),
    Promise("broker-away", "the run ends, 0 twice", lambda: outage("broker", "--down", "15")),
    Promise("leader-killed", "<= 15 s", lambda: outage("leader")),
    Promise("cut-off-host", "the promise holds", partition),
    Promise("ledger-throughput", ">= .85 of bare Celery", lambda: overhead("throughput", "throughput", least=0.85)),
    Promise("ledger-submit", "<= 1.3 of Celery's chord", lambda: overhead("submit", "submit", most=1.3)),
    Promise("progress-query", "<= 1 ms", lambda: overhead("progress", "progress_ms", most=1.0)),
    Promise("summary-told", "p95 <= 200 ms", lambda: overhead("told", "told_ms", most=200.0)),
    Promise("second-control", "0 fail", lambda: INPUTS.tests("tests/acceptance/test_hosts.py", "-k", "second_control")),
    Promise("control-with-flower", "0 fail", lambda: INPUTS.tests("tests/acceptance/test_control.py")),
]
