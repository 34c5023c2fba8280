"""The grammar (goyacc, ``mysql_sql.y``) and its keywords (``keywords.go``)."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import NamedTuple

from orchestrator.surface.comments import without_comments

_KEYWORD = re.compile(r'^\t\t"(\w+)":\s*([A-Z_]\w*),', re.M)
_NODE = re.compile(r"(\$\$ = )?(?:&tree\.([A-Z]\w+)\s*\{|\btree\.New([A-Z]\w+)\()")
_RULE = re.compile(r"^([a-z_]\w*)\s*:", re.M)
#: A quote that nothing ends reaches to the end: looking on behind each of them would take the square of the time.
_PIECE = re.compile(r"'(?:\\.|[^'\\])'|\"(?:\\.|[^\"\\])*(?:\"|\Z)|[{}|]|[^{}|'\"]+|'", re.S)
_PRECEDENCE = re.compile(r"%prec\s+\w+")
#: Terminals that stand for literals, not for words.
_LITERALS = frozenset({"STRING", "INTEGRAL", "FLOAT", "ID", "AT_ID", "AT_AT_ID", "HEXNUM", "BIT_LITERAL"})
_TOKEN = re.compile(r"^[A-Z][A-Z_0-9]*$")


class Production(NamedTuple):
    """One alternative of a rule."""

    rule: str
    #: Terminals and non-terminals in order.
    symbols: tuple[str, ...]
    #: Nodes of the syntax tree that its action builds, in order.
    nodes: tuple[str, ...]

    @property
    def tokens(self) -> tuple[str, ...]:
        """The keywords among the symbols."""
        return tuple(symbol for symbol in self.symbols if _TOKEN.match(symbol) and symbol not in _LITERALS)


def keywords(source: str) -> dict[str, str]:
    """Grammar token to keyword; a token with several spellings keeps the first."""
    found: dict[str, str] = {}
    for word, token in _KEYWORD.findall(source):
        if token != "UNUSED":  # noqa: S105 - a grammar token
            found.setdefault(token, word)
    return found


def productions(source: str) -> tuple[Production, ...]:
    """Every alternative of every rule, in order."""
    parts = source.split("\n%%")
    body = parts[1] if len(parts) > 1 else source
    names = list(_RULE.finditer(body))
    found: list[Production] = []
    for match, (start, end) in zip(names, pairwise([*(one.end() for one in names), len(body)]), strict=True):
        found += _alternatives(match[1], body[start:end])
    return tuple(found)


def _alternatives(rule: str, text: str) -> list[Production]:
    """Split at ``|`` outside of actions; actions nest braces, quoted ones do not count."""
    found: list[Production] = []
    symbols: list[str] = []
    action: list[str] = []
    depth = 0
    for piece in _PIECE.findall(text):
        if piece == "{":
            action.append(piece)
            depth += 1
        elif piece == "}":
            depth -= 1
        elif depth:
            action.append(piece)
        elif piece == "|":
            found.append(_production(rule, symbols, action))
            symbols, action = [], []
        else:
            symbols += _PRECEDENCE.sub(" ", without_comments(piece, " ")).split()
    found.append(_production(rule, symbols, action))
    return found


def _production(rule: str, symbols: list[str], action: list[str]) -> Production:
    found = _NODE.findall("".join(action))
    # What the rule itself yields comes first, then the parts it is made of.
    nodes = [literal or made for _, literal, made in sorted(found, key=lambda one: not one[0])]
    return Production(rule, tuple(symbols), tuple(dict.fromkeys(nodes)))
