"""A statement as a shape: its codes with names numbered in the order they come, so that renaming changes nothing."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from operator import itemgetter
from typing import NamedTuple

from orchestrator.cases.sql.arguments import refine
from orchestrator.cases.sql.codes import CALL, LITERAL, NAME, SILENT, TIMES, VALUE, code_of, literal_value, spelling_of
from orchestrator.cases.sql.context import needs_places, placed

#: Before a word with a parenthesis these say that it names a table, index or view and not a function.
_NAMES_FOLLOW_WORDS = """
table into exists references key index unique fulltext view update . ignore overwrite constraint with recursive column
primary spatial call procedure function
"""
_NAMES_FOLLOW = frozenset(_NAMES_FOLLOW_WORDS.split())
#: Statements that may index a prefix, unless they hold a query.
_DEFINES = frozenset({"create", "alter"})
_BY_HEAD = {
    head: _NAMES_FOLLOW | {word}
    for head, word in (("insert", "insert"), ("replace", "replace"), ("create", "on"), ("alter", "on"))
}
#: Keywords that scripts also use for columns; they keep their word, and take the column's type.
_SOFT_WORDS = """
account checksum count data date day hour interval key level mid month name password period quarter rank role row status
text time timestamp type user week year
"""
_SOFT = frozenset(_SOFT_WORDS.split())
_STAR_BEFORE = frozenset({"select", ",", ".", "distinct", "all"})
_UNORDERED = frozenset({"and", "&&", "or", "in(", "group"})
_WRITES = frozenset({"insert", "replace", "load"})
_NUMBERED = re.compile(r"([#@])\d+([a-z]*\(?)\Z")
_PLAIN_NAME = re.compile(r"[a-z_$][a-z0-9_$]{,63}\Z")
#: Values that have a class of their own; that they are repeated says nothing more.
_THEMSELVES = frozenset({"0", "1", "''"})
_FIRST = itemgetter(0)
_MASK = 2**64 - 1
_LONGEST_KEPT, _MOST_KEPT = 100, 400_000


class Shape(NamedTuple):
    """A statement's codes, names in them as ``#0``, ``#1`` …, and the names these stand for, in that order.

    Letters after the number say what is odd about a name.
    ``soft`` are keywords that may be columns; ``whole`` says that the statement uses its table's whole row, ``reads``
    that it uses what is there: all but DROP, and CREATE without a query that is of no index.
    """

    codes: tuple[str, ...]
    names: tuple[str, ...]
    soft: tuple[str, ...]
    whole: bool
    reads: bool


def has_unordered(shape: Shape) -> bool:
    """Whether any part of the statement may stand in another order: AND, OR, IN, GROUP BY, INSERT by column."""
    if not _UNORDERED.isdisjoint(shape.codes):
        return True
    return shape.codes[0] in _WRITES and not shape.whole


class _Kinds(dict[str, str]):
    """Name code → what it is for: a name, ``@`` a variable, and letters that say what is odd about it.

    Nothing for a plain name; an odd one is there to be tested.
    """

    def __missing__(self, code: str) -> str:
        name = code[1:]
        kind = ""
        if not _PLAIN_NAME.match(name):
            kind = f"{'@' if name[:1] == '@' else '#'}{'l' if len(name) > 64 else ''}{'' if name.isascii() else 'u'}"
            kind += "" if name.lstrip("@").replace("$", "_").isidentifier() else "q"
        if len(self) < _MOST_KEPT and len(code) <= _LONGEST_KEPT:
            self[code] = kind
        return kind


_kind = _Kinds().__getitem__


class _Weights(dict[str, int]):
    def __missing__(self, code: str) -> int:
        word = _NUMBERED.sub(r"\1\2", code) if code[0] in "#@" else code.partition(VALUE)[0]
        digest = hashlib.sha256(word.encode("utf-8", "surrogatepass")).digest()
        weight = int.from_bytes(digest[:8], "big")
        if len(code) <= _LONGEST_KEPT and len(self) < _MOST_KEPT:
            self[code] = weight
        return weight


_weight = _Weights().__getitem__


def bag_of(codes: Iterable[str]) -> int:
    """The codes without order and names, as 64 bits: unequal for statements that no reordering makes equal."""
    return sum(map(_weight, codes)) & _MASK


def spelled(tokens: Iterable[str]) -> str:
    """The tokens without differences of case, white space and comments; equal for the same statement."""
    return "\0".join(map(spelling_of, tokens))


def shape_of(tokens: Sequence[str]) -> Shape:
    """The shape of one statement (at least one token, no comments)."""
    _, codes, marks, words = coded(tokens)
    if SILENT in words:
        codes = [code for code in codes if code != SILENT] or codes
        marks = list(map(_FIRST, codes))
    head = codes[0]
    follow = _BY_HEAD.get(head, _NAMES_FOLLOW)
    indexes = head in _DEFINES and "select" not in words
    numbers: dict[str, str] = {}
    for place, mark in enumerate(marks):
        if mark == NAME:
            code = codes[place]
            codes[place] = numbers.get(code) or _number(code, numbers)
        elif mark == CALL:
            code = codes[place]
            if codes[place - 1] in follow or (indexes and _is_prefix(codes, place)):
                code = NAME + code[1:]  # no function: a table, an index, a view
                codes[place] = f"{numbers.get(code) or _number(code, numbers)}("
            else:
                codes[place] = f"{code[1:]}("
    soft = () if _SOFT.isdisjoint(words) else tuple(sorted(_SOFT & words))
    reads = head != "drop" and (head != "create" or "select" in words or "index" in codes[1:3])
    return Shape(tuple(codes), tuple([name[1:] for name in numbers]), soft, _uses_row(codes, words), reads)


def _number(code: str, numbers: dict[str, str]) -> str:
    """Give the name of ``code`` its number."""
    kind = _kind(code)
    numbers[code] = number = f"{kind[0]}{len(numbers)}{kind[1:]}" if kind else f"#{len(numbers)}"
    return number


def coded(tokens: Sequence[str]) -> tuple[Sequence[str], list[str], list[str], set[str]]:
    """A statement's tokens in the one order that equal ones have, and the code of each, names as they are.

    Then the codes' first letters, and the codes as a set, in which literals may have been refined since.
    """
    codes = list(map(code_of, tokens))
    words = set(codes)
    if needs_places(codes, words):
        tokens, codes = placed(tokens, codes)
        words = set(codes)
    marks = list(map(_FIRST, codes))
    if LITERAL in marks:
        refine(tokens, codes, marks, words)
        _mark_repeated(tokens, codes, marks)
    return tokens, codes, marks, words


def _mark_repeated(tokens: Sequence[str], codes: list[str], marks: Sequence[str]) -> None:
    """Mark literals whose value is repeated in the statement: ``a = 5 or b = 5`` is not ``a = 5 or b = 6``."""
    places = [place for place, mark in enumerate(marks) if mark == LITERAL and codes[place][1:2] != "="]
    if len(places) < 2:
        return
    values = [tokens[place] for place in places]
    distinct = set(values)
    if '"' in map(_FIRST, distinct):
        values = list(map(literal_value, values))
        distinct = set(values)
    if len(distinct) == len(values):
        return
    marked: dict[str, str] = {}
    for value, times in Counter(values).items():
        if times > 1 and value not in _THEMSELVES:
            marked[value] = f"{TIMES}{times}{VALUE}{len(marked)}"
    for place, value in zip(places, values, strict=True) if marked else ():
        if value in marked:
            codes[place] += marked[value]


def _is_prefix(codes: Sequence[str], place: int) -> bool:
    """Whether the call at ``place`` is a column and the length of its indexed prefix: ``index i (a(10))``."""
    return codes[place + 2 : place + 3] == [")"] and codes[place + 1][:1] == LITERAL and codes[place + 1][1:2] != "s"


def _uses_row(codes: Sequence[str], words: set[str]) -> bool:
    if codes[0] in _WRITES:
        place = codes.index("into") + 2 if "into" in words else 2
        table = codes[place - 1] if place <= len(codes) else ""
        return table[-1:] != "(" and codes[place : place + 1] != ["("]
    return "*" in words and any(code == "*" and codes[place - 1] in _STAR_BEFORE for place, code in enumerate(codes))
