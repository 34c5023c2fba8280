"""`learn`, the plans that draw on it, and `escapes`, as commands."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from orchestrator.cli import main
from orchestrator.domain.run import CaseResult, CaseStatus, RunState, RunSummary, TaskResult, TaskState
from orchestrator.store.api import StoredCase
from orchestrator.store.store import Store
from tests.require import require
from tests.unit.history.product import START, add_commits, make_history


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a product, its profile, and an environment of its own."""
    require("lightgbm")
    make_history(tmp_path, 109)
    rules = [{"prefix": "pkg/", "unit_tests": ["pkg"], "categories": ["join"]}]
    profile = {"name": "product", "rules": rules, "bvt": {"cases": "test/cases"}}
    (tmp_path / "product.yaml").write_text(json.dumps(profile))
    monkeypatch.setenv("MO_TESTPLAN_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("MO_TESTPLAN_CONFIG_DIR", str(tmp_path))
    monkeypatch.setenv("MO_TESTPLAN_REDIS_URL", "redis://127.0.0.1:1/0")
    monkeypatch.setenv("MO_TESTPLAN_REPO", str(tmp_path / "product.git"))
    monkeypatch.delenv("MO_TESTPLAN_STORE_URL", raising=False)
    return tmp_path


CHANGE = ("--base", "main~1", "--head", "main", "--profile", "product")


def tasks(path: Path) -> dict[str, list[str]]:
    return {task["id"]: task["files"] for task in json.loads(path.read_text())["tasks"]}


def test_a_model_is_used_where_learn_puts_it_until_it_is_switched_off(here: Path) -> None:
    out = here / "plan.json"
    assert main.main(["plan", *CHANGE, "--budget", "10%", "-o", str(out)]) == 0
    assert tasks(out).keys() == {"ut:pkg/...", "bvt:join"}
    assert main.main(["learn", "--profile", "product", "--revision", "main"]) == 0
    assert main.main(["plan", *CHANGE, "--budget", "10%", "-o", str(out)]) == 0
    assert "partition_0.sql" in tasks(out)["bvt:partition"]
    assert main.main(["plan", *CHANGE, "--model", "none", "-o", str(out)]) == 0
    assert tasks(out).keys() == {"ut:pkg/...", "bvt:join"}


def test_update_goes_on_where_the_model_ends(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["learn", "--profile", "product", "--revision", "main", "-o", str(here / "model")]
    assert main.main(words) == 0
    told = capsys.readouterr().err.splitlines()
    assert len(told) == 21
    assert told[9].startswith("55 of 109 commits read, up to 20")
    assert told[-1].endswith("of them touched tests: learning from these how far to trust what")
    add_commits(here / "product.git", 109, 5)
    assert main.main([*words, "--update"]) == 0
    assert "5 commits read" in capsys.readouterr().out
    assert main.main([*words, "--update"]) == 0
    assert "0 commits read" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--until", "yesterday"], "is no date"),
        (["--update", "--until", "2026-01-01"], "Leave out --until"),
        (["--update", "-o", "missing"], "cannot be read"),
        (["--repo", "/nowhere"], "no git repository"),
    ],
)
def test_what_cannot_be_learned_is_exit_2_or_3_and_says_what_to_do(
    here: Path, words: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main.main(["learn", "--profile", "product", *words]) in (2, 3)
    assert says in capsys.readouterr().err


def keep_failure(here: Path, plan: Path) -> None:
    """A stored run of a plan in which a script of category vector failed."""
    results = tuple(
        TaskResult(name, TaskState.FAILED if "vector" in name else TaskState.PASSED) for name in tasks(plan)
    )
    document = json.loads(plan.read_text())
    summary = RunSummary("run1", RunState.FAILED, document["id"], "product", None, None, 1.0, START, results, 1.0)
    broken = CaseResult("vector/vector_3.sql:7", CaseStatus.FAILED, file="test/cases/vector/vector_3.sql")
    with Store(f"sqlite:///{here / 'state' / 'history.sqlite'}") as store:
        text = plan.read_text()
        store.record_plan("run1", text, parent=None, pr_number=None, profile="product", repo_commit=None, created=1.0)
        store.add_cases("run1", [StoredCase("1", "bvt:vector", 1, broken)])
        store.commit_run(summary, [])


def test_what_failed_on_such_a_change_is_evidence_with_and_without_a_model(here: Path) -> None:
    out, file = here / "plan.json", here / "failures.json"
    assert main.main(["plan", *CHANGE, "--category", "vector", "-o", str(out)]) == 0
    keep_failure(here, out)
    assert main.main(["stats", "--profile", "product", "--failures", str(file)]) == 0
    later = [*CHANGE, "--failures", str(file), "-o", str(out)]
    assert main.main(["plan", *later]) == 0
    assert tasks(out)["bvt:vector"] == ["vector_3.sql"]
    assert main.main(["learn", "--profile", "product", "--revision", "main"]) == 0
    assert main.main(["plan", *CHANGE, "--budget", "10%", "-o", str(out)]) == 0
    assert "bvt:vector" not in tasks(out)
    assert main.main(["plan", *later, "--budget", "10%"]) == 0
    assert "vector_3.sql" in tasks(out)["bvt:vector"]
    task = next(task for task in json.loads(out.read_text())["tasks"] if task["id"] == "bvt:vector")
    told = [reason["detail"] for reason in task["reasons"] if reason["strategy"] == "failures"]
    assert told == ["run run1 of 2023-11-14 changed pkg/partition/partition.go too, and this failed"]
    first = out.read_bytes()
    assert main.main(["plan", *later, "--budget", "10%"]) == 0
    assert out.read_bytes() == first


def test_a_file_of_failures_that_is_none_is_exit_2(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "failures.json").write_text('{"version": 1, "profiles": {"product": [{"run": 1}]}}')
    assert main.main(["plan", *CHANGE, "--failures", str(here / "failures.json")]) == 2
    assert "stats --failures" in capsys.readouterr().err


@pytest.mark.parametrize("text", ["", "{}", '{"version": 1, "profiles": {"product": 5}}'])
def test_what_control_wrote_is_done_without_and_told_where_it_is_damaged(
    here: Path, text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    out = here / "plan.json"
    assert main.main(["plan", *CHANGE, "-o", str(out)]) == 0
    whole = tasks(out)
    assert capsys.readouterr().err == ""
    (here / "state").mkdir()
    for name in ("durations", "failures"):
        (here / "state" / f"{name}.json").write_text(text)
        assert main.main(["plan", *CHANGE, f"--{name}", str(here / "state" / f"{name}.json")]) == 2
    capsys.readouterr()
    assert main.main(["plan", *CHANGE, "-o", str(out)]) == 0
    told = [line.removeprefix("warning: ") for line in capsys.readouterr().err.splitlines()]
    assert ["durations.json is no file" in told[0], "failures.json is no file" in told[1]] == [True, True]
    assert json.loads(out.read_text())["notes"][:2] == told
    assert tasks(out) == whole


def test_escapes_says_which_strategy_would_have_found_a_failure(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = here / "plan.json"
    assert main.main(["learn", "--profile", "product", "--revision", "main"]) == 0
    categories = [word for name in ("join", "partition", "vector") for word in ("--category", name)]
    assert main.main(["plan", *CHANGE, *categories, "--model", "none", "-o", str(out)]) == 0
    failed = ("bvt:partition", "bvt:vector")
    results = tuple(TaskResult(name, TaskState.FAILED if name in failed else TaskState.PASSED) for name in tasks(out))
    plan = json.loads(out.read_text())["id"]
    summary = RunSummary("run1", RunState.FAILED, plan, "product", None, None, 1.0, 2.0, results, 1.0)
    broken = CaseResult("partition/partition_0.sql:7", CaseStatus.FAILED, file="test/cases/partition/partition_0.sql")
    with Store(f"sqlite:///{here / 'state' / 'history.sqlite'}") as store:
        text = out.read_text()
        store.record_plan("run1", text, parent=None, pr_number=None, profile="product", repo_commit=None, created=1.0)
        store.add_cases("run1", [StoredCase("1", "bvt:partition", 1, broken)])
        store.commit_run(summary, [])
    capsys.readouterr()
    assert main.main(["escapes", "run1", "--repo", str(here / "product.git"), "--format", "json"]) == 0
    told = json.loads(capsys.readouterr().out)
    found = {one["test"]: one["found_by"] for one in told["failures"]}
    assert {"history", "all, 10%"} <= set(found["bvt:partition/partition_0.sql"])
    assert "rules" not in found["bvt:partition/partition_0.sql"]
    assert told["missed"]["rules"] == 2
    assert main.main(["escapes", "run1", "--budget", "much"]) == 2
    assert "'much' is no budget" in capsys.readouterr().err


def test_escapes_shows_no_command_to_the_terminal(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = here / "plan.json"
    assert main.main(["plan", *CHANGE, "--category", "vector", "-o", str(out)]) == 0
    keep_failure(here, out)
    broken = CaseResult("vector/a\x1b[2J.sql:7", CaseStatus.FAILED, file="test/cases/vector/a\x1b[2J.sql")
    with Store(f"sqlite:///{here / 'state' / 'history.sqlite'}") as store:
        store.add_cases("run1", [StoredCase("2", "bvt:vector", 1, broken)])
    capsys.readouterr()
    assert main.main(["escapes", "run1"]) == 0
    told = capsys.readouterr().out
    assert "\x1b" not in told
    assert "bvt:vector/a\\x1b[2J.sql: found by" in told


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("-o", "folder"), "folder cannot be written"),
        (("-o", "product.yaml/model"), "model cannot be written"),
        (("-o", "model", "--until", "1960-01-01"), "'1960-01-01' is before all commits"),
    ],
)
def test_what_cannot_be_is_said_before_all_the_work(
    here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], says: str
) -> None:
    monkeypatch.chdir(here)
    (here / "folder").mkdir()
    assert main.main(["learn", "--profile", "product", "--revision", "main", *words]) == 2
    said = capsys.readouterr().err
    assert says in said
    assert "commits read" not in said
