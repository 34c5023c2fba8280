"""The commits of a clone, oldest first: time and changed paths, from ``git log`` in pieces."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from orchestrator.diff.git import Git, failed
from orchestrator.history.past import LATEST

#: So many commits are asked for at once: what git may answer is bounded, and a long history says more than that.
_PIECE = 1000


class Entry(NamedTuple):
    """One changed path: status ``A``, ``M``, ``D`` or ``T``, and the blobs before and after (zeros: none)."""

    status: str
    old: str
    new: str
    path: str


@dataclass(frozen=True, slots=True)
class Commit:
    """One commit of the first-parent line."""

    sha: str
    #: Empty for a root.
    parent: str
    #: Committer's time in seconds since 1970, as far as a calendar can show it.
    time: int
    entries: tuple[Entry, ...]


def read_commits(git: Git, head: str, after: str | None = None) -> list[Commit]:
    """The first-parent line that ends in ``head``, oldest first; with ``after`` only what is newer than it.

    Raises:
        WorkspaceError: a commit or folder of the line is not in the clone.
    """
    found: list[Commit] = []
    while head:
        piece = _read_piece(git, head, after)
        found += piece
        head = piece[-1].parent if len(piece) == _PIECE else ""
    return found[::-1]


def _read_piece(git: Git, head: str, after: str | None) -> list[Commit]:
    """The newest of the line that ends in ``head``, newest first."""
    line = [head, f"^{after}"] if after else [head]
    done = git.run(
        "log",
        f"--max-count={_PIECE}",
        "--first-parent",
        "-m",
        "--raw",
        "--no-renames",
        "--no-abbrev",
        "-z",
        "--format=%x02%H %ct %P",
        *line,
        "--",
    )
    if done.returncode:
        raise failed("the history cannot be read", done.stderr)
    return list(_commits(done.stdout.split(b"\0")))


def read_difference(git: Git, before: str, after: str, under: str) -> tuple[Entry, ...]:
    """What is to be done below a folder to the tree of one commit to make it that of another.

    Raises:
        WorkspaceError: a commit or folder is not in the clone.
    """
    done = git.run("diff-tree", "-r", "--raw", "--no-renames", "--no-abbrev", "-z", before, after, "--", under)
    if done.returncode:
        raise failed("two trees cannot be compared", done.stderr)
    return tuple(_entries(done.stdout.split(b"\0")))


def _commits(fields: Iterable[bytes]) -> Iterator[Commit]:
    """A field ``\\x02id time parents`` begins a commit; its paths follow, whatever they hold."""
    rest = iter(fields)
    head, entries = b"", list[Entry]()
    for one in rest:
        line = one.lstrip(b"\n")
        if line.startswith(b":"):
            entries.append(_entry(line, next(rest)))
        elif line.startswith(b"\x02"):
            if head:
                yield _commit(head, entries)
            head, entries = line[1:], []
    if head:
        yield _commit(head, entries)


def _commit(head: bytes, entries: Iterable[Entry]) -> Commit:
    sha, time, *parents = head.decode().split()
    return Commit(sha, parents[0] if parents else "", max(0, min(int(time), LATEST)), tuple(entries))


def _entries(fields: Iterable[bytes]) -> Iterator[Entry]:
    """Fields come in pairs: ``:mode mode id id status``, path."""
    rest = iter(field for field in fields if field)
    for line in rest:
        yield _entry(line, next(rest))


def _entry(line: bytes, path: bytes) -> Entry:
    _, _, old, new, status = line[1:].decode().split()
    return Entry(status[:1], old, new, path.decode("utf-8", "surrogateescape"))
