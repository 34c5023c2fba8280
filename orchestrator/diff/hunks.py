"""Hunks of a unified or combined diff, read by the line counts of their headings."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from orchestrator.domain.errors import BadDiffError

_HEADING = re.compile(rb"@@ -(\d{1,9})(?:,(\d{1,9}))? \+(\d{1,9})(?:,(\d{1,9}))? @@ ?(.*)")
_COMBINED = re.compile(rb"(@@@+)((?: -\d{1,9}(?:,\d{1,9})?)+) \+(\d{1,9})(?:,(\d{1,9}))? @@@+ ?(.*)")


class Lines:
    """The lines of a diff, one at a time: 50 MB are never held twice."""

    def __init__(self, data: bytes) -> None:
        self._lines = iter(io.BytesIO(data))
        self.number = 0
        self.current = b""
        self.ended = False
        #: At the end: whether the last line lacks its line end, as it does when a diff was cut off.
        self.unfinished = False
        self.advance()

    def advance(self) -> None:
        """Go to the next line; at the end ``current`` is empty and ``ended`` is set."""
        line = next(self._lines, b"")
        if not line:
            self.ended = True
            self.unfinished = not self.current.endswith(b"\n")
        self.current = line
        self.number += 1

    @property
    def text(self) -> bytes:
        """The current line without its end, be it ``\\n`` or ``\\r\\n``."""
        return self.current.rstrip(b"\r\n")


@dataclass(slots=True)
class Hunk:
    """One hunk: where it starts in both files, what git wrote behind its ``@@``, and its lines with their mark."""

    old_start: int
    new_start: int
    #: The last line before the hunk, in the old file, that starts with a letter; empty when there is none.
    heading: bytes = b""
    added: int = 0
    deleted: int = 0
    #: Each with ``+``, ``-`` or a space in front (a blank line may lack the space); only kept for source files.
    lines: list[bytes] = field(default_factory=list)

    def changed_lines(self) -> tuple[list[int], list[int]]:
        """Line numbers, from 1: those deleted in the old file, those added in the new one."""
        deleted: list[int] = []
        added: list[int] = []
        old, new = self.old_start, self.new_start
        for line in self.lines:
            mark = line[:1]
            if mark == b"+":
                added.append(new)
            elif mark == b"-":
                deleted.append(old)
            old += mark != b"+"
            new += mark != b"-"
        return deleted, added


def read_hunks(lines: Lines, keep: bool) -> Iterator[Hunk]:
    """Read the hunks that start at the current line.

    Raises:
        BadDiffError: a heading cannot be read, or the lines do not add up to it.
    """
    while lines.current.startswith(b"@@"):
        if match := _HEADING.match(lines.text):
            yield _read_hunk(lines, match, keep)
        elif match := _COMBINED.match(lines.text):
            yield _read_combined(lines, match, keep)
        else:
            raise damaged(lines, "a hunk heading cannot be read")
        if lines.current.startswith(b"\\"):
            lines.advance()


def damaged(lines: Lines, what: str) -> BadDiffError:
    """Say where a diff is broken and how to get a whole one."""
    where = "at its end" if lines.ended else f"at line {lines.number}"
    return BadDiffError(
        f"the diff is damaged {where}: {what}",
        "It was cut off or edited. Make it again with `git diff -M BASE...HEAD`, or name base and head instead.",
    )


def _read_hunk(lines: Lines, match: re.Match[bytes], keep: bool) -> Hunk:
    old, new = _count(match[2]), _count(match[4])
    hunk = Hunk(int(match[1]), int(match[3]), match[5])
    lines.advance()
    while old > 0 or new > 0:
        line = lines.current
        mark = line[:1]
        if mark == b"+":
            new -= 1
            hunk.added += 1
        elif mark == b"-":
            old -= 1
            hunk.deleted += 1
        elif mark == b" " or line in (b"\n", b"\r\n"):  # an editor or diff.suppressBlankEmpty took the space away
            old -= 1
            new -= 1
        elif mark != b"\\":
            raise damaged(lines, "a hunk is shorter than its heading says")
        if old < 0 or new < 0:
            raise damaged(lines, "a hunk does not add up to its heading")
        if keep and mark != b"\\":
            hunk.lines.append(line)
        lines.advance()
    return hunk


def _read_combined(lines: Lines, match: re.Match[bytes], keep: bool) -> Hunk:
    """Read a hunk with a column for each parent of a merge; a line is added or deleted when any column says so."""
    starts = [part.lstrip(b"-").partition(b",") for part in match[2].split()]
    left = [int(count or 1) for _, _, count in starts]
    parents, new = len(match[1]) - 1, _count(match[4])
    if parents != len(left):
        raise damaged(lines, "a hunk heading names another number of parents than it has marks")
    hunk = Hunk(int(starts[0][0]), int(match[3]), match[5])
    lines.advance()
    while new > 0 or any(count > 0 for count in left):
        marks = lines.current[:parents]
        if not lines.current.startswith(b"\\"):
            if len(marks) < parents or marks.strip(b" +-"):
                raise damaged(lines, "a hunk is shorter than its heading says")
            mark = b"-" if b"-" in marks else b"+" if b"+" in marks else b" "
            present = b"-"[0] if mark == b"-" else b" "[0]
            left = [count - (column == present) for count, column in zip(left, marks, strict=True)]
            new -= mark != b"-"
            hunk.added += mark == b"+"
            hunk.deleted += mark == b"-"
            if new < 0 or min(left) < 0:
                raise damaged(lines, "a hunk does not add up to its heading")
            if keep:
                hunk.lines.append(mark + lines.current[parents:])
        lines.advance()
    return hunk


def _count(digits: bytes | None) -> int:
    return 1 if digits is None else int(digits)
