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


@pytest.mark.parametrize(
    "name", ["new\nline.sql", "line\u2028separator.sql", "next\x85line.sql", "7\n8.sql", "'; --.sql"]
)
def test_lines_are_counted_in_files_of_any_name(clone: Path, name: str) -> None:
    (clone / "cases/join" / name).write_text("select 1;\nselect 2;\n")
    who = ("-c", "user.name=t", "-c", "user.email=t@example.com")
    for words in (("add", "."), (*who, "commit", "-qm", "y")):
        subprocess.run(["git", "-C", str(clone), *words], check=True)
    assert GitTree(clone, "HEAD").count(";", "cases/join", "**/*") == {f"cases/join/{name}": 2}


@pytest.mark.parametrize(
    ("key", "value"), [("color.ui", "always"), ("color.grep", "always"), ("grep.patternType", "fixed")]
)
def test_no_configuration_of_the_clone_changes_a_count(clone: Path, key: str, value: str) -> None:
    subprocess.run(["git", "-C", str(clone), "config", key, value], check=True)
    assert GitTree(clone, "HEAD").count("^x", "cases/join", "**/*") == {
        "cases/join/a.sql": 1,
        "cases/join/deep/b.sql": 1,
    }
