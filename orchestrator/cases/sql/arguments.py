"""Literals that are the point of a statement: the arguments of a call, and the operands of a SELECT without a table.

``elt(2, …)`` and ``elt(5, …)``, ``in_range(2.5, 1.0, 2.0)`` and ``in_range(1.5, 1.0, 2.0)`` are two tests each. So
beside its class such a literal tells more: single digits (modes, positions, precisions) and strings that are no plain
words count as they are, dates have edges of the calendar, words their case, and what can be compared its rank among the
others of its call. A longer whole number, or a plain word, may still be any other that keeps these.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal
from functools import lru_cache
from typing import Any

from orchestrator.cases.sql.codes import CALL, LITERAL, QUOTES, RANK, exact_code, literal_body
from orchestrator.cases.sql.literals import date_edge, is_date, is_half, is_number

#: Functions whose names are keywords.
_FUNCTION_WORDS = """
adddate approx_percentile ascii avg bit_and bit_cast bit_or cast char coalesce convert curdate current_date current_time
current_timestamp curtime date date_add date_sub day extract first_value format group_concat hour if insert interval lag
last_value lead left localtime localtimestamp max median microsecond mid min minute mod month now nth_value ntile
percentile_cont percentile_disc position quarter repeat replace reverse right second serial_extract setval subdate
substr substring sum sysdate time timestamp timestampadd timestampdiff translate trim truncate utc_time utc_timestamp
week year
"""
_FUNCTIONS = frozenset(f"{name}(" for name in _FUNCTION_WORDS.split())
#: What stands in these parentheses has no order, or is a row.
_LISTS = frozenset({"in(", "values(", "row("})
#: Statements that first name their tables and columns; arguments come with VALUES or SELECT.
_NAMES_FIRST = frozenset({"insert", "replace", "create", "alter"})
#: Longer numbers are not compared.
_LONGEST = 400
#: What is remembered of arguments: tokens of so many characters, so many of them.
_LONGEST_KEPT, _MOST_KEPT = 100, 100_000
_PLAIN = re.compile(r"(?:[^\W\d_]| |'')+\Z")
_DIGITS = re.compile(r"\d+")


def refine(tokens: Sequence[str], codes: list[str], marks: Sequence[str], words: set[str]) -> None:
    """Make the codes of literals that are arguments, operands or bounds tell more, in place.

    ``marks`` are the first letters of the codes, ``words`` the codes as a set.
    """
    if "between" in words:
        _rank_bounds(tokens, codes)
    head, begin = codes[0], 0
    if head in _NAMES_FIRST:
        first = "values(" if "values(" in words else "select"
        if first not in words:
            return
        begin = codes.index(first)
    alone = head == "select" and ("from" not in words or codes[codes.index("from") + 1 :][:1] == ["dual"])
    if not alone and _FUNCTIONS.isdisjoint(words) and CALL not in marks[begin:]:
        return
    unit: list[int] = []
    above: list[tuple[bool, bool]] = []
    inside, calls = alone, 0
    for place in range(begin, len(codes)):
        mark, code = marks[place], codes[place]
        if mark == LITERAL:
            if inside:
                unit.append(place)
        elif mark == CALL or code[-1:] == "(":
            call = mark == CALL or code in _FUNCTIONS
            above.append((inside, call))
            calls += call
            inside = (inside or call) and code not in _LISTS
        elif code == ")" and above:
            inside, call = above.pop()
            calls -= call
            if call and not calls and not alone:
                _refine_unit(tokens, codes, unit)
                unit = []
    _refine_unit(tokens, codes, unit)


def _refine_unit(tokens: Sequence[str], codes: list[str], unit: Sequence[int]) -> None:
    """The literals of one call, or of a statement without a table."""
    for place in unit:
        if codes[place][1:2] != "=":
            codes[place] = _brief(_argument_code, tokens[place], codes[place])
    if len(unit) > 1:
        _rank(tokens, codes, unit)


def _brief(function: Any, token: str, *rest: str) -> Any:  # noqa: ANN401 - a cached function and its answer
    """``function`` of a token, remembered unless the token is long."""
    return function(token, *rest) if len(token) <= _LONGEST_KEPT else function.__wrapped__(token, *rest)


@lru_cache(maxsize=_MOST_KEPT)
def _argument_code(token: str, code: str) -> str:
    if token[0] not in QUOTES:
        return exact_code(token) if len(token) == 1 else f"{code}5" if is_half(token) else code
    body = literal_body(token)
    if is_number(body):
        return exact_code(token) if len(body) == 1 or body[0] == "0" else code
    if is_date(body):
        return code + date_edge(body)
    if _PLAIN.match(body):
        return code + _case(body)
    return code if body[:1] in ("", "{", "[") or not body.strip() else exact_code(token)


def _case(word: str) -> str:
    return "l" if word.islower() else "u" if word.isupper() else "m"


def _rank_bounds(tokens: Sequence[str], codes: list[str]) -> None:
    """Mark the bounds of each BETWEEN: from 12 to 15 is another range than from 15 to 12."""
    for place, code in enumerate(codes):
        if code == "between":
            end = place + 6
            bounds = [at for at in range(place + 1, min(end, len(codes))) if codes[at][:1] == LITERAL][:2]
            if len(bounds) == 2 and set(codes[place + 1 : bounds[1]]) <= {"and", "-", codes[bounds[0]]}:
                _rank(tokens, codes, bounds)


def _rank(tokens: Sequence[str], codes: list[str], places: Sequence[int]) -> None:
    """Add to each literal of ``places`` its rank among those that it can be compared with."""
    kinds: dict[str, dict[int, Any]] = {}
    for place in places:
        kind, value = _brief(_comparable, tokens[place])
        if kind == "number" and tokens[place - 1] == "-" and not _ends_operand(tokens[place - 2]):
            value = -value
        kinds.setdefault(kind, {})[place] = value
    for kind, values in kinds.items():
        if kind and len(values) > 1:
            order = {value: rank for rank, value in enumerate(sorted(set(values.values())))}
            for place, value in values.items():
                codes[place] += f"{RANK}{order[value]}"


@lru_cache(maxsize=_MOST_KEPT)
def _comparable(token: str) -> tuple[str, Any]:
    """What a literal can be compared with, and as what: numbers (also in quotes), dates and single words."""
    body = literal_body(token) if token[0] in QUOTES else token
    if is_number(body) and len(body) <= _LONGEST:
        return "number", int(body) if body.isdecimal() else Decimal(body)
    if is_date(body):
        return "date", tuple(map(int, _DIGITS.findall(body)))
    if token[0] in QUOTES and body.isalpha():
        return "word", body.lower()
    return "", None


def _ends_operand(token: str) -> bool:
    """Whether a minus after ``token`` subtracts."""
    return token[0].isalnum() or token[0] in ")'\"`@_"
