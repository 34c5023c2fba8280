"""What people get wrong: each ends with the documented exit code, a remedy, and no traceback."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from orchestrator.ledger.embedded import EmbeddedRedis
from tests.acceptance.project import Project, make_project


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    made = make_project(tmp_path_factory.mktemp("bad"), {"a": "t.Log(It())"})
    made.git("checkout", "-q", "-b", "words", "main")
    (made.repo / "notes.md").write_text("words")
    made.git("add", "-A")
    made.git("commit", "-q", "-m", "words")
    (made.root / "config" / "wrong.yaml").write_text("name: wrong\nrulez: []\n")
    return made


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (["paln"], 2, "Did you mean 'plan'"),
        (["run", "--head", "nope", "--local"], 2, "'nope' is not a commit"),
        (["run", "--local", "--task", "ut:b/..."], 2, "Did you mean 'ut:a/...'"),
        (["run", "--local", "--limit", "ut:a/..."], 2, "TASK=PATH"),
        (["run", "--local", "--detach"], 2, "remote workers"),
        (["run", "--server", "mariadb"], 2, "go with --local"),
        (["run", "--profile", "wrong"], 2, "Did you mean 'rules'"),
        (["worker", "--profile", "wrong"], 2, "Did you mean 'rules'"),
        (["control", "--profile", "wrong"], 2, "Did you mean 'rules'"),
        (["worker", "--queues", "utt"], 2, "Did you mean 'ut'"),
        (["run", "no-such-plan.json"], 2, "cannot read"),
        (["mcp", "--transport", "http", "--public-url", "foo"], 2, "'foo' is no address"),
        (["flower", "--address", "192.0.2.1"], 2, "MO_TESTPLAN_FLOWER_AUTH"),
    ],
)
def test_a_wrong_word_is_exit_2_and_names_the_right_one(
    project: Project, words: list[str], code: int, says: str
) -> None:
    if words[0] == "run" and len(words) > 1 and words[1].startswith("--"):
        words = [words[0], *project.change(), *words[1:]]
    done = project.command(*words, MO_TESTPLAN_REDIS_URL="redis://127.0.0.1:1/0")
    assert done.returncode == code, done.stderr
    assert says in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    "words",
    [
        ["status", "no-such-run"],
        ["rerun", "no-such-run", "--failed", "--local"],
        ["cancel", "no-such-run"],
        ["logs", "no-such-run", "--task", "x"],
    ],
)
def test_a_run_that_nobody_knows_is_exit_2_and_exit_3_while_redis_cannot_be_asked(
    project: Project, tmp_path: Path, words: list[str]
) -> None:
    with EmbeddedRedis(tmp_path) as redis:
        done = project.command(*words, MO_TESTPLAN_REDIS_URL=redis.url)
    assert done.returncode == 2, done.stderr
    assert "no-such-run" in done.stderr
    assert "Traceback" not in done.stderr
    done = project.command(*words, MO_TESTPLAN_REDIS_URL="redis://127.0.0.1:1/0")
    assert done.returncode == 3, done.stderr
    assert "Redis does not answer" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_state_directory_that_cannot_be_written_is_exit_3(project: Project) -> None:
    done = project.command("run", *project.change(), "--local", MO_TESTPLAN_STATE="/proc/nowhere")
    assert done.returncode == 3
    assert "/proc/nowhere" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_plan_written_to_a_file_is_what_run_reads(project: Project, tmp_path: Path) -> None:
    file = tmp_path / "plan.json"
    assert project.command("plan", *project.change(), "-o", str(file)).returncode == 0
    plan = json.loads(file.read_text())
    plan["schema_version"] += 1
    file.write_text(json.dumps(plan))
    done = project.command("run", str(file), "--local")
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert str(plan["schema_version"]) in done.stderr


def test_a_change_of_documentation_alone_runs_nothing_and_says_so(project: Project) -> None:
    change = [word if word != "pr" else "words" for word in project.change()]
    done = project.command("run", *change, "--local")
    assert done.returncode == 0
    assert "nothing to run" in done.stderr
    assert "documentation" in done.stderr
