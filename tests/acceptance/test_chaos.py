"""The campaign of faults at its smallest: it must do harm, and none must be found."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.require import require

PROGRAM = Path(__file__).resolve().parents[2] / "benchmarks" / "chaos.py"


@pytest.mark.timeout(300)
def test_runs_under_faults_end_with_one_summary_each_and_leave_nothing_behind() -> None:
    require("valkey", "go")
    words = [sys.executable, str(PROGRAM), "--runs", "3", "--tasks", "4", "--seed", "5", "--format", "json"]
    done = subprocess.run(words, capture_output=True, text=True, timeout=280, check=False)
    assert done.returncode == 0, done.stderr
    figures = json.loads(done.stdout.splitlines()[-1])
    assert (figures["runs"], figures["runs_with_one_summary"], figures["tasks"]) == (3, 3, 12)
    for name in ("tasks_counted_twice", "tasks_lost", "wrong_counts", "processes_left"):
        assert figures[name] == 0, figures
    for name in ("kills", "restarts", "cancels"):
        assert figures[name] >= 1, figures
