"""Which change is a repository's last one."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from benchmarks.own.change import NoHistoryError, first_change, last_change


def _git(folder: Path, *words: str) -> str:
    who = ["-c", "user.name=t", "-c", "user.email=t@example.com"]
    done = subprocess.run(["git", *who, *words], cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout.strip()


def _commit(folder: Path, name: str) -> str:
    (folder / name).write_text(name)
    _git(folder, "add", "-A")
    _git(folder, "commit", "-q", "-m", name)
    return _git(folder, "rev-parse", "HEAD")


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    folder = tmp_path / "repo"
    folder.mkdir()
    _git(folder, "init", "-q", "-b", "main")
    return folder


def test_the_last_change_starts_at_the_first_parent(repo: Path) -> None:
    first = _commit(repo, "a.py")
    _commit(repo, "b.py")
    assert last_change(repo) == first


def test_everything_is_what_came_after_the_first_commit(repo: Path) -> None:
    first = _commit(repo, "a.py")
    with pytest.raises(NoHistoryError, match="two commits"):
        first_change(repo)
    _commit(repo, "b.py")
    _commit(repo, "c.py")
    assert first_change(repo) == first


def test_a_merge_is_what_it_brought_into_its_first_parent(repo: Path) -> None:
    _commit(repo, "a.py")
    _git(repo, "checkout", "-q", "-b", "side")
    _commit(repo, "side.py")
    _git(repo, "checkout", "-q", "main")
    main = _commit(repo, "b.py")
    _git(repo, "merge", "-q", "--no-ff", "-m", "merge", "side")
    assert last_change(repo) == main


def test_documents_alone_count_with_the_change_before_them(repo: Path) -> None:
    first = _commit(repo, "a.py")
    _commit(repo, "b.py")
    _commit(repo, "README.md")
    assert last_change(repo) == first


def test_a_single_commit_a_shallow_clone_and_no_clone_are_told_apart(repo: Path, tmp_path: Path) -> None:
    with pytest.raises(NoHistoryError, match="no git repository with a commit"):
        last_change(repo)
    _commit(repo, "a.py")
    with pytest.raises(NoHistoryError, match="a repository of 1 commit"):
        last_change(repo)
    _commit(repo, "b.py")
    _git(tmp_path, "clone", "-q", "--depth", "1", f"file://{repo}", "shallow")
    with pytest.raises(NoHistoryError, match=r"shallow clone.*git fetch --deepen"):
        last_change(tmp_path / "shallow")
