"""The index: incremental, whatever happens to its file."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sqlite3
import time
from pathlib import Path

import pytest

from orchestrator.cases import corpus as module
from orchestrator.cases.corpus import INDEX_SCHEME, Corpus
from orchestrator.cases.fingerprint import SCHEME, read_statements
from orchestrator.domain.errors import BadCaseError
from tests.waiting import until


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    root = tmp_path / "cases"
    (root / "sub").mkdir(parents=True)
    (root / "a.sql").write_text("create table t (a int);\ninsert into t values (12);\nselect * from t;\n")
    (root / "sub" / "b.test").write_text("select 12;\nselect max(a) from t;\n")
    (root / "note.txt").write_text("select 12;\n")
    return root


def _age(root: Path) -> None:
    """Let the files be old enough to be trusted."""
    long_ago = time.time() - 100
    for path in root.rglob("*.*"):
        os.utime(path, (long_ago, long_ago))


def _query(corpus: Corpus, sql: str) -> tuple[str, int] | None:
    [statement] = read_statements(sql)
    known = corpus.same("statement", statement.bag, statement.same_shape, statement.exact)
    return (known.place.path, known.place.line) if known else None


def test_statements_are_found_where_they_stand(tree: Path, tmp_path: Path) -> None:
    corpus, done = Corpus.open(tree, tmp_path / "index.db")
    assert (done.scripts, done.read) == (2, 2)
    assert _query(corpus, "SELECT 34") == ("sub/b.test", 1)
    assert _query(corpus, "select min(a) from t") is None


def test_an_unchanged_tree_is_not_read_again(tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_UNSAFE", -(10**15))
    Corpus.open(tree, tmp_path / "index.db")[0].close()
    monkeypatch.setattr(Path, "read_bytes", None)
    assert Corpus.open(tree, tmp_path / "index.db")[1].read == 0


def test_only_what_changed_is_read(tree: Path, tmp_path: Path) -> None:
    Corpus.open(tree, tmp_path / "index.db")[0].close()
    (tree / "a.sql").write_text("select 12, 13;\n")
    (tree / "sub" / "b.test").unlink()
    (tree / "new.sql").write_text("select sum(a) from t;\n")
    corpus, done = Corpus.open(tree, tmp_path / "index.db")
    assert (done.scripts, done.read, done.removed) == (2, 2, 1)
    assert _query(corpus, "select max(a) from t") is None
    assert _query(corpus, "select sum(a) from t") == ("new.sql", 1)


def test_a_change_within_the_clock_tick_is_noticed(tree: Path, tmp_path: Path) -> None:
    path = tree / "sub" / "b.test"
    Corpus.open(tree, tmp_path / "index.db")[0].close()
    status = path.stat()
    path.write_text(path.read_text().replace("max", "min"))
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    corpus, done = Corpus.open(tree, tmp_path / "index.db")
    assert done.read == 1
    assert _query(corpus, "select min(a) from t") == ("sub/b.test", 2)


def test_a_touched_file_is_known_by_its_content(tree: Path, tmp_path: Path) -> None:
    Corpus.open(tree, tmp_path / "index.db")[0].close()
    _age(tree)
    assert Corpus.open(tree, tmp_path / "index.db")[1].read == 0


@pytest.mark.parametrize("content", [b"", b"no database", b"SQLite format 3\0" + b"\xff" * 5000, os.urandom(9000)])
def test_a_damaged_index_is_put_aside_and_built_anew(tree: Path, tmp_path: Path, content: bytes) -> None:
    index = tmp_path / "index.db"
    index.write_bytes(content)
    corpus, done = Corpus.open(tree, index)
    assert done.read == 2
    assert bool(corpus.warnings) == bool(content)
    aside = list(tmp_path.glob("*.damaged"))
    assert [path.read_bytes() for path in aside] == ([content] if content else [])


def test_a_database_of_another_program_that_is_at_work_is_not_touched(tree: Path, tmp_path: Path) -> None:
    index = tmp_path / "index.db"
    theirs = sqlite3.connect(index, isolation_level=None)
    theirs.execute("pragma journal_mode=wal")  # what it wrote last is beside the file
    theirs.execute("create table theirs (a)")
    corpus, done = Corpus.open(tree, index)
    assert (done.read, "another program" in corpus.warnings[0]) == (2, True)
    corpus.close()
    theirs.execute("insert into theirs values (1)")
    theirs.close()
    assert sqlite3.connect(index).execute("select a from theirs").fetchall() == [(1,)]
    assert not list(tmp_path.glob("*.damaged"))


def test_an_index_damaged_in_its_middle_is_built_anew(tree: Path, tmp_path: Path) -> None:
    index = tmp_path / "index.db"
    for number in range(300):
        (tree / f"m{number}.sql").write_text(f"select {number} + a{number} + {'x' * number};\n")
    Corpus.open(tree, index)[0].close()
    content = bytearray(index.read_bytes())
    content[4096:] = b"\x5a" * (len(content) - 4096)
    index.write_bytes(bytes(content))
    assert Corpus.open(tree, index)[1].scripts == 302


def test_another_scheme_is_built_anew(tree: Path, tmp_path: Path) -> None:
    index = tmp_path / "index.db"
    Corpus.open(tree, index)[0].close()
    connection = sqlite3.connect(index)
    connection.execute(f"PRAGMA user_version = {INDEX_SCHEME + 1}")
    connection.close()
    corpus, done = Corpus.open(tree, index)
    assert (done.read, corpus.warnings) == (2, [])


def test_the_schemes_of_index_and_fingerprints_are_raised_together() -> None:
    assert INDEX_SCHEME == SCHEME


def test_without_a_place_to_write_the_index_is_in_memory(tree: Path, tmp_path: Path) -> None:
    blocker = tmp_path / "file"
    blocker.write_text("")
    corpus, done = Corpus.open(tree, blocker / "index.db")
    assert done.read == 2
    assert corpus.warnings


def test_a_read_only_index_that_is_stale_is_replaced_in_memory(
    tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    index = tmp_path / "index.db"
    Corpus.open(tree, index)[0].close()
    (tree / "a.sql").write_text("select 12, 13;\n")
    connect = sqlite3.connect
    monkeypatch.setattr(
        sqlite3,
        "connect",
        lambda path, **options: connect(
            path if path == ":memory:" else f"file:{path}?mode=ro", uri=path != ":memory:", **options
        ),
    )
    corpus, done = Corpus.open(tree, index)
    assert done.read == 2
    assert "cannot be used" in corpus.warnings[0]


def test_a_file_that_vanishes_meanwhile_is_left_out(
    tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    walk = module._walk
    monkeypatch.setattr(module, "_walk", lambda *found: [*walk(*found), module._Seen("gone.sql", 1, 1, 1)])
    assert Corpus.open(tree, tmp_path / "index.db")[1].unread == ("gone.sql",)


@pytest.mark.parametrize(
    "content", [b"select '\xff\xfe';\n", b"select 1\0;\n", b"select 'open", b"", b"\xef\xbb\xbfselect 1;\n"]
)
def test_damaged_scripts_are_read(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.sql").write_bytes(content)
    assert Corpus.open(tmp_path, None)[1].read == 1


def test_no_scripts_or_no_directory_is_said(tmp_path: Path) -> None:
    with pytest.raises(BadCaseError, match="no script"):
        Corpus.open(tmp_path, None)
    with pytest.raises(BadCaseError, match="not a directory"):
        Corpus.open(tmp_path / "none", None)


def _refresh(root: Path, index: Path, times: int) -> None:
    for number in range(times):
        Path(root, f"p{os.getpid()}_{number}.sql").write_text(f"select {number} + a{os.getpid()};\n" * 50)
        Corpus.open(root, index)[0].close()


def _spawned(tree: Path, index: Path, times: int) -> list[multiprocessing.process.BaseProcess]:
    context = multiprocessing.get_context("spawn")
    processes: list[multiprocessing.process.BaseProcess] = [
        context.Process(target=_refresh, args=(tree, index, times)) for _ in range(3)
    ]
    for process in processes:
        process.start()
    return processes


def test_several_processes_may_refresh_at_once(tree: Path, tmp_path: Path) -> None:
    index = tmp_path / "index.db"
    processes = _spawned(tree, index, 5)
    for process in processes:
        process.join(60)
    assert [process.exitcode for process in processes] == [0, 0, 0]
    corpus, done = Corpus.open(tree, index)
    assert done.scripts == 17
    [rows] = corpus.connection.execute("SELECT count(*) FROM script").fetchone()
    assert rows == 17


def test_killed_processes_leave_a_sound_index(tree: Path, tmp_path: Path) -> None:
    """Three that refresh without end are killed, one after another, while they are at work."""
    index = tmp_path / "index.db"
    processes = _spawned(tree, index, 1_000_000)
    for number, process in enumerate(processes, 1):
        until(lambda: len(list(tree.glob(f"p{process.pid}_*.sql"))) > 3 * number)  # noqa: B023 - asked at once
        process.kill()
        process.join()
        assert process.exitcode == -signal.SIGKILL
    corpus, done = Corpus.open(tree, index)
    assert corpus.warnings == []
    assert corpus.connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert corpus.connection.execute("SELECT count(*) FROM script").fetchone() == (done.scripts,)
    assert _query(corpus, "select 12") is not None


def test_a_directory_that_cannot_be_read_is_said(tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scandir = os.scandir

    def closed(path: str) -> object:
        if path.endswith("sub"):
            raise PermissionError(13, "Permission denied")
        return scandir(path)

    monkeypatch.setattr(os, "scandir", closed)
    for _ in range(2):  # of an index that is made, and of one that is up to date
        corpus, done = Corpus.open(tree, tmp_path / "index.db")
        assert (done.scripts, done.unread) == (1, (str(tree / "sub"),))
        corpus.close()
