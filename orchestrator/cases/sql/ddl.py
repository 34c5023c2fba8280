"""The column types that a script's own DDL gives to names: ``in_range(a)`` over bigint and smallint are two tests."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from orchestrator.cases.sql.codes import quoted_name
from orchestrator.cases.sql.statement import Shape
from orchestrator.cases.sql.words import SYNONYMS

Columns = Mapping[str, str]
#: The first words of statements that have an effect on tables.
DEFINING = frozenset({"create", "drop", "alter"})

_NO_COLUMN_WORDS = """
primary key index unique constraint fulltext foreign check spatial like select fulltext2
"""
_NO_COLUMN = frozenset(_NO_COLUMN_WORDS.split())
_TYPE_TAILS = frozenset({"unsigned", "zerofill", "array"})
_TABLE_OPTIONS = frozenset({"temporary", "external", "cluster", "dynamic", "if", "not", "exists", "or", "replace"})


class Effect(NamedTuple):
    """What a statement does to the known tables: ``verb`` is create, like, drop or alter.

    ``columns`` are (name, type), in alter with an empty type for a dropped column, in drop the tables after the first;
    ``source`` is the table of LIKE.
    """

    verb: str
    table: str
    columns: tuple[tuple[str, str], ...] = ()
    source: str = ""


def effect_of(tokens: Sequence[str]) -> Effect | None:
    """What a CREATE, DROP or ALTER TABLE does; None for any other statement."""
    if len(tokens) < 3 or tokens[0].lower() not in DEFINING:
        return None
    place = 1
    while place < 8 and _word(tokens[place]) in _TABLE_OPTIONS and place + 1 < len(tokens):
        place += 1
    if _word(tokens[place]) != "table":
        return None
    words = [_word(token) for token in tokens]
    place += 1
    while place < len(words) and words[place] in _TABLE_OPTIONS:
        place += 1
    table, place = _qualified(words, place)
    if not table:
        return None
    if words[0] == "drop":
        return Effect("drop", table, tuple(_others(words, place)))
    return _altered(table, words[place:]) if words[0] == "alter" else _created(table, words[place - 1 :])


def _others(words: Sequence[str], place: int) -> Iterator[tuple[str, str]]:
    """The tables after the first that a DROP names."""
    while words[place : place + 1] == [","]:
        table, place = _qualified(words, place + 1)
        yield table, ""


def _word(token: str) -> str:
    if token[0] == "`":
        return f"{quoted_name(token[:-1].rstrip())}(" if token[-1] == "(" else quoted_name(token)
    word = token.lower()
    return f"{word[:-1].rstrip()}(" if word[-1] == "(" else word


def _qualified(words: Sequence[str], place: int) -> tuple[str, int]:
    """The last part of a dotted name at ``place``, without its parenthesis, and the place after it."""
    while words[place + 1 : place + 2] == ["."]:
        place += 2
    name = words[place] if place < len(words) else ""
    return name.rstrip("("), place + 1


def _created(table: str, words: Sequence[str]) -> Effect:
    if words[1:2] == ["like"] or words[1:3] == ["(", "like"]:
        source, _ = _qualified(words, words.index("like") + 1)
        return Effect("like", table, source=source)
    start = 1 if words[0][-1:] == "(" else 2
    if start == 2 and words[1:2] != ["("]:
        return Effect("create", table)
    return Effect("create", table, tuple(_columns(words[start:])))


def _columns(words: Sequence[str]) -> Iterator[tuple[str, str]]:
    depth, begin = 0, 0
    for place, word in enumerate(words):
        if depth == 0 and word in (",", ")"):
            yield from _column(words[begin:place])
            begin = place + 1
            if word == ")":
                return
        elif word[-1] == "(":
            depth += 1
        elif word == ")":
            depth -= 1


def _column(words: Sequence[str]) -> Iterator[tuple[str, str]]:
    if len(words) > 1 and words[0].rstrip("(") not in _NO_COLUMN:
        yield words[0], _type(words[1:])


def _type(words: Sequence[str]) -> str:
    end = 1
    if words[0][-1:] == "(":
        end = words.index(")") + 1 if ")" in words else len(words)
    while end < len(words) and words[end] in _TYPE_TAILS:
        end += 1
    return " ".join([SYNONYMS.get(word, SYNONYMS.get(word[:-1], word[:-1]) + word[-1]) for word in words[:end]])


def _altered(table: str, words: Sequence[str]) -> Effect | None:
    changes: list[tuple[str, str]] = []
    for verb, place in (
        (word, place) for place, word in enumerate(words) if word in ("add", "modify", "change", "drop")
    ):
        rest = list(words[place + 1 :])
        if rest[:1] == ["column"]:
            rest = rest[1:]
        if verb == "change" and len(rest) > 1:
            changes.append((rest[0], ""))
            rest = rest[1:]
        if verb == "drop" and rest and rest[0] not in _NO_COLUMN:
            changes.append((rest[0], ""))
        elif verb != "drop":
            changes.extend(_column(rest))
    return Effect("alter", table, tuple(changes)) if changes else None


class Tables:
    """The tables of a script as its DDL makes them, statement by statement."""

    def __init__(self) -> None:
        self.columns: dict[str, dict[str, str]] = {}
        self._rows: dict[str, str] = {}

    def apply(self, effect: Effect) -> None:
        """Let a statement's effect come true."""
        self._rows.pop(effect.table, None)
        if effect.verb == "drop":
            for table in (effect.table, *(name for name, _ in effect.columns)):
                self.columns.pop(table, None)
                self._rows.pop(table, None)
        elif effect.verb == "like":
            self.columns[effect.table] = dict(self.columns.get(effect.source, {}))
        elif effect.verb == "create":
            self.columns[effect.table] = dict(effect.columns)
        else:
            columns = self.columns.setdefault(effect.table, {})
            for name, kind in effect.columns:
                if kind:
                    columns[name] = kind
                else:
                    columns.pop(name, None)

    def types_of(self, shape: Shape) -> tuple[str, ...]:
        """The type of each of the shape's names and then of its soft words, empty where the DDL gives none.

        A table's type is that of its row, where the statement uses the whole row. () when no name has a type.
        """
        known = self.columns
        mentioned = [known[name] for name in shape.names if name in known]
        words = (*shape.names, *shape.soft) if shape.soft else shape.names
        if len(mentioned) == 1:
            [columns] = mentioned
            types = [columns.get(word, "") for word in words]
        else:
            types = ["|".join(sorted({columns[word] for columns in mentioned if word in columns})) for word in words]
        if shape.whole:
            types = [
                f"{kind}{self._row(word)}" if word in known else kind for kind, word in zip(types, words, strict=True)
            ]
        return tuple(types) if any(types) else ()

    def _row(self, table: str) -> str:
        """The type of a whole row."""
        row = self._rows.get(table)
        if row is None:
            row = self._rows[table] = f"({' '.join(self.columns[table].values())})"
        return row
