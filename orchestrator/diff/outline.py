"""Changed Go functions from the hunks of a diff alone: the best reading when no repository is at hand.

Go is laid out by gofmt, so the first column tells what a line is: ``func`` there starts a function, ``}`` there ends
it, another declaration there is outside of all functions, and an indented line is inside of whatever was open. Git's
hunk heading (the last line before the hunk, in the *old* file, that starts with a letter) says what is open at the
start; whether it still is, the first lines of the hunk tell. Old and new file are followed apart.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from enum import Enum

from orchestrator.diff.hunks import Hunk

_FUNC = re.compile(rb"func\s*(?:\(([^)]*)\)\s*)?([\w\x80-\xff]+)\s*[(\[]")
_DECLARATION = re.compile(rb"(?:type|var|const|import|package|func)\b")
_BRACKETS = re.compile(rb"\[.*\]|/\*.*?\*/", re.DOTALL)
_WORD = re.compile(rb"[\w\x80-\xff]+")
_COMMENT = re.compile(rb"\s*//.*$")
#: Git cuts a hunk heading after 80 bytes (``func_line`` in diff.c), then drops blanks at its end.
_HEADING_LIMIT = 78
#: No line that a person wrote is longer; regular expressions see no more of one.
_LONGEST = 1000


def function_name(receiver: bytes | None, name: bytes) -> str:
    """``Func``, or ``Receiver.Method`` with the bare type name; ``receiver`` is the text between its parentheses."""
    plain = name.decode("utf-8", "replace")
    if receiver is None:
        return plain
    words = _WORD.findall(_BRACKETS.sub(b"", receiver[:_LONGEST]))
    return f"{words[-1].decode('utf-8', 'replace')}.{plain}" if words else plain


def changed_in_hunks(hunks: Iterable[Hunk]) -> set[str]:
    """Names of the functions that the hunks of one Go file change, as well as they can be told."""
    old, new = _Side(), _Side()
    for hunk in hunks:
        _start(hunk.heading, old, new)
        for line in hunk.lines:
            mark, text = line[:1], line[1:].rstrip()
            if mark != b"+":
                old.feed(text, changed=mark == b"-")
            if mark != b"-":
                new.feed(text, changed=mark == b"+")
        old.pause()
        new.pause()
    return old.touched | new.touched


def changed_in_lines(headings: Iterable[bytes], lines: Iterable[bytes]) -> set[str]:
    """Names of functions in hunks without context: those git's headings name, and those declared in changed lines."""
    found = (_FUNC.match(line[:_LONGEST]) for line in (*headings, *lines) if line.startswith(b"func"))
    return {function_name(match[1], match[2]) for match in found if match}


def _start(heading: bytes, old: _Side, new: _Side) -> None:
    """Say what both sides are in at the start of a hunk.

    The heading is of the old file. When the hunk before this one left the old side in that very function and the new
    side in another (renamed, or split), the new side goes on in its own. A heading that is no declaration is a label
    or a line of a raw string: it hides the function, and whatever was open stays open.
    """
    if heading and not _DECLARATION.match(heading):
        return
    opened = _Side()
    opened.feed(heading.rstrip(), changed=False)
    opened.open = opened.open or len(heading) >= _HEADING_LIMIT
    if not (old.function == opened.function and old.open and new.open):
        new.function, new.open = opened.function, opened.open
    old.function, old.open = opened.function, opened.open


class _Kind(Enum):
    """What the first column says of a line."""

    FUNCTION = 1
    OTHER = 2
    CLOSE = 3
    INSIDE = 4
    COMMENT = 5
    UNSURE = 6


class _Side:
    """The old or the new file, as far as its lines have been seen."""

    def __init__(self) -> None:
        self.touched: set[str] = set()
        #: The function begun last; ``None`` after another declaration.
        self.function: str | None = None
        #: Whether no end of it was seen yet.
        self.open = False
        #: A changed blank or odd line, whose place the next telling line decides.
        self._pending = False
        self._pending_comment = False
        self._in_comment = False

    def feed(self, text: bytes, *, changed: bool) -> None:
        """Take the next line."""
        kind = _Kind.COMMENT if self._in_comment else _kind(text)
        if self._in_comment or text.startswith(b"/*"):
            self._in_comment = b"*/" not in text
        if kind is _Kind.UNSURE:
            self._pending |= changed
        elif kind is _Kind.COMMENT:
            self._pending_comment |= changed
        elif kind in (_Kind.FUNCTION, _Kind.OTHER):
            self._declare(text, kind, changed)
        else:
            # After a `}` and no new declaration an indented line says that the `}` was text in a raw string.
            if (changed or self._pending or self._pending_comment) and self.function:
                self.touched.add(self.function)
            self.open = kind is _Kind.INSIDE
            self._pending = self._pending_comment = False

    def pause(self) -> None:
        """Come to the end of a hunk: what is still pending lies in the function that is open."""
        if self._pending and self.open and self.function:
            self.touched.add(self.function)
        self._pending = self._pending_comment = self._in_comment = False

    def _declare(self, text: bytes, kind: _Kind, changed: bool) -> None:
        match = _FUNC.match(text) if kind is _Kind.FUNCTION else None
        self.function = function_name(match[1], match[2]) if match else None
        self.open = match is not None and _goes_on(text)
        self._pending = self._pending_comment = False
        if changed and self.function:
            self.touched.add(self.function)


def _kind(text: bytes) -> _Kind:
    first = text[:1]
    if not first:
        return _Kind.UNSURE
    if first in b"\t ":
        return _Kind.INSIDE
    if first == b"}":
        return _Kind.CLOSE
    if text.startswith((b"//", b"/*", b"*/")):
        return _Kind.COMMENT
    if _DECLARATION.match(text):
        return _Kind.FUNCTION if text.startswith(b"func") else _Kind.OTHER
    return _Kind.UNSURE


def _goes_on(text: bytes) -> bool:
    """Whether a function goes on after its first line: not when its braces are closed, or it has no body."""
    code = _COMMENT.sub(b"", text[:_LONGEST])
    return code.endswith((b"{", b"(", b",", b"[")) or code.count(b"{") > code.count(b"}")
