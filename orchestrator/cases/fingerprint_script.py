"""A script as fingerprints: each statement, each block (set-up, statements, checks), and the whole.

A block starts where a script sets up anew after it has checked something: CREATE TABLE, DATABASE or ACCOUNT, USE, or a
DROP … IF EXISTS that clears the way. What drops things after the checks belongs to the block before.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

from orchestrator.cases.fingerprint import (
    Fingerprint,
    Statement,
    Typed,
    joined_fingerprint,
    numbered_fingerprint,
    read_statements,
    with_types,
)
from orchestrator.cases.script import Script
from orchestrator.cases.sql.ddl import Tables

_CHECKS = frozenset(
    {"select", "show", "desc", "describe", "explain", "with", "values", "(", "execute", "table", "analyze"}
)
_SETS_UP = frozenset({"table", "database", "account", "temporary", "external", "cluster", "dynamic"})
#: Distinct texts that are remembered while many scripts are read.
_MOST_REMEMBERED = 100_000


class Placed(NamedTuple):
    """A statement in its script: the line it ends on, 1-based as reports name it, and its session."""

    typed: Typed
    line: int
    session: int


@dataclass(frozen=True, slots=True)
class Block:
    """The statements ``first`` to ``last`` (exclusive) of a script and their fingerprint; lines are 1-based.

    ``checks`` says whether any of them asks for something: without, the block only sets up or clears away.
    """

    first: int
    last: int
    first_line: int
    last_line: int
    fingerprint: Fingerprint
    checks: bool


@dataclass(frozen=True, slots=True)
class ReadScript:
    """A script's statements in order, its blocks, and the fingerprint of the whole."""

    path: str
    statements: tuple[Placed, ...]
    blocks: tuple[Block, ...]
    fingerprint: Fingerprint


class Reader:
    """Reads scripts one after another and remembers what equal texts came to.

    ``slim`` keeps of each statement only what fingerprints need, for whoever reads a corpus.
    """

    def __init__(self, *, slim: bool = False) -> None:
        self.slim = slim
        self._known: dict[str, tuple[Statement, ...]] = {}

    def read(self, script: Script) -> ReadScript:
        """The fingerprints of ``script``."""
        found: list[Statement] = []
        lines: list[int] = []
        sessions: list[int] = []
        for command in script.commands:
            sql = command.sql
            statements = self._known.get(sql) or self._remember(sql)
            found += statements
            lines += [command.line] * len(statements)
            sessions += [command.connection] * len(statements)
        placed = list(map(Placed, with_types(found, Tables()), lines, sessions))
        bounds = [0, *_starts(placed), len(placed)] if placed else []
        blocks: list[Block] = []
        parts: list[tuple[Fingerprint, Iterable[str]]] = []
        for first, last in pairwise(bounds):
            names: dict[str, int] = {}
            block = _block(placed[first:last], first, names)
            blocks.append(block)
            parts.append((block.fingerprint, names))
        return ReadScript(script.path, tuple(placed), tuple(blocks), joined_fingerprint(parts))

    def _remember(self, sql: str) -> tuple[Statement, ...]:
        statements = read_statements(sql, slim=self.slim)
        if len(self._known) >= _MOST_REMEMBERED:
            self._known.clear()
        self._known[sql] = statements
        return statements


def _starts(placed: Sequence[Placed]) -> Iterable[int]:
    """Where blocks after the first start."""
    checked = False
    for number, one in enumerate(placed):
        codes = one.typed.statement.shape.codes
        if codes[0] in _CHECKS:
            checked = True
        elif checked and _opens(codes):
            checked = False
            yield number


def _opens(codes: Sequence[str]) -> bool:
    if codes[0] == "create":
        return not _SETS_UP.isdisjoint(codes[1:2])
    return codes[0] == "use" or (codes[0] == "drop" and codes[2:3] == ("if",))


def _block(part: Sequence[Placed], first: int, names: dict[str, int]) -> Block:
    typed, lines, sessions = zip(*part, strict=True)
    same = () if len(set(sessions)) == 1 else sessions
    checks = any(one.statement.shape.codes[0] in _CHECKS for one in typed)
    return Block(first, first + len(part), lines[0], lines[-1], numbered_fingerprint(typed, same, names), checks)
