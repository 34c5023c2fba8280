"""From a diff to one summary: plan, run, demo, Flower, compose."""

from __future__ import annotations

import importlib.metadata
import json
import re
import tempfile
import time
from pathlib import Path

from benchmarks.promised.measure import INPUTS, Promise, environment, run_python

ENDINGS = "tests/acceptance/test_endings.py"
HOSTS = "tests/acceptance/test_hosts.py"


def demo_seconds() -> tuple[object, bool]:
    """The demo from start to end; its report must show the failures, what strict alone finds, and the green re-run."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        began = time.monotonic()
        done = run_python("-m", "orchestrator", "demo", "--report", str(report))
        seconds = round(time.monotonic() - began, 1)
        told = json.loads(report.read_text()) if report.exists() else {}
    first, second = told.get("first", {}), told.get("second", {})
    shown = bool(
        first.get("failed_tests") and first.get("failed_sql") and first.get("strict_sql") and told.get("wecom_messages")
    )
    states = (first.get("state"), second.get("state")) == ("failed", "passed")
    child = second.get("parent") == first.get("run")
    return seconds, done.returncode == 0 and shown and states and child and seconds < 120


def demo_packages() -> tuple[object, bool]:
    """Distributions that ``.[demo]`` brings, following the metadata of those installed here."""
    wanted, seen = [("mo-testplan", ("demo",))], set()
    while wanted:
        name, extras = wanted.pop()
        for text in importlib.metadata.requires(name) or []:
            words = re.match(r"([\w.-]+)\s*(?:\[([^\]]*)\])?", text)
            marker = text.partition(";")[2]
            if not words or not _applies(marker, extras):
                continue
            other = words[1].lower().replace("_", "-")
            more = tuple(filter(None, (words[2] or "").split(",")))
            if other != "mo-testplan" and other in seen:
                continue
            try:
                importlib.metadata.version(other)
            except importlib.metadata.PackageNotFoundError:
                continue
            seen.add(other)
            wanted.append((other, more))
    count = len(seen - {"mo-testplan"})
    return count, count <= 60


def _applies(marker: str, extras: tuple[str, ...]) -> bool:
    from packaging.markers import Marker

    if not marker.strip():
        return True
    return any(Marker(marker).evaluate({"extra": extra}) for extra in extras or ("",))


def rules_table() -> tuple[object, bool]:
    """Pull requests whose plan differs from an independent reading of the table."""
    figures = INPUTS.benchmark("benchmarks.rules", "--repo", environment("MO_REPO"), "--limit", "300")
    wrong = figures["different"] + figures["crashed"]
    return f"{wrong} of {figures['prs']}", wrong == 0 and figures["same_bytes"]


def functions(source: str, least: tuple[float, float]) -> tuple[object, bool]:
    """Precision and recall of changed functions against Go's own parser."""
    environment("MO_REPO")
    row = INPUTS.benchmark("benchmarks.functions", "--limit", "150", "--step", "7")[source]
    return f"{row['precision']} / {row['recall']}", row["precision"] >= least[0] and row["recall"] >= least[1]


def plan_process() -> tuple[object, bool]:
    """A whole ``plan`` process on a 1,000-line diff over ``python -c pass``."""
    ratio = INPUTS.benchmark("benchmarks.plan", "--rounds", "9")["process_ratio"]
    return ratio, ratio <= 16


def plan_in_process() -> tuple[object, bool]:
    """Diff text to plan bytes, median over diffs."""
    milliseconds = INPUTS.benchmark("benchmarks.plan", "--rounds", "9")["in_process_ms"]
    return milliseconds, milliseconds <= 20


def real_pr() -> tuple[object, bool]:
    """A real pull request through two workers to one summary."""
    figures = INPUTS.benchmark("benchmarks.real_pr", "--repo", environment("MO_REPO"))
    told = {key: figures.get(key) for key in ("summaries", "unit_tests_passed", "go_vet", "sql_commands_judged")}
    return told if figures["ok"] else figures, bool(figures["ok"])


PROMISES = [
    Promise("demo-seconds", "< 120, red then green", demo_seconds),
    Promise("demo-packages", "<= 60", demo_packages),
    Promise("rules-table", "0 of the PRs differ", rules_table),
    Promise("functions-repository", "P >= .99, R >= .99", lambda: functions("repository", (0.99, 0.99))),
    Promise("functions-text", "P >= .90, R >= .75", lambda: functions("text", (0.90, 0.75))),
    Promise("plan-process", "<= 16 x `python -c pass`", plan_process),
    Promise("plan-in-process", "<= 20 ms", plan_in_process),
    Promise("real-pr", "one summary", real_pr),
    Promise("endings", "0 fail", lambda: INPUTS.tests(ENDINGS, "-k", "told_apart or never_comes_up")),
    Promise("killed-worker", "0 fail", lambda: INPUTS.tests(HOSTS, "-k", "killed_worker")),
    Promise("flower", "0 fail", lambda: INPUTS.tests(HOSTS, "-k", "flower")),
    Promise("compose", "0 fail", lambda: INPUTS.tests("tests/acceptance/test_compose.py")),
]
