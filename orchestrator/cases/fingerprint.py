"""Fingerprints of SQL: digests that are equal for what a tester calls the same.

Three levels, each of them wider: *exact* (without white space, comments, case), *shape* (names renamed, with the column type
that the script's DDL gives them; literals by class) and the *bag* of a statement's codes, which any reordering keeps:
an unequal bag says that two statements differ, an equal one that their trees must be compared (`dedup`).

Digests are SHA-256 over `SCHEME` and the codes. Whoever changes what a digest stands for, in this module or in
``sql/``, raises `SCHEME`, and every index is built anew.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from orchestrator.cases.sql.ddl import Effect, Tables, effect_of
from orchestrator.cases.sql.lexer import split_statements
from orchestrator.cases.sql.statement import Shape, shape_of, spelled

SCHEME: Final = 1
_MASK = 2**64 - 1


class Statement(NamedTuple):
    """One statement, read: its tokens without comments, its shape, and what it does to tables.

    ``exact`` and ``same_shape`` are SHA-256 digests, the latter without the types of names; ``bag`` is 64 bits.
    """

    tokens: tuple[str, ...]
    shape: Shape
    exact: bytes
    same_shape: bytes
    bag: int
    effect: Effect | None


class Fingerprint(NamedTuple):
    """Two SHA-256 digests and the 64 bits of the bag: of a statement, a block or a whole script."""

    exact: bytes
    shape: bytes
    bag: int


class Typed(NamedTuple):
    """A statement and the types that the DDL before it gives its names (`Tables.types_of`)."""

    statement: Statement
    types: tuple[str, ...]

    @property
    def digest(self) -> bytes:
        """SHA-256 of the shape with its types."""
        if not self.types:
            return self.statement.same_shape
        return _sha256(self.statement.same_shape + "\0".join(self.types).encode("utf-8", "surrogatepass"))


def _sha256(content: bytes) -> bytes:
    return hashlib.sha256(content).digest()


def _digest(kind: str, text: str) -> bytes:
    return _sha256(f"{SCHEME}\0{kind}\0{text}".encode("utf-8", "surrogatepass"))


def read_statement(tokens: Sequence[str]) -> Statement:
    """A statement from its tokens (at least one)."""
    shape = shape_of(tokens)
    return Statement(
        tuple(tokens),
        shape,
        _digest("exact", spelled(tokens)),
        _digest("shape", shape.text),
        shape.bag,
        effect_of(tokens),
    )


def read_statements(text: str) -> tuple[Statement, ...]:
    """The statements of ``text``, of any length and content. Comments are no part of them, hints are."""
    return tuple([read_statement(tokens) for tokens in split_statements(text)])


def with_types(statements: Iterable[Statement], tables: Tables) -> list[Typed]:
    """Each statement with the types its names have where it stands. ``tables`` is what was there before; it changes."""
    typed = []
    for statement in statements:
        typed.append(Typed(statement, tables.types_of(statement.shape) if tables.columns else ()))
        if statement.effect is not None:
            tables.apply(statement.effect)
    return typed


def fingerprint(text: str, context: str = "") -> Fingerprint:
    """The fingerprint of a text of one or more statements. ``context`` is DDL that only gives names their types."""
    tables = Tables()
    with_types(read_statements(context), tables)
    return sequence_fingerprint(with_types(read_statements(text), tables))


def sequence_fingerprint(sequence: Sequence[Typed], sessions: Sequence[int] = ()) -> Fingerprint:
    """The fingerprint of statements in a row: names keep their identity from one to the next.

    ``sessions`` are the connections the statements run on, which count by where they change, not by number.
    """
    names: dict[str, int] = {}
    order: dict[int, int] = {}
    exact, shape, bag = hashlib.sha256(), hashlib.sha256(), 0
    for place, typed in enumerate(sequence):
        statement = typed.statement
        exact.update(statement.exact)
        numbers = [names.setdefault(name, len(names)) for name in statement.shape.names]
        session = order.setdefault(sessions[place], len(order)) if sessions else 0
        shape.update(typed.digest)
        shape.update(repr((session, numbers)).encode())
        bag = (bag * 1_000_003 + statement.bag + session) & _MASK
    return Fingerprint(exact.digest(), shape.digest(), bag)
