"""What of a statement no single word names: a query inside of another, a list of tables, a unit of time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from orchestrator.cases.sql.tokens import opens

_UNITS: Final = frozenset({"microsecond", "second", "minute", "hour", "day", "week", "month", "quarter", "year"})
#: Words before a query in parentheses that are named as operators, or join queries.
_TESTS: Final = frozenset({"in", "exists", "any", "all", "some", "as", "(", "union", "intersect", "minus", "except"})
#: How far behind ``interval`` its unit may stand, in tokens.
_REACH = 6


def form(tokens: Sequence[str], at: int) -> str:
    """The aspect that stands at a position and has no word of its own; empty when there is none.

    ``tokens`` are lower case outside of quotes, an opening parenthesis at the word before it.
    """
    token = tokens[at]
    if token == "select" and at:
        return _nested(tokens, at)
    if token == ",":
        return "clause comma join" if tokens[0] in {"select", "with"} and in_from(tokens, at) else ""
    word = token.removesuffix("(").rstrip()
    if word == "interval":
        return _interval(tokens[at + 1 : at + _REACH])
    after = tokens[at + 1] if at + 1 < len(tokens) else ""
    if word != token and word in {"any", "some", "all"} and after in {"select", "with", "values"}:
        return "operator any query"
    return _literal(token, tokens[at - 1] if at else "", after)


def _literal(token: str, before: str, after: str) -> str:
    """A place for a value, a value in hex, and what stands in braces."""
    if token == "{" and before:
        return f"clause {{{after}}}" if after.isidentifier() else f"clause {before} map"
    if token.startswith(("0x", "x'")):
        return "operator hex literal"
    return "clause placeholder" if token == "?" else ""


def _interval(tokens: Sequence[str]) -> str:
    unit = next((one for one in tokens if one.rstrip("s") in _UNITS or "_" in one), "")
    return f"operator interval {unit}".rstrip()


def _nested(tokens: Sequence[str], at: int) -> str:
    """A query in parentheses: a table of its own, or a value."""
    opened = tokens[at - 1]
    if opened[-1] != "(" or opened[0] in "'\"":
        return ""
    before = opened[:-1].strip() or (tokens[at - 2] if at > 1 else "")
    if before in {"from", "join"}:
        return "clause derived table"
    plain = before and before not in _TESTS and tokens[0] not in {"insert", "create", "replace"}
    return "clause scalar query" if plain else ""


def in_from(words: Sequence[str], at: int) -> bool:
    """Whether a comma stands between tables."""
    depth = 0
    for word in reversed(words[:at]):
        depth += (word == ")") - opens(word)
        if depth < 0 or (
            depth == 0 and word in {"where", "select", "set", "by", "values", "on", "limit", "using", "having"}
        ):
            return False
        if depth == 0 and word == "from":
            return True
    return False
