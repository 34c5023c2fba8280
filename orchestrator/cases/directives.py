"""The comment lines that steer: ``-- @sortkey:0``, ``-- @session:id=1{`` and the others of mo-tester.

A directive is recognised by its exact beginning (two dashes, one blank, ``@``); everything else is a plain comment.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from orchestrator.cases.javaregex import compile_java
from orchestrator.cases.javatext import equals_ignore_case, parse_int, split, trim

_SKIP = "-- @skip:issue#"
_ISSUE = "-- @bvt:issue#"
_SESSION = "-- @session:"
_WAIT_OPERATIONS = {"commit", "rollback"}


@dataclass(frozen=True, slots=True)
class Wait:
    """``-- @wait:N:op``: ``commit`` or ``rollback`` the transaction of ``connection`` before the command runs."""

    connection: int
    operation: str


@dataclass(frozen=True, slots=True)
class WaitExpect:
    """``-- @wait_expect(interval, timeout)``: repeat until the result is the expected one. Seconds."""

    interval: int
    timeout: int


@dataclass(frozen=True, slots=True)
class Regex:
    """``-- @regex("pattern", include)``: the actual text must (or must not) contain a match. Java syntax."""

    pattern: str
    include: bool


#: Who speaks from here on: connection, user, password. None is the default account.
Session = tuple[int, str | None, str | None]
DEFAULT_SESSION: Session = (0, None, None)


@dataclass(slots=True)
class DirectiveState:
    """What the directives read so far say of the command being built (``pending``) and of those after it."""

    honour_issues: bool
    session: Session = DEFAULT_SESSION
    issue: str | None = None
    doc_metacmp: bool | None = None
    skipped: bool = False
    #: Fields of the next completed command, by the name `Command` gives them; those that add up are lists.
    pending: dict[str, Any] = field(default_factory=dict)

    def apply(self, line: str) -> None:
        """Read one trimmed comment line. Raises ValueError where it is a directive that cannot be read."""
        if line.startswith(_SKIP):
            self.skipped = True
        elif "@metacmp" in line:
            self._metacmp(line)
        else:
            if line.startswith(_ISSUE) and self.honour_issues:
                self.issue = line[len(_ISSUE) :]
            elif equals_ignore_case(line, "-- @bvt:issue"):
                self.issue = None
            self._statement(line)

    def _statement(self, line: str) -> None:
        for start, read in _STATEMENT_DIRECTIVES:
            if line.startswith(start):
                for name, value in read(line, line[len(start) :]).items():
                    if isinstance(value, list):
                        self.pending.setdefault(name, []).extend(value)
                    else:
                        self.pending[name] = value
                return
        if line.startswith(_SESSION):
            self.session = read_session(line[len(_SESSION) :], self.session)
        elif equals_ignore_case(line, "-- @session") or equals_ignore_case(line, "-- @session}"):
            self.session = DEFAULT_SESSION

    def _metacmp(self, line: str) -> None:
        start = line.find("(")
        end = line.find(")", max(start, 0))
        value = _boolean(trim(line[start + 1 : end])) if start >= 0 and end >= 0 else None
        if value is None:
            return
        if line.startswith("---"):
            self.doc_metacmp = value
        elif line.startswith("--"):
            self.pending["metacmp"] = value


def read_session(rest: str, current: Session) -> Session:
    """The session after ``-- @session:`` + ``rest``. What the line does not name keeps its current value."""
    connection, user, password = current
    rest = rest.removesuffix("{")
    if not rest:
        return 1, user, password
    for piece in rest.split("&"):
        if piece.startswith("id="):
            digits = piece[3:]
            connection = parse_int(digits) if digits.isascii() and digits.isdigit() else 1
        elif piece.startswith("user="):
            user = piece[5:] or None
        elif piece.startswith("password="):
            password = piece[9:] or None
    return connection, user, password


def _boolean(text: str) -> bool | None:
    if equals_ignore_case(text, "true"):
        return True
    return False if equals_ignore_case(text, "false") else None


def _integers(rest: str) -> list[int]:
    return [parse_int(trim(piece)) for piece in split(rest, ",")]


def _sleep(_line: str, rest: str) -> dict[str, Any]:
    return {"sleep": parse_int(rest)}


def _system(_line: str, rest: str) -> dict[str, Any]:
    return {"system": [rest]}


def _pattern(_line: str, _rest: str) -> dict[str, Any]:
    return {"pattern": True}


def _ignore(_line: str, rest: str) -> dict[str, Any]:
    return {"ignore_columns": _integers(rest) if rest else []}


def _sortkey(_line: str, rest: str) -> dict[str, Any]:
    return {"sortkeys": _integers(rest)}


def _separator(_line: str, rest: str) -> dict[str, Any]:
    return {"separator": rest}


def _wait(line: str, _rest: str) -> dict[str, Any]:
    pieces = split(line, ":")
    if len(pieces) != 3 or not pieces[1].isdecimal() or pieces[2].lower() not in _WAIT_OPERATIONS:
        return {}
    return {"wait": Wait(parse_int(pieces[1]), pieces[2].lower())}


def _regex(_line: str, rest: str) -> dict[str, Any]:
    rest = trim(rest)
    if not (rest.startswith("(") and rest.endswith(")")):
        raise ValueError('expected ("pattern", true) or ("pattern", false)')
    quoted, comma, flag = rest[1:-1].rpartition(",")
    if not comma:
        raise ValueError("the comma between pattern and true or false is missing")
    quoted = trim(quoted)
    if len(quoted) < 2 or quoted[0] not in "\"'" or quoted[-1] != quoted[0]:
        raise ValueError(f"the pattern must stand in quotes, and is {quoted}")
    include = _boolean(trim(flag))
    if include is None:
        raise ValueError(f"expected true or false after the pattern, not {trim(flag)}")
    compile_java(quoted[1:-1])
    return {"regexes": [Regex(quoted[1:-1], include)]}


def _wait_expect(_line: str, rest: str) -> dict[str, Any]:
    rest = trim(rest)
    pieces = split(trim(rest[1:-1]), ",")
    if not (rest.startswith("(") and rest.endswith(")")) or len(pieces) != 2:
        raise ValueError("expected (interval, timeout)")
    interval, timeout = (parse_int(trim(piece)) for piece in pieces)
    if not 0 < interval <= timeout:
        raise ValueError(f"interval {interval} and timeout {timeout} must hold 0 < interval <= timeout")
    return {"wait_expect": WaitExpect(interval, timeout)}


#: What a line and its rest say. A list is added to what lines before it said.
_Reader = Callable[[str, str], dict[str, Any]]
#: The first beginning that fits is the directive; ``-- @wait:`` and ``-- @wait_expect`` exclude each other.
_STATEMENT_DIRECTIVES: tuple[tuple[str, _Reader], ...] = (
    ("-- @sleep:", _sleep),
    ("-- @system ", _system),
    ("-- @pattern", _pattern),
    ("-- @ignore:", _ignore),
    ("-- @wait:", _wait),
    ("-- @sortkey:", _sortkey),
    ("-- @separator:", _separator),
    ("-- @regex", _regex),
    ("-- @wait_expect", _wait_expect),
)
