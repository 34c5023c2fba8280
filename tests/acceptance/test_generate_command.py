"""``mo-testplan cases generate`` as a user calls it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.unit.generate.factories import CASES
from tests.unit.surface.product import FILES


def call(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "orchestrator", "cases", "generate", *words], capture_output=True, text=True, check=False
    )


def git(clone: Path, *words: str) -> str:
    identity = {
        "GIT_AUTHOR_NAME": "a",
        "GIT_AUTHOR_EMAIL": "a@b",
        "GIT_COMMITTER_NAME": "a",
        "GIT_COMMITTER_EMAIL": "a@b",
    }
    done = subprocess.run(
        ["git", "-C", str(clone), *words], capture_output=True, text=True, check=True, env={**os.environ, **identity}
    )
    return done.stdout


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A product with cases, and a commit that changes a function."""
    root = tmp_path / "clone"
    root.mkdir()
    git(root, "init", "-q", "-b", "main")
    for path, text in {**FILES, **{f"test/distributed/cases/{path}": text for path, text in CASES.items()}}.items():
        target = root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
    git(root, "add", "-A")
    git(root, "commit", "-qm", "first")
    source = root / "pkg/sql/plan/function/func_unary.go"
    source.write_text(source.read_text().replace("return lowest(x)", "return lowest(x) + 1"))
    git(root, "commit", "-qam", "fix: ascii of empty text")
    return root


def test_files_and_a_report_come_of_a_change_and_nothing_is_overwritten(clone: Path, tmp_path: Path) -> None:
    words = ("--repo", str(clone), "--base", "HEAD^", "--head", "HEAD", "--pr", "7", "-o", str(tmp_path / "out"))
    done = call(*words, "--format", "json")
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["title"] == "fix: ascii of empty text"
    assert not report["verified"]
    assert 0 < report["statements"] <= 60
    files = sorted((tmp_path / "out").rglob("*.*"))
    assert [file.suffix for file in files if file.is_file()] == [".test"] * len(report["files"])
    again = call(*words)
    assert again.returncode == 2
    assert "is there already" in again.stderr


def test_a_terminal_obeys_nothing_that_a_title_says(clone: Path, tmp_path: Path) -> None:
    done = call("--repo", str(clone), "--base", "HEAD^", "--title", "a\x1b[31mb", "-o", str(tmp_path / "out"))
    assert done.stdout.startswith("a\\x1b[31mb\n")
    assert "\x1b" not in done.stdout + done.stderr


def test_the_same_change_gives_the_same_bytes_in_another_process(clone: Path, tmp_path: Path) -> None:
    texts = []
    for name in ("one", "two"):
        call("--repo", str(clone), "--base", "HEAD^", "--head", "HEAD", "-o", str(tmp_path / name))
        texts.append({file.name: file.read_text() for file in (tmp_path / name).rglob("*.test")})
    assert texts[0] == texts[1] != {}


def test_a_revision_that_is_no_word_still_names_files(clone: Path, tmp_path: Path) -> None:
    git(clone, "commit", "-qm", "later", "--allow-empty")
    assert (
        call("--repo", str(clone), "--base", "HEAD~2", "--head", "HEAD~1", "-o", str(tmp_path / "out")).returncode == 0
    )
    names = [file.name for file in (tmp_path / "out").rglob("*.test")]
    assert names
    assert all(name.startswith("gen_HEAD_1_") for name in names)


def test_a_branch_gets_the_files_and_the_work_tree_stays(
    clone: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = (
        "--repo",
        str(clone),
        "--base",
        "HEAD^",
        "--head",
        "HEAD",
        "-o",
        str(tmp_path / "out"),
        "--branch",
        "cases",
    )
    with monkeypatch.context() as hook:  # of another clone, from which this is started
        hook.setenv("GIT_DIR", str(tmp_path / "other" / ".git"))
        done = call(*words)
    assert done.returncode == 0, done.stderr
    assert "test/distributed/cases" in git(clone, "show", "--stat", "--name-only", "cases")
    assert git(clone, "status", "--porcelain") == ""


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--pr", "-5"), "'-5' is no whole number from 1 on"),
        (("--budget", "0"), "--budget 0 is out of range"),
        (("--diff", "no-such-file"), "cannot be read"),
        (("--base", "nowhere", "--head", "HEAD"), "nowhere"),
        (("--base", "HEAD", "--dsn", "ftp://x"), "server address"),
        (("--base", "HEAD", "--llm"), "MO_TESTPLAN_LLM_URL"),
        (("--base", "HEAD", "--branch", "main"), "the branch 'main' exists"),
        (("--base", "HEAD", "--branch", "a..b"), "'a..b' is no name of a branch"),
        (("--diff", os.devnull, "--branch", "new"), "--branch needs --repo and --base"),
        ((), "no change to generate for"),
    ],
)
def test_bad_input_is_said_and_exits_2(clone: Path, tmp_path: Path, words: tuple[str, ...], says: str) -> None:
    done = call("--repo", str(clone), *words, "-o", str(tmp_path / "out"))
    assert done.returncode == 2, done.stderr
    assert says in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "out").exists()
