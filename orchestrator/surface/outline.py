"""The functions of a Go file and what each refers to, by the layout that gofmt gives: fast enough for a whole product.

A function starts at a line ``func`` in the first column and ends before ``}`` or another declaration there: one of a
single line has no such ``}`` of its own. References are names in call position
(``f(``, ``x.f(``, ``f[T](``) and qualified names (``tree.Clone``, ``plan.Node_MINUS``), which may pass a function on.
"""

from __future__ import annotations

import re
from typing import NamedTuple

_FUNCTION = re.compile(
    r"^func (?:\((?P<receiver>[^)]*)\) )?(?P<name>\w+)"
    r"(?P<body>[^\n]*(?:\n(?!}|(?:func|type|var|const|import) )[^\n]*)*)",
    re.M,
)
_REFERENCE = re.compile(r"\b([a-z_]\w*\.[A-Z]\w*)|(?<![\w.])([A-Za-z_]\w*)(?=\(|\[\w+\]\()|\.([A-Za-z_]\w*)(?=\()")
_TYPE = re.compile(r"\*?(\w+)(?:\[.*\])?$")
_BUILT_IN = frozenset({
    "func", "if", "for", "switch", "return", "append", "len", "make", "cap", "new", "panic", "copy", "string", "int",
    "nil", "error", "delete",
})  # fmt: skip


class GoFunction(NamedTuple):
    """One function: ``Func`` or ``Receiver.Method``, and the names it refers to."""

    name: str
    #: ``f`` (of the same package), ``pkg.F``, and ``.m`` (a method of whatever type).
    references: frozenset[str]


def outline(source: str) -> tuple[GoFunction, ...]:
    """The functions of a file in order."""
    return tuple(
        GoFunction(_name(match["receiver"], match["name"]), references(match["body"]))
        for match in _FUNCTION.finditer(source)
    )


def _name(receiver: str | None, name: str) -> str:
    kind = _TYPE.search(receiver.strip()) if receiver else None
    return f"{kind[1]}.{name}" if kind else name


def references(text: str) -> frozenset[str]:
    """The names that a piece of Go code refers to."""
    found = set()
    for qualified, plain, method in _REFERENCE.findall(text):
        found.add(qualified or plain or f".{method}")
    return frozenset(found - _BUILT_IN)
