"""What is asked on the command line and cannot be: said at once, before anything is started."""

from __future__ import annotations

import json
from pathlib import Path
from unittest.mock import ANY

import pytest
import yaml

from orchestrator.cli import local, main
from orchestrator.domain.errors import InfrastructureError
from orchestrator.service.tokens import tokens_from
from tests.acceptance.project import Project, make_project


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Project:
    project = make_project(tmp_path_factory.mktemp("words"), {"a": "t.Log(It())"})
    project.git("checkout", "-q", "-b", "words", "main")
    (project.repo / "notes.md").write_text("words")
    project.git("add", "-A")
    project.git("commit", "-q", "-m", "words")
    (project.root / "config" / "wrong.yaml").write_text("name: wrong\nrulez: []\n")
    (project.root / "config" / "types.yaml").write_text("name: types\ndispatch: {lease: long}\n")
    (project.root / "config" / "other.yaml").write_text("name: other\n")
    return project


@pytest.fixture
def project(made: Project, monkeypatch: pytest.MonkeyPatch) -> Project:
    """Its environment is this process's, and nothing may be started."""
    for name, value in made.environment({"MO_TESTPLAN_REDIS_URL": "redis://127.0.0.1:1/0"}).items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("MO_TESTPLAN_REPO")

    def started(*_: object, **__: object) -> None:
        raise AssertionError("a local stack was started")

    monkeypatch.setattr(local.LocalStack, "_start", started)
    return made


def plan_file(project: Project) -> str:
    path = project.root / "plan.json"
    assert main.main(["plan", *project.change(), "-o", str(path)]) == 0
    return str(path)


@pytest.mark.parametrize(
    "command", [["run", "--base", "main", "--local"], ["run", "--base", "main"], ["worker"], ["control"]]
)
@pytest.mark.parametrize(
    ("profile", "says"), [("wrong", "Did you mean 'rules'"), ("types", "dispatch.lease"), ("nope", "Known: ")]
)
def test_a_wrong_profile_is_exit_2_from_every_command(
    project: Project, command: list[str], profile: str, says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main.main([*command, "--profile", profile]) == 2
    assert says in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--profile", "wrong"], "Did you mean 'rules'"),
        (["--profile", "other"], "made with profile 'mini', and other is 'other'"),
        (["--base", "main"], "two ways to say what runs"),
        (["--diff", "x"], "two ways to say what runs"),
        (["--budget", "10%"], "a plan file and --budget are two ways to say what runs"),
        (["--category", "join"], "two ways to say what runs"),
        (["--pr", "7"], "two ways to say what runs"),
        (["--base-branch", "main"], "--base-branch are two ways to say what runs"),
        (["--detach"], "--detach goes with remote workers"),
        (["--server", "mariadb", "--dsn", "mysql://u:p@h"], "--server mariadb and --dsn name two servers"),
    ],
)
def test_a_plan_file_with_words_that_contradict_it_is_exit_2(
    project: Project, words: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main.main(["run", plan_file(project), "--local", *words]) == 2
    assert says in capsys.readouterr().err


def test_a_plan_whose_profile_is_elsewhere_names_the_option(
    project: Project, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plan = plan_file(project)
    monkeypatch.setenv("MO_TESTPLAN_CONFIG_DIR", str(tmp_path))
    assert main.main(["run", plan, "--local"]) == 2
    assert "--profile FILE" in capsys.readouterr().err


def test_a_plan_of_a_bare_diff_is_refused_before_anything_starts(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    diff = project.root / "change.diff"
    diff.write_text(project.git("diff", "main...pr") + "\n")
    assert main.main(["run", "--diff", str(diff), "--profile", "mini", "--local"]) == 2
    assert "names no commit" in capsys.readouterr().err


def test_a_plan_without_a_clone_to_run_it_in_says_what_to_name(
    project: Project, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plan = plan_file(project)
    monkeypatch.chdir(tmp_path)
    assert main.main(["run", plan, "--local"]) == 3
    assert "--repo" in capsys.readouterr().err


@pytest.mark.parametrize("how", [["--local"], ["--wait"], ["--detach"]])
def test_a_change_of_words_alone_is_done_at_once_and_says_so(
    project: Project, how: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["run", "--repo", str(project.repo), "--base", "main", "--head", "words", "--profile", "mini", *how]
    assert main.main(words) == 0
    answer = capsys.readouterr()
    assert "nothing to run" in answer.err
    assert answer.out == ""
    assert main.main([*words, "--format", "json"]) == 0
    document = json.loads(capsys.readouterr().out)
    counts = {"tasks": 0, "shards": 0}  # as of any detached run; else it reads as a summary
    assert document == {
        "run": None,
        "plan": ANY,
        **(counts if how == ["--detach"] else {"state": "passed", "tasks": []}),
    }


@pytest.mark.parametrize(
    "words",
    [
        ["run", "--base", "main", "--local", "--workers", "0"],
        ["run", "--base", "main", "--local", "--bvt-files", "-1"],
        ["runs", "--limit", "99999999999999999999999"],
        ["runs", "--limit", "-3"],
        ["runs", "--pr", "x"],
        ["plan", "--base", "main", "--pr", "-7"],
        ["plan", "--base", "main", "--pr", "9999999999"],
        ["cases", "generate", "--base", "main", "--pr", "0"],
        ["worker", "--concurrency", "0"],
    ],
)
def test_numbers_start_at_one(project: Project, words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main.main(words)
    assert ended.value.code == 2
    assert "no whole number from 1 on" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["run", "--base", "main", "--workers", "3"], "--workers and --no-sandbox go with --local"),
        (["run", "--base", "main", "--no-sandbox"], "--workers and --no-sandbox go with --local"),
        (["autopilot", "--base", "main", "--server", "mariadb"], "--server and --dsn go with --local"),
        (["autopilot", "--base", "main", "--local", "--server", "embedded", "--dsn", "x"], "name two servers"),
        (["mcp", "--transport", "http", "--role", "viewer"], "--role is not for --transport http"),
        (["mcp", "--public-url", "https://x.example.com"], "--public-url is not for --transport stdio"),
        (["explain", "plan.json", "--workers", "3"], "--workers goes with --shards"),
    ],
)
def test_an_option_that_would_be_passed_over_is_exit_2(
    project: Project, words: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main.main(words) == 2
    assert says in capsys.readouterr().err


@pytest.mark.parametrize("auth", ["operator", "operator:", ":secret", "operator:secret,guest"])
def test_a_user_of_flower_has_a_password(
    auth: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MO_TESTPLAN_FLOWER_AUTH", auth)
    assert main.main(["flower"]) == 2
    assert "names no user with a password" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["serve", "mcp", "flower"])
@pytest.mark.parametrize("port", ["99999", "-1", "http", "9" * 30])
def test_a_port_is_one(project: Project, command: str, port: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main.main([command, f"--port={port}"])
    assert ended.value.code == 2
    assert "is no port" in capsys.readouterr().err


def test_a_token_that_would_never_be_good_is_exit_2(capsys: pytest.CaptureFixture[str]) -> None:
    assert main.main(["token", "ci", "--expires", "2020-01-01"]) == 2
    assert "2020-01-01 is over" in capsys.readouterr().err


@pytest.mark.parametrize(("words", "says"), [("--queues=utt", "Did you mean 'ut'"), ("--queues=,", "names no queue")])
def test_a_redis_user_for_queues_that_nobody_has_is_exit_2(
    words: str, says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main.main(["acl", words]) == 2
    assert says in capsys.readouterr().err


@pytest.mark.parametrize("name", ["ci", "123", "true", "null", "1.5", "2027-06-30"])
def test_the_line_for_a_token_is_one_that_can_be_read(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main.main(["token", name, "--expires", "2030-01-01", "--runs", "5"]) == 0
    answer = capsys.readouterr()
    tokens = tokens_from(yaml.safe_load("tokens:\n" + answer.err.partition("\n")[2]), "tokens.yaml")
    caller = tokens.caller(answer.out.strip(), "demo", "api", "2029-12-31")
    assert caller is not None
    assert (caller.name, caller.budget.runs) == (f"token:{name}", 5)


def test_a_record_that_never_ends_is_none(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    record = tmp_path / "record"
    record.write_text("[" * 100_000)
    assert main.main(["autopilot", "--replay", str(record)]) == 2
    assert "is no record" in capsys.readouterr().err


@pytest.mark.parametrize("queues", ["", ",", "control", "uts"])
def test_a_worker_serves_queues_of_suites_only(
    project: Project, queues: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main.main(["worker", "--queues", queues, "--unsafe-no-sandbox"]) == 2
    assert "ut" in capsys.readouterr().err


@pytest.mark.parametrize("url", ["mysql://u:secret@h/d", "no url", "sqlite:////proc/none/history.sqlite"])
def test_a_history_that_cannot_be_used_is_said_when_control_starts(
    project: Project, url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MO_TESTPLAN_STORE_URL", url)
    assert main.main(["control", "--profile", "mini"]) in (2, 3)
    said = capsys.readouterr().err
    assert "mo-testplan: " in said
    assert "secret" not in said


@pytest.mark.parametrize("words", [["status"], ["watch"], ["cancel"], ["logs", "--task", "t"], ["rerun", "--wait"]])
def test_a_run_that_may_be_in_a_redis_that_is_away_is_infrastructure_and_not_unknown(
    project: Project, words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main.main([*words, "0101-nobody"]) == 3
    assert "Redis does not answer" in capsys.readouterr().err


def test_a_folder_called_as_a_profile_does_not_hide_it(
    project: Project, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "mini").mkdir()
    monkeypatch.chdir(tmp_path)
    words = ["plan", "--repo", str(project.repo), "--base", "main", "--head", "pr", "--profile", "mini"]
    assert main.main([*words, "-o", str(tmp_path / "plan.json")]) == 0


def test_a_plan_below_a_file_is_exit_2(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    place = f"{plan_file(project)}/plan.json"
    assert main.main(["plan", *project.change(), "-o", place]) == 2
    assert f"cannot write {place}" in capsys.readouterr().err


def test_no_more_local_workers_are_started_than_there_are_shards(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    started = []

    def start(stack: local.LocalStack) -> None:
        started.append(stack._workers)
        raise InfrastructureError("as far as this test goes", "Nothing to mend.")

    monkeypatch.setattr(local.LocalStack, "_start", start)
    file = plan_file(project)
    assert main.main(["run", file, "--local", "--workers", "3", "--repo", str(project.repo)]) == 3
    assert started == [len(json.loads(Path(file).read_text())["shards"])] == [1]
