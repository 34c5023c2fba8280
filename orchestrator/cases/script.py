"""A case script (``.sql`` or ``.test``): its commands, each with the directives that govern it.

The format is mo-tester's, bug for bug (matrixorigin/mo-tester at b95f5c0): where a rule looks odd it is the original's,
because every recorded expectation depends on it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

#: How the cells of a legacy result are told apart: ``both``, ``table`` (tab), ``space`` (four blanks), else not at all.
Separator = str
WaitOperation = Literal["commit", "rollback"]


@dataclass(frozen=True, slots=True)
class Wait:
    """``-- @wait:N:op``: end the transaction of ``connection`` before the command runs."""

    connection: int
    operation: WaitOperation


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


@dataclass(frozen=True, slots=True)
class Command:
    """One unit sent to the server: SQL text as the format joins it, and what the directives say about it.

    ``line`` is the 1-based number of its last line (the name every report uses), ``first_line`` of its first. ``user``
    and ``password`` are None for the default account. ``issue`` is set where ``ignore`` is.
    """

    sql: str
    line: int
    first_line: int
    connection: int = 0
    user: str | None = None
    password: str | None = None
    use_db: str = ""
    ignore: bool = False
    issue: str | None = None
    separator: Separator = "both"
    pattern: bool = False
    sortkeys: tuple[int, ...] = ()
    ignore_columns: tuple[int, ...] = ()
    regexes: tuple[Regex, ...] = ()
    sleep: int = 0
    system: tuple[str, ...] = ()
    wait: Wait | None = None
    metacmp: bool | None = None
    wait_expect: WaitExpect | None = None


@dataclass(frozen=True, slots=True)
class Problem:
    """A directive that cannot be read. mo-tester dies there; here the directive is left out and parsing goes on."""

    path: str
    line: int
    directive: str
    reason: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.directive}: {self.reason}"


@dataclass(frozen=True, slots=True)
class Script:
    """A parsed script. ``path`` is as the caller spelled it; ``use_db`` the database named after the file."""

    path: str
    commands: tuple[Command, ...]
    skipped: bool = False
    use_db: str = ""
    doc_metacmp: bool | None = None
    problems: tuple[Problem, ...] = ()


def parse_script(text: str, path: str, *, ignore_issues: bool = False) -> Script:
    """The commands of ``text`` (decoded as UTF-8, a BOM kept). ``ignore_issues`` honours ``-- @bvt:issue#N`` marks."""
    raise NotImplementedError
