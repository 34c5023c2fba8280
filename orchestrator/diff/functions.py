"""Changed Go functions from the real old and new file, by tree-sitter (https://tree-sitter.github.io)."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from orchestrator.diff.outline import function_name

if TYPE_CHECKING:
    from tree_sitter import Node, Parser

_FUNCTIONS = ("function_declaration", "method_declaration")


class Span(NamedTuple):
    """A function and its physical lines, from 1: from ``func`` to the closing brace, ``//line`` ignored."""

    name: str
    first: int
    last: int


@cache
def _parser() -> Parser:
    import tree_sitter
    import tree_sitter_go

    return tree_sitter.Parser(tree_sitter.Language(tree_sitter_go.language()))


def spans(source: bytes) -> list[Span]:
    """Every function of a Go file in order; of a file with syntax errors those that can still be read."""
    found: list[Span] = []
    pending = [_parser().parse(source).root_node]
    while pending:
        for child in pending.pop().children:
            if child.type in _FUNCTIONS:
                found.extend(_span(child))
            elif child.type == "ERROR":
                pending.append(child)
    return sorted(found, key=lambda span: span.first)


def _span(node: Node) -> Iterator[Span]:
    name, receiver = node.child_by_field_name("name"), node.child_by_field_name("receiver")
    if name is not None and name.text:
        text = receiver.text[1:-1] if receiver is not None and receiver.text else None
        yield Span(function_name(text, name.text), node.start_point.row + 1, node.end_point.row + 1)


def touched(source: bytes, lines: Sequence[int]) -> set[str]:
    """Names of the functions of a Go file whose span holds one of ``lines`` (ascending, from 1)."""
    names = set()
    for span in spans(source) if lines else []:
        at = bisect_left(lines, span.first)
        if at < len(lines) and lines[at] <= span.last:
            names.add(span.name)
    return names
