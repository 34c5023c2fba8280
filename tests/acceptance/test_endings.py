"""However a run goes, it ends with exactly one summary and the right exit code: real commands, real tools."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from benchmarks.rig.processes import MARK, command_line, marked
from orchestrator.store import Store
from tests.acceptance.project import VET, Project, make_project
from tests.require import require
from tests.waiting import until

PASS = "if It() != 2 { t.Fatal(It()) }"


@pytest.fixture(autouse=True)
def _needs() -> None:
    require("go", "valkey")


def summaries(project: Project) -> list[str]:
    """Runs in the history that have their summary."""
    with Store(f"sqlite:///{project.root / 'state' / 'history.sqlite'}") as store:
        return [run.id for run in store.runs(10) if run.ended is not None]


def states(summary: dict[str, Any]) -> dict[str, str]:
    return {task["task"]: task["state"] for task in summary["tasks"]}


def test_a_run_that_passes_is_exit_0(tmp_path: Path) -> None:
    project = make_project(tmp_path, {"a": PASS, "b": PASS}, analysers=VET)
    code, summary = project.run_json("run", *project.change(), "--local")
    assert (code, summary["state"]) == (0, "passed")
    assert states(summary) == {"sca:go-vet": "passed", "ut:a/...": "passed", "ut:b/...": "passed"}
    assert summaries(project) == [summary["run"]]


def test_failures_panics_and_timeouts_are_told_apart_and_exit_1(tmp_path: Path) -> None:
    bodies = {
        "good": PASS,
        "bad": 't.Fatalf("want 3, got %d", It())',
        "panics": 'panic("at the disco")',
        "slow": "time.Sleep(time.Hour)",
        "broken": "this is no go",
    }
    project = make_project(tmp_path, bodies, timeout=8)
    code, summary = project.run_json("run", *project.change(), "--local")
    assert (code, summary["state"]) == (1, "failed")
    kinds = {task["task"]: {case["kind"] for case in task["failures"]} for task in summary["tasks"]}
    assert kinds == {
        "ut:good/...": set(),
        "ut:bad/...": {"test"},
        "ut:panics/...": {"panic"},
        "ut:slow/...": {"timeout"},
        "ut:broken/...": {"build"},
    }
    assert summaries(project) == [summary["run"]]
    shown = project.command("status", summary["run"], MO_TESTPLAN_REDIS_URL="redis://127.0.0.1:1/0")
    assert "want 3, got 2" in shown.stdout
    assert f"rerun {summary['run']} --failed" in shown.stdout


def test_a_server_that_never_comes_up_is_infrastructure_exit_3_and_not_a_failure(tmp_path: Path) -> None:
    cases = {"join/a.sql": "select 1;\n", "join/a.result": "select 1;\n1\n1\n"}
    project = make_project(tmp_path, {"a": "t.Fatal(1)"}, cases=cases)
    code, summary = project.run_json("run", *project.change(), "--local")
    assert (code, summary["state"]) == (3, "error")
    assert states(summary) == {"bvt:join": "error", "ut:a/...": "failed"}
    assert summaries(project) == [summary["run"]]


def test_only_what_failed_runs_again_as_a_child(tmp_path: Path) -> None:
    body = 'if os.Getenv("MO_TESTPLAN_MARK") != "mended" { t.Fatal("once") }'
    project = make_project(tmp_path, {"a": PASS, "b": body})
    code, first = project.run_json("run", *project.change(), "--local")
    assert code == 1
    again = ["rerun", first["run"], "--failed", "--local", "--profile", str(project.profile)]
    code, second = project.run_json(*again, MO_TESTPLAN_MARK="mended")
    assert (code, second["state"], second["parent"]) == (0, "passed", first["run"])
    assert list(states(second)) == ["ut:b/..."]
    done = project.command("rerun", second["run"], "--failed", "--local", "--profile", str(project.profile))
    assert done.returncode == 2
    assert "nothing failed" in done.stderr


def test_ctrl_c_cancels_a_local_run_exit_4_and_leaves_nothing(tmp_path: Path) -> None:
    project = make_project(tmp_path, {"slow": "time.Sleep(time.Hour)"}, timeout=100)
    mark = f"mark-{os.getpid()}-{time.monotonic_ns()}"
    words = [sys.executable, "-m", "orchestrator", "run", *project.change(), "--local"]
    env = project.environment({MARK: mark})
    process = subprocess.Popen(words, env=env, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    until(lambda: _runs("slow.test", mark), "the test runs")
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 4, err
    assert "CANCELLED" in out
    assert not marked(mark)


def test_a_killed_command_leaves_no_process(tmp_path: Path) -> None:
    project = make_project(tmp_path, {"slow": "time.Sleep(time.Hour)"}, timeout=100)
    mark = f"mark-{os.getpid()}-{time.monotonic_ns()}"
    words = [sys.executable, "-m", "orchestrator", "run", *project.change(), "--local"]
    process = subprocess.Popen(
        words, env=project.environment({MARK: mark}), stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL
    )
    until(lambda: _runs("slow.test", mark), "the test runs")
    process.kill()
    process.wait()
    assert until(lambda: not marked(mark), "all of it is dead")


def _runs(program: str, mark: str) -> bool:
    return any(program in command_line(pid) for pid in marked(mark))


def test_two_local_runs_at_once_share_one_history(tmp_path: Path) -> None:
    project = make_project(tmp_path, {"a": PASS, "b": PASS})
    words = [sys.executable, "-m", "orchestrator", "run", *project.change(), "--local", "--workers", "1"]
    both = [
        subprocess.Popen(words, env=project.environment(), stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    answers = [process.communicate(timeout=150) for process in both]
    assert [process.returncode for process in both] == [0, 0], answers
    assert len(summaries(project)) == 2
