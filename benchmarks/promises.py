"""The project's promises, measured here: one line a promise, each at most a minute.

    python -m benchmarks.promises [NAME …] [--format text|json] [--list]

Inputs that are not part of this repository come by the environment: ``MO_REPO`` (a git directory of MatrixOne),
``MO_CASES`` (its case tree), ``MO_TESTPLAN_SHARED`` (ground truth). A promise whose input is missing has ``ok: null``
and says why. Exit 1 when a promise does not hold.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True, slots=True)
class Answer:
    """What was measured; ``ok`` is None when the input is missing, and ``figure`` says which."""

    name: str
    figure: object
    limit: str
    ok: bool | None


class MissingError(Exception):
    """An input of a promise is not here."""


@dataclass(frozen=True, slots=True)
class Promise:
    """A name, what it must be, and how it is measured: figure and whether it holds."""

    name: str
    limit: str
    measure: Callable[[], tuple[object, bool]]


@dataclass
class Inputs:
    """Benchmarks are run once, however many promises read them."""

    seen: dict[tuple[str, ...], Any] = field(default_factory=dict)

    def benchmark(self, *words: str) -> Any:  # noqa: ANN401 - the benchmark's own JSON
        """The JSON document that ``python -m benchmarks.WORDS --format json`` ends with."""
        if words not in self.seen:
            done = _run("-m", *words, "--format", "json")
            if not done.stdout.strip():
                raise MissingError(done.stderr.strip().splitlines()[-1] if done.stderr.strip() else "no answer")
            self.seen[words] = json.loads(done.stdout)
        return self.seen[words]

    def tests(self, *selection: str) -> tuple[object, bool]:
        """Tests that fail, of those selected; missing servers make them skip, which is no proof."""
        done = _run("-m", "pytest", "-q", "-p", "no:cacheprovider", *selection)
        last = done.stdout.strip().splitlines()[-1] if done.stdout.strip() else done.stderr
        failed, passed = _number(last, "failed") + _number(last, "error"), _number(last, "passed")
        if not passed and not failed:
            raise MissingError(last)
        return failed, failed == 0


def _run(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *words], cwd=ROOT, capture_output=True, text=True, check=False)


def _number(line: str, word: str) -> int:
    found = re.search(rf"(\d+) {word}", line)
    return int(found[1]) if found else 0


def environment(name: str) -> str:
    """An input named by the environment."""
    value = os.environ.get(name)
    if not value or not Path(value).exists():
        raise MissingError(f"{name} is not set" if not value else f"{name}: {value} does not exist")
    return value


def demo_seconds() -> tuple[object, bool]:
    """The demo from start to end; its report must show the failure and the green re-run of it alone."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        began = time.monotonic()
        done = _run("-m", "orchestrator", "demo", "--report", str(report))
        seconds = round(time.monotonic() - began, 1)
        told = json.loads(report.read_text()) if report.exists() else {}
    first, second = told.get("first", {}), told.get("second", {})
    shown = bool(first.get("failed_tests") and first.get("failed_sql") and told.get("wecom_messages"))
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


INPUTS = Inputs()
ENDINGS = "tests/acceptance/test_endings.py"
HOSTS = "tests/acceptance/test_hosts.py"

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
    Promise("parse-truth", "0 differences", lambda: INPUTS.tests("tests/unit/cases/test_ground_truth.py")),
    Promise("compare-vectors", "0 differences", lambda: INPUTS.tests("tests/unit/bvt_compare/test_ground_truth.py")),
]


def keep(promise: Promise) -> Answer:
    """Measure one promise."""
    try:
        figure, ok = promise.measure()
    except MissingError as error:
        return Answer(promise.name, str(error), promise.limit, None)
    return Answer(promise.name, figure, promise.limit, ok)


def main() -> int:
    """Print what was asked for; exit 1 when a promise does not hold, 2 when there is none of that name."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--format", choices=["text", "json"], default="text")
    parser.add_argument("--list", action="store_true", help="print the names only")
    args = parser.parse_args()
    unknown = set(args.names) - {promise.name for promise in PROMISES}
    if unknown:
        print(
            f"no promise {', '.join(sorted(unknown))}; there are: {', '.join(p.name for p in PROMISES)}",
            file=sys.stderr,
        )
        return 2
    chosen = [promise for promise in PROMISES if not args.names or promise.name in args.names]
    answers = []
    for promise in chosen:
        if args.list:
            print(promise.name)
            continue
        answer = keep(promise)
        answers.append(answer)
        if args.format == "text":
            held = {True: "ok", False: "NOT HELD", None: "null"}[answer.ok]
            print(f"{answer.name:<22} {answer.figure!s:<24} {answer.limit:<26} {held}", flush=True)
    if args.format == "json":
        print(json.dumps([asdict(answer) for answer in answers], indent=2))
    return 1 if any(answer.ok is False for answer in answers) else 0


if __name__ == "__main__":
    sys.exit(main())
