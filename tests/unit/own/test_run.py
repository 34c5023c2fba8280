"""What is kept of this project's own run."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from benchmarks.own import run as own
from benchmarks.own.run import OwnRun
from orchestrator.domain.run import CaseResult, CaseStatus
from orchestrator.store import Store, StoredCase

PLAN = {
    "diff_summary": {"head_commit": "b" * 40},
    "notes": [],
    "omitted": [],
    "tasks": [
        {"id": "ut:tests/unit/a", "package": "tests/unit/a", "files": ["test_x.py", "test_y.py"]},
        {"id": "ut:tests/slow/test_z.py", "package": "tests/slow/test_z.py", "files": []},
        {"id": "ut:tests/cut", "package": "tests/cut", "files": []},
        {"id": "sca:ruff", "package": None, "files": []},
    ],
}
STATES = {
    "ut:tests/unit/a": "failed",
    "ut:tests/slow/test_z.py": "failed",
    "ut:tests/cut": "cancelled",
    "sca:ruff": "failed",
}
SUMMARY = {
    "run": "r",
    "state": "failed",
    "tasks": [{"task": task, "state": state, "message": f"why {task}"} for task, state in STATES.items()],
}


def test_failed_tasks_without_a_failed_test_are_told_apart_and_cancelled_ones_are_not_compared() -> None:
    cases = {"tests/unit/a/test_x.py::test_1": "failed", "tests/slow/test_z.py::test_2": "passed"}
    found = OwnRun("a" * 40, PLAN, SUMMARY, cases, 1.0)
    assert found.document()["mute"] == {
        "ut:tests/slow/test_z.py": "why ut:tests/slow/test_z.py",
        "sca:ruff": "why sca:ruff",
    }
    assert found.tests == ["tests/unit/a/test_x.py", "tests/unit/a/test_y.py", "tests/slow/test_z.py"]
    assert found.unit_states == {"failed", "cancelled"}


@pytest.mark.parametrize(
    ("rows", "state", "verdict"),
    [
        ([(1, CaseStatus.FAILED), (2, CaseStatus.PASSED)], "passed", "passed"),  # flaky: the last try counts
        ([(1, CaseStatus.PASSED), (1, CaseStatus.ERROR)], "failed", "failed"),  # a test and its teardown
        ([(1, CaseStatus.FAILED), (1, CaseStatus.PASSED)], "failed", "failed"),
        ([(1, CaseStatus.SKIPPED)], "passed", "skipped"),
        ([(1, CaseStatus.PASSED)], "cancelled", "passed"),
        ([(1, CaseStatus.FAILED)], "cancelled", None),  # the second try was cut short
    ],
)
def test_a_test_has_the_verdict_of_its_last_try(
    tmp_path: Path, rows: list[tuple[int, CaseStatus]], state: str, verdict: str | None
) -> None:
    url = f"sqlite:///{tmp_path / 'h.sqlite'}"
    name = "tests/a.py::test_x"
    with Store(url) as store:
        store.record_plan("r", "{}", parent=None, pr_number=None, profile="p", repo_commit=None, created=1)
        stored = [
            StoredCase(f"{n}-0", "ut:tests", attempt, CaseResult(name, status))
            for n, (attempt, status) in enumerate(rows)
        ]
        store.add_cases("r", [*stored, StoredCase("9-0", "sca:ruff", 1, CaseResult("finding", CaseStatus.FAILED))])
        summary = {"run": "r", "tasks": [{"task": "ut:tests", "state": state}]}
        assert own.verdicts(store, summary) == ({name: verdict} if verdict else {})


@pytest.mark.parametrize(
    ("program", "said"),
    [
        ("trap 'echo ended; exit' TERM; trap '' INT; while true; do read -t 1 <>/dev/null; done", "ended"),
        ("trap '' TERM INT; exec sleep 60", ""),
    ],
)
def test_what_runs_longer_than_the_deadline_is_told_to_end_and_killed_when_it_does_not(
    monkeypatch: pytest.MonkeyPatch, program: str, said: str
) -> None:
    monkeypatch.setattr(own, "_GRACE", 20.0 if said else 0.2)
    assert own._ended(["bash", "-c", program], {"PATH": "/usr/bin:/bin"}, 1.0).strip() == said


def test_a_change_that_no_test_is_for_passes_with_nothing_run(tmp_path: Path) -> None:
    repo = tmp_path / "repo"
    repo.mkdir()
    git = ["git", "-C", str(repo), "-c", "user.name=t", "-c", "user.email=t@example.com"]
    subprocess.run([*git, "init", "-q"], check=True)
    for name in ("begin", "README.md"):
        (repo / name).write_text(name)
        subprocess.run([*git, "add", "-A"], check=True)
        subprocess.run([*git, "commit", "-q", "-m", name], check=True)
    folder = tmp_path / "own"
    folder.mkdir()
    done = own.run_plan(folder, repo, "HEAD~1", budget="30s", deadline=60, only=())
    assert (done.state, done.tasks, done.tests, done.cases) == ("passed", {}, [], {})
    assert done.document()["ran"] == {}
