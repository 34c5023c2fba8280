"""The index of a tree of scripts: what is tested where, kept in one SQLite file and brought up to date by content.

A file whose size and times are as they were is not read again, unless it changed about when it was read; one that was
only touched is recognized by its SHA-256. Work is done first and written in one transaction, so a process that is
killed leaves the index as it was, and several may refresh it at once: the last to write a script wins, and its times
say whether what it wrote is stale. A file that is no database is put aside, never destroyed, and the index is built
anew; where the index cannot be written, or is another program's database, it is kept in memory.
"""

from __future__ import annotations

import hashlib
import os
import sqlite3
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, NamedTuple

from orchestrator.domain.errors import BadCaseError
from orchestrator.garbage import without_collection

#: Raised with `fingerprint.SCHEME` and with the tables below: a test holds the two together.
INDEX_SCHEME: Final = 4
_APPLICATION: Final = 0x6D6F7470
_SUFFIXES = (".sql", ".test")
#: A file that changed so short a time before it was read may have changed again unseen. Nanoseconds.
_UNSAFE: Final = 2_000_000_000
_WAIT_SECONDS = 60

_TABLES = """
CREATE TABLE script (
  id INTEGER PRIMARY KEY, path TEXT NOT NULL UNIQUE, size INTEGER NOT NULL, modified INTEGER NOT NULL,
  changed INTEGER NOT NULL, read INTEGER NOT NULL, content BLOB NOT NULL, statements INTEGER NOT NULL,
  shape BLOB NOT NULL, exact BLOB NOT NULL, bag INTEGER NOT NULL);
CREATE INDEX script_by_bag ON script (bag);
CREATE TABLE statement (
  bag INTEGER NOT NULL, shape INTEGER NOT NULL, exact INTEGER NOT NULL, script INTEGER NOT NULL,
  line INTEGER NOT NULL, times INTEGER NOT NULL,
  PRIMARY KEY (bag, shape, exact, script)) WITHOUT ROWID;
CREATE TABLE block (
  bag INTEGER NOT NULL, shape INTEGER NOT NULL, exact INTEGER NOT NULL, script INTEGER NOT NULL, first INTEGER NOT NULL,
  last INTEGER NOT NULL, line INTEGER NOT NULL, last_line INTEGER NOT NULL,
  PRIMARY KEY (bag, shape, script, first)) WITHOUT ROWID;
"""


class _Seen(NamedTuple):
    """A file as the tree has it. Times in nanoseconds."""

    path: str
    size: int
    modified: int
    changed: int


@dataclass(frozen=True, slots=True)
class Refreshed:
    """What a refresh did, in scripts. ``unread`` names those that could not be read, and such directories."""

    scripts: int
    read: int
    removed: int
    unread: tuple[str, ...] = ()


class Place(NamedTuple):
    """Where something stands in the tree: lines (1-based), and statements from ``first`` to ``last`` (exclusive)."""

    path: str
    line: int
    last_line: int
    first: int
    last: int


class Known(NamedTuple):
    """What the index knows of a shape: its first place, how often it is there, whether the very text is, too."""

    place: Place
    times: int
    exact: bool


_Keyed = list[tuple[tuple[int, int, int], tuple[int, ...]]]
#: (statements, shape, exact, bag) of the script; its statements and its blocks by (bag, shape, exact).
BuiltRows = tuple[tuple[object, ...], _Keyed, _Keyed]


_PLACES = {
    "statement": "line, line, 0, 0",
    "block": "line, last_line, first, last",
    "script": "1, 0, 0, statements",
}


class Corpus:
    """The index of the scripts under ``root``; `open` makes one. ``warnings`` say what was wrong with its file."""

    def __init__(self, root: Path, connection: sqlite3.Connection, warnings: Sequence[str] = ()) -> None:
        self.root = root
        self.connection = connection
        self.warnings = list(warnings)

    @classmethod
    def open(cls, root: Path, index: Path | None) -> tuple[Corpus, Refreshed]:
        """The index of ``root``, up to date, in the file ``index``, or in memory without one. Raises BadCaseError."""
        if not root.is_dir():
            raise BadCaseError(f"{root} is not a directory", "Name the directory that holds the scripts.")
        if index is None:
            corpus = cls(root, _in_memory())
            return corpus, corpus.refresh()
        corpus = cls(root, *_connected(index))
        try:
            return corpus, corpus.refresh()
        except sqlite3.DatabaseError as error:
            corpus.close()
            corpus = cls(root, *_replaced(index, error))
            return corpus, corpus.refresh()

    def close(self) -> None:
        """Let the index file go."""
        self.connection.close()

    def refresh(self) -> Refreshed:
        """Bring the index up to date with the tree."""
        known = {
            path: (identity, _Seen(path, size, modified, changed), read, content)
            for identity, path, size, modified, changed, read, content in self.connection.execute(
                "SELECT id, path, size, modified, changed, read, content FROM script"
            )
        }
        closed: list[str] = []
        seen = {one.path: one for one in sorted(_walk(str(self.root), closed))}
        if not seen:
            raise BadCaseError(f"there is no script in {self.root}", "Scripts are files that end in .sql or .test.")
        stale = [
            one for path, one in seen.items() if path not in known or not _fresh(one, known[path][1], known[path][2])
        ]
        gone = [path for path in known if path not in seen]
        if not stale and not gone:
            return Refreshed(len(seen), 0, 0, tuple(closed))
        with without_collection():
            done = self._update(stale, gone, {path: entry[3] for path, entry in known.items()}, len(seen))
        return replace(done, unread=(*closed, *done.unread))

    def _update(self, stale: Sequence[_Seen], gone: list[str], contents: dict[str, bytes], count: int) -> Refreshed:
        from orchestrator.cases.fingerprint_rows import Builder  # parser and lexer: not for an unchanged tree

        rows, touched, unread = [], [], []
        builder = Builder()
        for one in stale:
            now = time.time_ns()
            try:
                with open(f"{self.root}/{one.path}", "rb") as file:  # noqa: PTH123 - as `_walk`
                    content = file.read()
            except OSError:
                unread.append(one.path)
                gone += [one.path] if one.path in contents else []
                continue
            digest = hashlib.sha256(content).digest()
            if contents.get(one.path) == digest:
                touched.append((one.size, one.modified, one.changed, now, one.path))
            else:
                rows.append(
                    ((one.path, one.size, one.modified, one.changed, now, digest), builder.rows(one.path, content))
                )
        with _transaction(self.connection) as connection:
            connection.executemany("UPDATE script SET size=?, modified=?, changed=?, read=? WHERE path=?", touched)
            again = [str(head[0]) for head, _ in rows]  # also what another process was faster with
            _remove(connection, [*gone, *again])
            _insert(connection, rows)
        return Refreshed(count - len(unread), len(rows), len(gone), tuple(unread))

    def same(self, table: str, bag: int, shape: bytes, exact: bytes, *, but: str = "") -> Known | None:
        """The first statement or block of this shape in a script other than ``but``, and how many there are."""
        times = "sum(times)" if table == "statement" else "count(*)"
        # Beside one min() SQLite takes the other columns from that row (sqlite.org/lang_select.html, "Bare columns").
        first, count, same_text, *place = self.connection.execute(
            f"SELECT min((script << 32) | line), {times}, sum(exact = ?), {_PLACES[table]}"  # noqa: S608
            f" FROM {table} WHERE bag = ? AND shape = ? AND script <> ?",
            (short(exact), signed(bag), short(shape), self._identity(but)),
        ).fetchone()
        if first is None:
            return None
        (path,) = self.connection.execute("SELECT path FROM script WHERE id = ?", (first >> 32,)).fetchone()
        return Known(Place(path, *place), count, bool(same_text))

    def _identity(self, path: str) -> int:
        if not path:
            return 0
        row = self.connection.execute("SELECT id FROM script WHERE path = ?", (path,)).fetchone()
        return int(row[0]) if row else 0

    def candidates(self, table: str, bag: int, *, but: str = "", limit: int = 8) -> list[Place]:
        """Statements, blocks or scripts of this bag, one of each shape: reordering may make them the same."""
        join = "" if table == "script" else "JOIN script ON script.id = script"
        rows = self.connection.execute(
            f"SELECT path, {_PLACES[table]} FROM {table} {join} WHERE {table}.bag = ? AND path <> ?"  # noqa: S608
            f" GROUP BY {table}.shape ORDER BY path LIMIT ?",
            (signed(bag), but, limit),
        )
        return [Place(*row) for row in rows]


def short(digest: bytes) -> int:
    """The first 64 bits of a digest as SQLite keeps a number."""
    return int.from_bytes(digest[:8], "big", signed=True)


def signed(bag: int) -> int:
    """64 bits as SQLite keeps a number."""
    return bag - 2**64 if bag >= 2**63 else bag


def _fresh(now: _Seen, then: _Seen, read: int) -> bool:
    return now == then and max(now.modified, now.changed) < read - _UNSAFE


def _walk(root: str, closed: list[str]) -> Iterator[_Seen]:
    """The scripts under ``root``, each directory once, whatever links there are; ``closed`` gets the unreadable."""
    pending, above = [("", root)], set[tuple[int, int]]()
    while pending:
        prefix, directory = pending.pop()
        try:
            status = os.stat(directory)  # noqa: PTH116 - a third of the time of a nothing-changed refresh
            if (status.st_dev, status.st_ino) in above:
                continue
            above.add((status.st_dev, status.st_ino))
            with os.scandir(directory) as entries:
                for entry in entries:
                    if entry.name.endswith(_SUFFIXES):
                        yield from _script(prefix, entry)
                    elif entry.is_dir():
                        pending.append((f"{prefix}{entry.name}/", entry.path))
        except OSError:
            closed.append(directory)


def _script(prefix: str, entry: os.DirEntry[str]) -> Iterator[_Seen]:
    with suppress(OSError):
        if entry.is_file():
            status = entry.stat()
            path = os.fsencode(prefix + entry.name).decode("utf-8", "replace")
            yield _Seen(path, status.st_size, status.st_mtime_ns, status.st_ctime_ns)


def _in_memory() -> sqlite3.Connection:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    _prepare(connection)
    return connection


def _connected(index: Path) -> tuple[sqlite3.Connection, list[str]]:
    """A connection to the index file, made or made anew where need be, or to memory; and what was wrong."""
    try:
        index.parent.mkdir(parents=True, exist_ok=True)
        return _opened(index), []
    except sqlite3.DatabaseError as error:
        return _replaced(index, error)
    except OSError as error:
        return _in_memory(), [f"the index {index} cannot be written ({error.strerror}): the tree is read anew"]


def _replaced(index: Path, error: sqlite3.DatabaseError) -> tuple[sqlite3.Connection, list[str]]:
    """A new index in place of one that ``error`` says is damaged or foreign; in memory where it cannot be written."""
    aside = index.with_name(f"{index.name}.{time.time_ns()}.damaged")
    if not isinstance(error, sqlite3.OperationalError):  # those say: locked, read-only, disk full
        with suppress(OSError, sqlite3.DatabaseError):
            index.replace(aside)
            return _opened(index), [
                f"{index} was no sound index ({error}): it is now {aside.name}, the tree is read anew"
            ]
    return _in_memory(), [f"the index {index} cannot be used ({error}): the tree is read anew"]


def _opened(index: Path) -> sqlite3.Connection:
    """The index in this file. Raises sqlite3.DatabaseError where it is damaged, or is somebody else's."""
    connection = sqlite3.connect(index, timeout=_WAIT_SECONDS, isolation_level=None)
    try:
        _prepare(connection)
        connection.execute("SELECT count(*) FROM script").fetchone()
    except BaseException:
        connection.close()
        raise
    return connection


def _prepare(connection: sqlite3.Connection) -> None:
    [application] = connection.execute("PRAGMA application_id").fetchone()
    [scheme] = connection.execute("PRAGMA user_version").fetchone()
    if (application, scheme) == (_APPLICATION, INDEX_SCHEME):
        return
    with _transaction(connection):
        tables = [name for [name] in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        if tables and application != _APPLICATION:
            raise sqlite3.OperationalError("it is a database of another program")  # which may be at work: it stays
        if connection.execute("PRAGMA user_version").fetchone() == (INDEX_SCHEME,):
            return  # another process was faster
        for table in tables:
            connection.execute(f'DROP TABLE "{table}"')
        for statement in filter(str.strip, _TABLES.split(";")):
            connection.execute(statement)
        connection.execute(f"PRAGMA application_id = {_APPLICATION}")
        connection.execute(f"PRAGMA user_version = {INDEX_SCHEME}")


@contextmanager
def _transaction(connection: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield connection
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


def _remove(connection: sqlite3.Connection, paths: Sequence[str]) -> None:
    if not paths:
        return
    connection.execute("CREATE TEMP TABLE IF NOT EXISTS gone (id INTEGER PRIMARY KEY)")
    connection.execute("DELETE FROM gone")
    connection.executemany(
        "INSERT OR IGNORE INTO gone SELECT id FROM script WHERE path = ?", [(path,) for path in paths]
    )
    for table in ("statement", "block"):
        connection.execute(f"DELETE FROM {table} WHERE script IN (SELECT id FROM gone)")  # noqa: S608
    connection.execute("DELETE FROM script WHERE id IN (SELECT id FROM gone)")


def _insert(connection: sqlite3.Connection, rows: Iterable[tuple[tuple[object, ...], BuiltRows]]) -> None:
    statements: list[tuple[int, ...]] = []
    blocks: list[tuple[int, ...]] = []
    for head, (tail, of_statements, of_blocks) in rows:
        cursor = connection.execute("INSERT INTO script VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", (*head, *tail))
        identity = cursor.lastrowid or 0
        statements += [(*key, identity, *rest) for key, rest in of_statements]
        blocks += [(*key, identity, *rest) for key, rest in of_blocks]
    statements.sort()
    blocks.sort()
    connection.executemany("INSERT INTO statement VALUES (?, ?, ?, ?, ?, ?)", statements)
    connection.executemany("INSERT INTO block VALUES (?, ?, ?, ?, ?, ?, ?, ?)", blocks)
