"""What a pull request changes, down to the function."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

#: The greatest number of a pull request that the history can hold.
MAX_PULL = 2**31 - 1


def pull_of(name: str) -> int | None:
    """The number of a pull request that a name of a run is, None for what is an id or the beginning of one.

    A number is never the beginning of an id: ids start with the month and the day, and an order for pull request 11
    must not meet a run of November. One beyond `MAX_PULL` is 0, which no pull request has.
    """
    if not name.isdecimal():
        return None
    return int(name) if len(name) <= len(str(MAX_PULL)) and int(name) <= MAX_PULL else 0


class ChangeKind(StrEnum):
    """How a file changed; a mode-only change counts as modified, a copy as added."""

    ADDED = "added"
    MODIFIED = "modified"
    DELETED = "deleted"
    RENAMED = "renamed"


@dataclass(slots=True)
class FileLines:
    """The lines of one file that a diff takes out and puts in, and the headings of its hunks; all undecoded."""

    deleted: list[bytes] = field(default_factory=list)
    added: list[bytes] = field(default_factory=list)
    headings: list[bytes] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class FileChange:
    """One changed file.

    ``path`` is the real, unquoted path in the new tree (the old one for a deleted file), with ``/`` between its
    parts; bytes that are not UTF-8 are kept as surrogate escapes inside the program and written as U+FFFD in JSON.
    """

    path: str
    change_kind: ChangeKind
    #: Directory of a Go file (``pkg/sql/plan``; ``.`` at the root), ``None`` for any other file.
    package: str | None = None
    #: ``Func`` or ``Receiver.Method`` touched by the change, sorted, each once. Go files only.
    functions: tuple[str, ...] = ()
    #: Lines added and deleted; 0 for binary files.
    added: int = 0
    deleted: int = 0
    #: The path before a rename, else ``None``.
    old_path: str | None = None
    binary: bool = False
    #: The changed lines of a source file, for those who read them; no part of a plan.
    lines: FileLines | None = field(default=None, compare=False, repr=False)

    @property
    def is_go(self) -> bool:
        """Whether the Go toolchain would read this file."""
        return self.path.endswith(".go")


@dataclass(frozen=True, slots=True)
class DiffSummary:
    """A whole change: its files in path order and where it comes from."""

    files: tuple[FileChange, ...]
    pr_number: int | None = None
    base_branch: str | None = None
    head_branch: str | None = None
    #: Commit ids (40 hex digits) when the change was read from a repository.
    base_commit: str | None = None
    head_commit: str | None = None
    #: Commit time of the head, ISO 8601 in UTC, when the change was read from a repository.
    head_time: str | None = None
    #: What the reader could not make sense of and skipped, in words.
    warnings: tuple[str, ...] = field(default=())

    @property
    def total_added(self) -> int:
        """Lines added in all files."""
        return sum(file.added for file in self.files)

    @property
    def total_deleted(self) -> int:
        """Lines deleted in all files."""
        return sum(file.deleted for file in self.files)
