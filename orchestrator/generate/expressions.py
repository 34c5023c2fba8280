"""Expressions: calls and casts cut out of statements, with their columns replaced by slots of a type."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from orchestrator.cases.sql.tokens import joined, opens
from orchestrator.cases.sql.words import KEYWORDS
from orchestrator.generate.aspects import NOT_CALLED, TYPES, aspects

#: Longer expressions test something else than their function.
_LONGEST = 24
_TYPE_WORDS = TYPES - {"date", "time", "timestamp", "year", "char", "binary", "point", "linestring", "polygon", "uuid"}
_CLAUSES = frozenset({"select", "from", "where", "group", "having", "order", "limit", "union", "for", ";", "into"})
_NOT_IN_ONE = frozenset({
    "select", "select(", "from", "join", "*", "with", "offset", "match(", "values(", "grouping(", "?", "nextval(",
    "setval(", "currval(", "lastval(",
    "fill(", "sliding(", "force_quote(", "result_scan(",  # parts of clauses, and what stands in FROM alone
})  # fmt: skip
#: What no expression begins with, though a list of items or a condition may; and words that are one alone.
_NOT_FIRST = frozenset({"by", "distinct", "all"})
#: Functions that are columns where no call follows.
_ONLY_CALLED = frozenset({"min", "max", "sum", "avg", "count"})
_VALUES = frozenset({"null", "true", "false", "current_date", "current_time", "current_timestamp", "current_user"})
_TABLES_FOLLOW = frozenset({"from", "join", "apply", "as", "table", "exists", "into", "on", "with", "recursive", "."})


@dataclass(frozen=True, slots=True)
class Expression:
    """SQL text with ``{int}`` and the like where a column of that type belongs."""

    text: str
    aspects: tuple[str, ...]
    #: Types of the columns it wants, each once, in order.
    columns: tuple[str, ...]


def column_types(tokens: Sequence[str]) -> dict[str, str]:
    """Column to type word, of a ``create table`` statement."""
    lowered = [token.lower() if token[0] not in "'\"" else token for token in tokens]
    if lowered[:1] != ["create"] or "table" not in lowered[:5] or "select" in lowered:
        return {}
    found: dict[str, str] = {}
    depth = 0
    fresh = False
    for at, token in enumerate(lowered[:-1]):
        opened = opens(token)
        if fresh and depth == 1 and not opened:
            kind = lowered[at + 1].removesuffix("(").strip()
            if kind in TYPES:
                unsigned = "unsigned" in lowered[at + 2 : at + 7 if lowered[at + 1][-1] == "(" else at + 3]
                found[token.strip("`")] = f"{kind} unsigned" if unsigned else kind
        depth += opened - (token == ")")
        fresh = (opened and depth == 1) or (token == "," and depth == 1)
    return found


def expressions(tokens: Sequence[str], columns: Mapping[str, str]) -> Iterator[Expression]:
    """What a query computes: the items of its lists, its conditions, and the calls inside of them."""
    if not tokens or tokens[0].lower() not in {"select", "explain", "("}:
        return
    for part in (*_items(tokens), *_calls(tokens)):
        if 0 < len(part) <= _LONGEST:
            one = _expression(part, columns)
            if one is not None and one.aspects:
                yield one


def _items(tokens: Sequence[str]) -> Iterator[Sequence[str]]:
    """Items between ``select`` and ``from``, and conditions (``where``, ``having``), of the outermost query."""
    depth, begun, clause = 0, -1, ""
    for at, token in enumerate((*tokens, ";")):
        low = token.lower()
        if depth == 0 and (low in _CLAUSES or (low == "," and clause == "select")):
            if begun >= 0 and clause in {"select", "where", "having"}:
                yield _without_alias(tokens[begun:at])
            begun = at + 1
            clause = clause if low == "," else low
        depth += opens(token) - (token == ")")


def _without_alias(tokens: Sequence[str]) -> Sequence[str]:
    if len(tokens) > 2 and tokens[-2].lower() == "as":
        return tokens[:-2]
    return tokens[1:] if tokens and tokens[0].lower() in {"distinct", "all"} else tokens


def _calls(tokens: Sequence[str]) -> Iterator[Sequence[str]]:
    for at, token in enumerate(tokens):
        if token[-1] == "(" and len(token) > 1 and token[0].isalpha() and tokens[at - 1].lower() not in _TABLES_FOLLOW:
            name = token[:-1].strip().lower()
            if name in NOT_CALLED or name in _TYPE_WORDS:
                continue
            end = _closing(tokens, at)
            follows = tokens[end + 1].lower() if end + 1 < len(tokens) else ""
            if follows in {"over", "over("}:
                end = _closing(tokens, end + 1 + (follows == "over"))
            yield tokens[at : end + 1]


def _closing(tokens: Sequence[str], at: int) -> int:
    depth = 0
    for index in range(at, len(tokens)):
        token = tokens[index]
        depth += opens(token) - (token == ")")
        if depth == 0:
            return index
    return len(tokens) - 1


def _expression(tokens: Sequence[str], columns: Mapping[str, str]) -> Expression | None:
    if tokens[0].lower().rstrip("( ") in _NOT_FIRST or (len(tokens) == 1 and tokens[0].lower() in KEYWORDS - _VALUES):
        return None
    parts: list[str] = []
    wanted: dict[str, None] = {}
    for at, token in enumerate(tokens):
        low = token.lower().replace(" (", "(")
        if (
            (low in _NOT_IN_ONE and not (low == "*" and at and tokens[at - 1][-1:] == "("))
            or token == "."
            or token[0] == "@"
        ):
            return None
        if token[0] not in "'\"" and (token[0].isalpha() or token[0] in "_`") and token[-1] != "(":
            name = low.strip("`")
            if name in columns and not (name in KEYWORDS and at and tokens[at - 1].lower() in {"as", "interval"}):
                wanted[columns[name]] = None
                parts.append(f"{{{columns[name]}}}")
                continue
            if name not in KEYWORDS - _ONLY_CALLED or token[0] == "`":
                return None
        parts.append(token.replace("{", "{{").replace("}", "}}"))
    text = joined(parts)
    found = _exercised(tuple(part if part[0] != "{" or part[:2] == "{{" else "c" for part in parts))
    return Expression(text, found, tuple(wanted))


@lru_cache(maxsize=100_000)  # scripts compute the same things
def _exercised(parts: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(aspects(("select", *parts)))[1:]
