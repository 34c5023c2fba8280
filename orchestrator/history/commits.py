"""The commits of a clone, oldest first: time and changed paths, in one stream of ``git log``."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from orchestrator.diff.git import Git, failed


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
    #: Committer's time in seconds since 1970.
    time: int
    entries: tuple[Entry, ...]


def read_commits(git: Git, head: str, after: str | None = None) -> list[Commit]:
    """The first-parent line that ends in ``head``, oldest first; with ``after`` only what is newer than it.

    Raises:
        WorkspaceError: a commit or folder of the line is not in the clone.
    """
    line = [head, f"^{after}"] if after else [head]
    done = git.run(
        "log",
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
    found = [_commit(record) for record in done.stdout.split(b"\x02")[1:]]
    return found[::-1]


def read_difference(git: Git, before: str, after: str, under: str) -> tuple[Entry, ...]:
    """What is to be done below a folder to the tree of one commit to make it that of another.

    Raises:
        WorkspaceError: a commit or folder is not in the clone.
    """
    done = git.run("diff-tree", "-r", "--raw", "--no-renames", "--no-abbrev", "-z", before, after, "--", under)
    if done.returncode:
        raise failed("two trees cannot be compared", done.stderr)
    return tuple(_entries(done.stdout.split(b"\0")))


def _commit(record: bytes) -> Commit:
    head, *fields = record.split(b"\0")
    sha, time, *parents = head.decode().split()
    return Commit(sha, parents[0] if parents else "", int(time), tuple(_entries(fields)))


def _entries(fields: list[bytes]) -> Iterator[Entry]:
    """Fields come in pairs: ``:mode mode id id status``, path; an empty one separates them from what is around."""
    rest = iter(field for field in fields if field)
    for line in rest:
        path = next(rest, None)
        if path is not None and line.lstrip(b"\n").startswith(b":"):
            _, _, old, new, status = line.lstrip(b"\n")[1:].decode().split()
            yield Entry(status[:1], old, new, path.decode("utf-8", "surrogateescape"))
