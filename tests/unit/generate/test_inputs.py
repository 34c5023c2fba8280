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
