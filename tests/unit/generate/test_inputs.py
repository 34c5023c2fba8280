from collections.abc import Mapping
from pathlib import Path

from orchestrator.generate.inputs import RepositoryInputs
from orchestrator.surface.matrixone.reader import MatrixOneReader
from tests.unit.diff.repo import Repo

CASES = "test/distributed/cases"
SCRIPT = "create table t (a int);\nselect abs(a) from t;\nselect 2;\n"


def commit(repo: Repo, files: Mapping[str, str]) -> str:
    for path, text in files.items():
        repo.write(path, text)
    return repo.commit()


def test_the_tests_of_the_change_itself_are_not_read_and_those_of_the_past_are(tmp_path: Path) -> None:
    repo = Repo(tmp_path)
    commit(repo, {"pkg/a.go": "package a\n"})
    commit(repo, {f"{CASES}/f/past.sql": SCRIPT, "pkg/a.go": "package a\n\nfunc A() {}\n"})
    base = commit(repo, {"pkg/a.go": "package a\n\nfunc A() { a() }\n"})
    head = commit(repo, {f"{CASES}/f/author.sql": "select secret(1);\n", "pkg/a.go": "package a\n\nfunc B() {}\n"})
    read = RepositoryInputs(tmp_path, CASES, MatrixOneReader()).read(base, head, None, ("test/",))
    assert read.title == "change"
    assert [one.path for one in read.changes] == ["pkg/a.go"]
    assert set(read.library.scripts) == {"f/past.sql"}
    assert [one.paths for one in read.past.changes] == [("pkg/a.go",)]
    assert "call abs" in read.past.changes[0].aspects
    assert not any("secret" in aspect for one in read.past.changes for aspect in one.aspects)


def test_of_a_changed_script_the_past_holds_what_came_and_not_what_was_there(tmp_path: Path) -> None:
    repo = Repo(tmp_path)
    commit(repo, {f"{CASES}/f/past.sql": SCRIPT})
    moved = "".join(reversed(SCRIPT.replace("  ", " ").upper().splitlines(keepends=True)))
    commit(repo, {f"{CASES}/f/past.sql": SCRIPT.replace("abs(a)", "abs( a )") + "select sin(1);\n" * 3, "b.go": "b\n"})
    base = commit(repo, {f"{CASES}/f/past.sql": moved.lower() + "select sin(1);\n" * 3})
    past = RepositoryInputs(tmp_path, CASES, MatrixOneReader()).read(base, base, "", ()).past
    assert [("call abs" in one.aspects, "call sin" in one.aspects) for one in past.changes[-1:]] == [(False, True)]


def test_the_scripts_of_a_revision_can_be_read_alone(tmp_path: Path) -> None:
    repo = Repo(tmp_path)
    first = commit(repo, {f"{CASES}/f/one.sql": SCRIPT, f"{CASES}/f/one.result": ""})
    commit(repo, {f"{CASES}/f/two.sql": SCRIPT})
    reader = RepositoryInputs(tmp_path, CASES, MatrixOneReader())
    assert set(reader.library(first).scripts) == {"f/one.sql"}
    assert set(reader.library("HEAD").scripts) == {"f/one.sql", "f/two.sql"}
