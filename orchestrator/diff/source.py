"""Where a diff comes from, and the one way from there to a `DiffSummary`.

`from_text` for the bytes of a diff, `from_file` for a file or ``-``, `from_repository` for two revisions.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path

from orchestrator.diff.outline import changed_in_hunks
from orchestrator.diff.paths import decode, is_outside
from orchestrator.diff.unified import FileDiff, parse
from orchestrator.domain.change import ChangeKind, DiffSummary, FileChange, FileLines
from orchestrator.domain.errors import BadDiffError

_HOW = "Make one with `git diff -M BASE...HEAD`, or name base and head instead."


def from_file(name: str) -> DiffSummary:
    """Read the diff in a file, or on standard input when ``name`` is ``-``.

    Raises:
        BadDiffError: the file cannot be read, is no diff, or is damaged.
    """
    return from_text(read_diff(name))


def read_diff(name: str) -> bytes:
    """The bytes of a diff: of a file, or of standard input when ``name`` is ``-``.

    Raises:
        BadDiffError: the file cannot be read.
    """
    if name == "-" and sys.stdin is None:
        raise BadDiffError("standard input is closed", "Pipe a diff into this command, or name its file.")
    try:
        return sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise BadDiffError(f"the diff {name!r} cannot be read: {reason}", "Check its path and its rights.") from error


def from_text(data: bytes) -> DiffSummary:
    """Read the text of a unified diff; functions are the best reading of its hunks.

    An empty text is a change without files, and a warning says so.

    Raises:
        BadDiffError: the text is no diff, or is damaged.
    """
    warnings: list[str] = []
    files = parse(data.removeprefix(b"\xef\xbb\xbf"), warnings)
    changes = [_change(file, changed_in_hunks(file.hunks)) for file in files]
    if not changes and data.strip():
        raise BadDiffError(f"this is no diff: {_what_it_is(data)}", _HOW)
    if not changes:
        warnings.append("the diff is empty: nothing changed")
    return _summary(changes, warnings)


def from_repository(directory: Path | str, base: str, head: str) -> DiffSummary:
    """Read the change that ``git diff -M base...head`` shows, and its functions from the real old and new files.

    Raises:
        UnknownRunError: a revision is not known.
        WorkspaceError: ``directory`` is no repository, or lacks what the diff needs.
        ToolMissingError: there is no git on this host.
    """
    import dataclasses

    from orchestrator.diff.repository import read_repository

    found = read_repository(Path(directory), base, head)
    changes = [_change(file, functions) for file, functions in found.files]
    warnings = found.warnings if changes else [*found.warnings, f"nothing changed between {base!r} and {head!r}"]
    return dataclasses.replace(
        _summary(changes, warnings),
        base_commit=found.revisions.base,
        head_commit=found.revisions.head,
        head_time=found.head_time,
    )


def _what_it_is(data: bytes) -> str:
    start = data[:8192]
    if start.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "it is UTF-16 text, which a redirection in PowerShell makes; `git diff --output=FILE` does not"
    if b"\0" in start:
        return "it is binary data"
    if b"\x1b[" in start:
        return "it is coloured for a terminal; add --no-color"
    if start.startswith(b"*** ") or b"\n*** " in start:
        return "it is a context diff; make a unified one (`diff -u`)"
    return "no line of it starts a file (`diff --git`, or `---` and `+++`)"


def _change(file: FileDiff, functions: set[str]) -> FileChange:
    path = decode(file.path)
    package = (path.rpartition("/")[0] or ".") if path.endswith(".go") else None
    return FileChange(
        path=path,
        change_kind=file.kind,
        package=package,
        functions=tuple(sorted(functions)) if package else (),
        added=file.added,
        deleted=file.deleted,
        old_path=decode(file.old_path) if file.old_path is not None else None,
        binary=file.binary,
        lines=_lines(file),
    )


def _lines(file: FileDiff) -> FileLines | None:
    if not file.hunks:
        return None
    marked = [line for hunk in file.hunks for line in hunk.lines]
    return FileLines(
        [line[1:].rstrip(b"\r\n") for line in marked if line[:1] == b"-"],
        [line[1:].rstrip(b"\r\n") for line in marked if line[:1] == b"+"],
        [hunk.heading for hunk in file.hunks],
    )


def _summary(changes: Iterable[FileChange], warnings: list[str]) -> DiffSummary:
    merged: dict[str, FileChange] = {}
    for change in changes:
        earlier = merged.get(change.path)
        merged[change.path] = _merge(earlier, change) if earlier else change
    files = tuple(merged[path] for path in sorted(merged))
    warnings += [f"the path {file.path!r} leads out of the tree" for file in files if is_outside(file.path)]
    return DiffSummary(files=files, warnings=tuple(warnings))


def _merge(earlier: FileChange, later: FileChange) -> FileChange:
    """Two changes of one path, as a series of patches has them, or one that turned a file into a link."""
    kind = later.change_kind
    if earlier.change_kind is ChangeKind.DELETED and kind is ChangeKind.ADDED:
        kind = ChangeKind.MODIFIED
    elif kind is ChangeKind.MODIFIED:
        kind = earlier.change_kind
    return FileChange(
        path=later.path,
        change_kind=kind,
        package=later.package,
        functions=tuple(sorted({*earlier.functions, *later.functions})),
        added=earlier.added + later.added,
        deleted=earlier.deleted + later.deleted,
        old_path=later.old_path or earlier.old_path,
        binary=earlier.binary or later.binary,
        lines=_joined(earlier.lines, later.lines),
    )


def _joined(earlier: FileLines | None, later: FileLines | None) -> FileLines | None:
    """The lines of both; those of a long series are never copied."""
    if earlier is None or later is None:
        return earlier or later
    earlier.deleted += later.deleted
    earlier.added += later.added
    earlier.headings += later.headings
    return earlier
