"""A query as the list of what it computes and the rest, so that one part can be taken out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from orchestrator.cases.sql.lexer import tokenize
from orchestrator.cases.sql.tokens import joined, opens

_LONGEST_LINE = 120


@dataclass(frozen=True, slots=True)
class Parts:
    """``select`` items and what follows them, ``from`` included."""

    items: tuple[str, ...]
    rest: str

    def query(self, items: tuple[str, ...]) -> str:
        """The query with other items."""
        return laid_out(items, self.rest.strip())


def laid_out(items: Sequence[str], rest: str) -> str:
    """A query on one line, or with a line for each item when that would be long."""
    line = f"select {', '.join(items)} {rest}".rstrip()
    lines = ",\n".join(items)
    return line if len(line) <= _LONGEST_LINE else f"select {lines}\n{rest}".rstrip()


def parts_of(sql: str) -> Parts | None:
    """The parts of a plain ``select``; ``None`` for anything else."""
    tokens = tokenize(sql)
    if tokens and tokens[0].lower().replace(" ", "") == "select(":  # one token to the lexer, as a call is
        tokens[:1] = [tokens[0][:6], "("]
    if not tokens or tokens[0].lower() != "select":
        return None
    depth, begun, items, end = 0, 1, list[str](), len(tokens)
    for at, token in enumerate(tokens):
        if depth == 0 and token.lower() == "from":
            end = at
            break
        if depth == 0 and token == "," and at:
            items.append(joined(tokens[begun:at]))
            begun = at + 1
        depth += opens(token) - (token == ")")
    items.append(joined(tokens[begun:end]))
    rest = f" {joined(tokens[end:])}" if end < len(tokens) else ""
    return Parts(tuple(item for item in items if item), rest)
