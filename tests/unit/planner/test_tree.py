from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from orchestrator.domain.errors import UnknownRunError
from orchestrator.planner.tree import GitTree


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    for name in ("cases/join/a.sql", "cases/join/deep/b.sql", "cases/README.md", "用例/一.sql", "main.go"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("x")
    who = ("-c", "user.name=t", "-c", "user.email=t@example.com")
    for words in (("init", "-q"), ("add", "."), (*who, "commit", "-qm", "x")):
        subprocess.run(["git", "-C", str(tmp_path), *words], check=True)
    return tmp_path


def test_the_tree_is_that_of_the_commit(clone: Path) -> None:
    tree = GitTree(clone, "HEAD")
    (clone / "cases" / "new").mkdir()
    assert tree.directories("cases") == {"join"}
    assert tree.directories("cases/join") == {"deep"}
    assert tree.directories(".") == {"cases", "用例"}
    assert tree.directories("none") == frozenset()
    assert tree.files("cases/join") == ("a.sql", "deep/b.sql")
    assert [tree.has_directory(name) for name in (".", "cases", "main.go", "cas")] == [True, True, False, False]


def test_a_bare_directory_without_config_will_do(clone: Path) -> None:
    (clone / ".git" / "config").unlink()
    assert GitTree(clone / ".git", "HEAD").has_directory("cases/join")


def test_an_unknown_revision_is_an_error(clone: Path) -> None:
    with pytest.raises(UnknownRunError, match="cannot list 0123"):
        GitTree(clone, "0123").directories(".")
