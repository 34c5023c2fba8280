"""Fingerprints of SQL: digests that are equal for what a tester calls the same.

Three levels, each of them wider: *exact* (without white space, comments, case), *shape* (names renamed, with the column
type that the script's DDL gives them; literals by class) and the *bag* of a statement's codes, which any reordering
keeps: an unequal bag says that two statements differ, an equal one that their trees must be compared (`dedup`).

Digests are SHA-256 over `SCHEME` and the codes. Whoever changes what a digest stands for, in this module or in
``sql/``, raises `SCHEME`, and every index is built anew.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from itertools import repeat
from typing import Final, NamedTuple

from orchestrator.cases.sql.ddl import DEFINING, Effect, Tables, effect_of
from orchestrator.cases.sql.lexer import split_statements
from orchestrator.cases.sql.statement import Shape, bag_of, shape_of, spelled

SCHEME: Final = 4
_MASK = 2**64 - 1
_PRIME = 1_000_003


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
    """A statement, the types that the DDL before it gives its names, and the SHA-256 of its shape with these."""

    statement: Statement
    types: tuple[str, ...]
    digest: bytes


def _sha256(content: bytes) -> bytes:
    return hashlib.sha256(content).digest()


def _digest(kind: str, text: str) -> bytes:
    return _sha256(f"{SCHEME}\0{kind}\0{text}".encode("utf-8", "surrogatepass"))


def read_statement(tokens: Sequence[str], *, slim: bool = False) -> Statement:
    """A statement from its tokens (at least one). A slim one forgets them, and all codes but the first three."""
    shape = shape_of(tokens)
    codes = shape.codes
    return Statement(
        () if slim else tuple(tokens),
        Shape(codes[:3], *shape[1:]) if slim else shape,
        _digest("exact", spelled(tokens)),
        _digest("shape", "\0".join(codes)),
        bag_of(codes),
        effect_of(tokens) if codes[0] in DEFINING else None,
    )


def read_statements(text: str, *, slim: bool = False) -> tuple[Statement, ...]:
    """The statements of ``text``, of any length and content. Comments are no part of them, hints are."""
    return tuple([read_statement(tokens, slim=slim) for tokens in split_statements(text)])


def with_types(statements: Iterable[Statement], tables: Tables) -> list[Typed]:
    """Each statement with the types its names have where it stands. ``tables`` is what was there before; it changes."""
    typed = []
    known = tables.columns
    for statement in statements:
        shape = statement.shape
        types = tables.types_of(shape) if known and shape.reads and not known.keys().isdisjoint(shape.names) else ()
        digest = statement.same_shape
        if types:
            digest = _sha256(digest + "\0".join(types).encode("utf-8", "surrogatepass"))
        typed.append(Typed(statement, types, digest))
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
    return numbered_fingerprint(sequence, sessions, {})


def numbered_fingerprint(sequence: Sequence[Typed], sessions: Sequence[int], names: dict[str, int]) -> Fingerprint:
    """The fingerprint of statements in a row; ``names`` is filled with the names in the order they come."""
    order: dict[int, int] = {}
    places = [order.setdefault(session, len(order)) for session in sessions]
    numbers = [names.setdefault(name, len(names)) for typed in sequence for name in typed.statement.shape.names]
    bag = 0
    for typed, session in zip(sequence, places or repeat(0), strict=False):
        bag = (bag * _PRIME + typed.statement.bag + session) & _MASK
    return Fingerprint(
        _sha256(b"".join([typed.statement.exact for typed in sequence])),
        _sha256(b"".join([*[typed.digest for typed in sequence], repr((numbers, places)).encode()])),
        bag,
    )


def joined_fingerprint(parts: Iterable[tuple[Fingerprint, Iterable[str]]]) -> Fingerprint:
    """The fingerprint of parts in a row, each with its names in order: these keep their identity from part to part."""
    names: dict[str, int] = {}
    exact: list[bytes] = []
    shape: list[bytes] = []
    bag = 0
    for part, own in parts:
        exact.append(part.exact)
        shape.append(part.shape)
        shape.append(repr([names.setdefault(name, len(names)) for name in own]).encode())
        bag = (bag * _PRIME + part.bag) & _MASK
    return Fingerprint(_sha256(b"".join(exact)), _sha256(b"".join(shape)), bag)
