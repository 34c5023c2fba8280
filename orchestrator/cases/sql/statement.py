"""A statement as a shape: its codes with names numbered in the order they come, so that renaming changes nothing."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from orchestrator.cases.sql.codes import CALL, LITERAL, NAME, code_of, spelling_of
from orchestrator.cases.sql.context import needs_places, placed_codes

#: Before a word with a parenthesis these say that it names a table, index or view and not a function.
_NAMES_FOLLOW = frozenset(
    "table into exists references key index unique fulltext view update . ignore overwrite constraint with recursive "
    "column primary spatial".split()
)
#: Statements that may index a prefix, unless they hold a query.
_DEFINES = frozenset({"create", "alter"})
_BY_HEAD = {"insert": {"insert"}, "replace": {"replace"}, "create": {"on"}, "alter": {"on"}}
#: Keywords that scripts also use for columns; they keep their word, and take the column's type.
_SOFT = frozenset(
    "account checksum count data date day hour interval key level mid month name password period quarter rank role "
    "row status text time timestamp type user week year".split()
)
_STAR_BEFORE = frozenset({"select", ",", ".", "distinct", "all"})
_WRITES = frozenset({"insert", "replace", "load"})
_MASK = 2**64 - 1


class Shape(NamedTuple):
    """A statement's codes (names as ``#0``, ``#1`` …) and the names they stand for, in that order.

    ``soft`` are keywords that may be columns; ``whole`` says that the statement uses its table's whole row.
    """

    codes: tuple[str, ...]
    names: tuple[str, ...]
    soft: tuple[str, ...]
    whole: bool

    @property
    def text(self) -> str:
        """The codes as one text; equal for statements of one shape."""
        return "\0".join(self.codes)

    @property
    def bag(self) -> int:
        """The codes without order and names, as 64 bits: unequal for statements that no reordering makes equal."""
        return sum(map(_weight, self.codes)) & _MASK


class _Weights(dict[str, int]):
    def __missing__(self, code: str) -> int:
        word = code[0] if code[0] in "#@" and code[1:].isdecimal() else code
        digest = hashlib.sha256(word.encode("utf-8", "surrogatepass")).digest()
        weight = self[code] = int.from_bytes(digest[:8], "big")
        return weight


_weight = _Weights().__getitem__


def spelled(tokens: Iterable[str]) -> str:
    """The tokens without differences of case, white space and comments; equal for the same statement."""
    return "\0".join(map(spelling_of, tokens))


def shape_of(tokens: Sequence[str]) -> Shape:
    """The shape of one statement (at least one token, no comments)."""
    codes = list(map(code_of, tokens))
    if needs_places(codes):
        codes = placed_codes(tokens)
    names: dict[str, str] = {}
    numbered: list[str] = []
    follow = _NAMES_FOLLOW | _BY_HEAD.get(codes[0], set())
    indexes = codes[0] in _DEFINES and "select" not in codes
    previous = ""
    for place, code in enumerate(codes):
        mark = code[:1]
        if mark == NAME:
            numbered.append(names.get(code) or _number(names, code))
        elif mark == CALL:
            if previous in follow or (indexes and _is_prefix(codes, place)):
                code = NAME + code[1:]
                numbered.append(names.get(code) or _number(names, code))
                numbered.append("(")
            else:
                numbered.append(f"{code[1:]}(")
        elif code:
            numbered.append(code)
        previous = code
    soft = tuple(_SOFT.intersection(numbered))
    return Shape(tuple(numbered), tuple([name[1:] for name in names]), soft, _uses_row(numbered))


def _is_prefix(codes: Sequence[str], place: int) -> bool:
    """Whether the call at ``place`` is a column and the length of its indexed prefix: ``index i (a(10))``."""
    return codes[place + 2 : place + 3] == [")"] and codes[place + 1][:1] == LITERAL and codes[place + 1][1:2] != "s"


def _number(names: dict[str, str], code: str) -> str:
    number = names[code] = f"{'@' if code[1:2] == '@' else '#'}{len(names)}"
    return number


def _uses_row(codes: Sequence[str]) -> bool:
    if codes[:1] and codes[0] in _WRITES:
        place = codes.index("into") + 2 if "into" in codes else 2
        return codes[place : place + 1] != ["("]
    return "*" in codes and any(
        code == "*" and codes[place - 1] in _STAR_BEFORE for place, code in enumerate(codes)
    )
