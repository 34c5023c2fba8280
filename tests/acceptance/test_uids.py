"""SQL cases under uids of their own, where bubblewrap does not work: the whole way, from the plan to the verdict."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.project import make_project
from tests.require import require

FIRST, LAST = 72000, 72099
CASES = {
    "join/a.sql": "create table t1 (a int);\ninsert into t1 values (1);\nselect a from t1;\ndrop table t1;\n",
    "join/a.result": "create table t1 (a int);\ninsert into t1 values (1);\nselect a from t1;\na\n1\ndrop table t1;\n",
    "text/b.sql": "select 1 as a;\n",
    "text/b.result": "select 1 as a;\na\n2\n",
}


@pytest.fixture
def place() -> Iterator[Path]:
    require("uids", "valkey", "embedded-sql")
    with tempfile.TemporaryDirectory(dir="/var/tmp") as folder:  # others may pass through it
        Path(folder).chmod(0o711)
        yield Path(folder)


def test_cases_pass_and_fail_under_the_uid_of_their_run(place: Path) -> None:
    project = make_project(place / "project", {}, cases=CASES)
    words = [*project.change(), "--local", "--server", "embedded"]
    code, summary = project.run_json("run", *words, MO_TESTPLAN_SANDBOX=f"uid:{FIRST}-{LAST}")
    told = {task["task"]: (task["state"], task["passed"], task["failed"]) for task in summary["tasks"]}
    assert told == {"bvt:join": ("passed", 4, 0), "bvt:text": ("failed", 0, 1)}, summary
    assert code == 1
    reports = list((project.root / "state" / "artifacts").glob("*/bvt_*/*/bvt/report.txt"))
    assert reports
    assert all(FIRST < report.stat().st_uid <= LAST for report in reports)
