"""The SQL case format and its runner.

Inputs: ``MO_CASES`` (MatrixOne's case tree), ``MO_TESTPLAN_SHARED`` (ground truth), ``MO_TESTER`` (a checkout of
mo-tester, with Java on the PATH), ``MO_SERVER`` (the address of a MatrixOne server that may be wiped).
"""

from __future__ import annotations

import os
import statistics
from typing import Any

from benchmarks.promised.measure import INPUTS, MissingError, Promise, environment, shared

_GROUND_TRUTH = "tests/unit/cases/test_ground_truth.py"
_MARIADB = "tests/integration/test_bvt_mariadb.py"
_ENDLESS = (
    f"{_MARIADB}::test_a_statement_past_its_deadline_costs_one_command",
    f"{_MARIADB}::test_a_script_past_its_time_is_stopped",
)
_ROUND_TRIP = "test_writing_and_parsing_again_changes_nothing"


def verdicts() -> tuple[object, bool]:
    """Percent of commands with mo-tester's recorded verdict on MariaDB, of a sample: without metadata, and with."""
    file = shared("motester", "mariadb_verdicts_open.jsonl.gz")
    found = _motester("--verdicts", file, "--limit", "60")
    figure = [round(found[way]["same"], 2) for way in ("without_metadata", "with_metadata")]
    return figure, figure[0] >= 99.5 and figure[1] >= 99


def recording() -> tuple[object, bool]:
    """Of a sample of scripts: recorded alike twice, passed in full when run, executed without an unexpected error."""
    found = _motester("--genrs", "--limit", "40")
    figure = {name: found[name] for name in ("alike", "passed", "unreadable", "clean")}
    return figure, 0 < found["passed"] == found["alike"] - found["unreadable"]


def cancelling() -> tuple[object, bool]:
    """Seconds from a cancel in mid-statement to the end of the run: the median of seven."""
    from benchmarks.bvt.cancelling import seconds_to_cancel
    from orchestrator.domain.errors import ToolMissingError

    try:
        figure = round(statistics.median(seconds_to_cancel(7)), 3)
    except ToolMissingError as error:
        raise MissingError(error.message) from error
    return figure, figure <= 0.3


def speed() -> tuple[object, bool]:
    """Parsing time, statements a second and memory, each in times of the real mo-tester's."""
    environment("MO_TESTER")
    words = ("--cases", environment("MO_CASES"), "--scripts", "15", "--rounds", "3")
    found = INPUTS.benchmark("benchmarks.motester_speed", *words)
    memory = found["run_mb"] / found["run_mb_motester"]
    figure = {"parse": round(found["parse_ratio"], 2), "run": round(found["speed"], 2), "memory": round(memory, 2)}
    return figure, figure["parse"] <= 1 and figure["run"] >= 1 and memory <= 1 and bool(found["same_totals"])


def matrixone() -> tuple[object, bool]:
    """Percent of commands with the verdict of the real mo-tester, which runs beside ours on a MatrixOne server."""
    environment("MO_TESTER")
    found = _motester("--category", "array", "--category", "sequence", "--dsn", _server())
    return found["without_metadata"]["same"], found["without_metadata"]["same"] >= 99.5


def _motester(*words: str) -> dict[str, Any]:
    found: dict[str, Any] = INPUTS.benchmark("benchmarks.motester", "--cases", environment("MO_CASES"), *words)
    return found


def _server() -> str:
    if not (address := os.environ.get("MO_SERVER")):
        raise MissingError("MO_SERVER is not set")
    return address


PROMISES = [
    Promise("parse-truth", "0 differences", lambda: INPUTS.tests(_GROUND_TRUTH)),
    Promise("compare-vectors", "0 differences", lambda: INPUTS.tests("tests/unit/bvt_compare/test_ground_truth.py")),
    Promise("round-trip", "0 differences", lambda: INPUTS.tests(f"{_GROUND_TRUTH}::{_ROUND_TRIP}")),
    Promise("cancel-in-statement", "<= 0.3 s", cancelling),
    Promise("endless-statements", "0 failures", lambda: INPUTS.tests(*_ENDLESS)),
    Promise("genrs-then-run", "as many pass as are recorded alike", recording),
    Promise("verdicts", ">= 99.5 without metadata, >= 99 with", verdicts),
    Promise("beside-motester", "parse <= 1, run >= 1, memory <= 1", speed),
    Promise("matrixone-verdicts", ">= 99.5", matrixone),
]
