"""Trees whose unordered parts may be matched in any order, under one renaming of names: what "the same" means.

`Matcher` looks for a one-to-one renaming that makes two trees equal. It tries again where a choice among unordered
parts was wrong, but only so often: past its budget the trees count as different.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from typing import Final

from orchestrator.cases.sql.codes import VALUE

#: Tries among unordered parts before a comparison is given up.
BUDGET: Final = 5_000
#: More unordered parts that look alike are not tried.
MOST_ALIKE: Final = 100


class Node:
    """A part of a statement: ``label`` says what it is, ``name`` is set on leaves that may be renamed.

    ``signature`` is equal for nodes that some renaming and reordering could make equal.
    """

    __slots__ = ("children", "label", "name", "named", "signature", "unordered")

    def __init__(
        self, label: str, children: Sequence[Node] = (), *, unordered: bool = False, name: str | None = None
    ) -> None:
        self.signature: bytes
        self.label = label
        self.children = tuple(children)
        self.unordered = unordered and len(self.children) > 1
        self.name = name
        self.named: bool = name is not None or any(child.named for child in self.children)
        parts = [child.signature for child in self.children]
        if self.unordered:
            parts.sort()
        head = f"{label}\0{len(parts)}\0{name is not None}".encode("utf-8", "surrogatepass")
        self.signature = hashlib.blake2b(head + b"".join(parts), digest_size=12).digest()


class Matcher:
    """A renaming in the making: ``there`` from left to right, ``back`` from right to left."""

    def __init__(self, budget: int = BUDGET) -> None:
        self.there: dict[str, str] = {}
        self.back: dict[str, str] = {}
        self.budget = budget

    def bind(self, left: str, right: str) -> bool | None:
        """Rename ``left`` to ``right``: True when that is new, None when it was so already, False when it cannot be."""
        if left in self.there or right in self.back:
            return None if self.there.get(left) == right and self.back.get(right) == left else False
        self.there[left] = right
        self.back[right] = left
        return True

    def unbind(self, left: str) -> None:
        """Take a renaming back."""
        del self.back[self.there.pop(left)]

    def ways(self, work: list[tuple[Node, Node]], statement: int = 0) -> Iterator[None]:
        """Yield once for each way to make all pairs of ``work`` equal; while it is suspended the renaming holds.

        Values of literals are renamed within the ``statement`` of that number only. The pairs are taken from the end,
        ordered parts in a loop; only choices among unordered parts recurse.
        """
        bound: list[str] = []
        try:
            while work:
                left, right = work.pop()
                if left.signature != right.signature:
                    return
                if not left.named:
                    continue
                if left.name is not None and right.name is not None:
                    scope = "" if left.name[0] != VALUE else str(statement)
                    new = self.bind(left.name + scope, right.name + scope)
                    if new is False:
                        return
                    if new:
                        bound.append(left.name + scope)
                elif left.unordered:
                    pairs, loose = _paired(left.children, right.children)
                    work.extend(pairs)
                    if loose is not None:
                        yield from self._choices(*loose, work, statement)
                        return
                else:
                    work.extend(zip(reversed(left.children), reversed(right.children), strict=True))
            yield None
        finally:
            for name in bound:
                self.unbind(name)

    def _choices(
        self, left: Sequence[Node], right: Sequence[Node], rest: list[tuple[Node, Node]], statement: int
    ) -> Iterator[None]:
        """The ways to pair two unordered lists of parts that look alike, and then to match ``rest``."""
        first, others = left[0], left[1:]
        for place, candidate in enumerate(right):
            if candidate.signature != first.signature:
                continue
            self.budget -= 1
            if self.budget < 0:
                return
            work = list(rest)
            if others:
                remaining = [*right[:place], *right[place + 1 :]]
                work.append((Loose(others), Loose(remaining)))
            work.append((first, candidate))
            yield from self.ways(work, statement)


class Loose(Node):
    """Parts still to be paired, in any order. Its signature is not needed: its parts were seen to agree."""

    __slots__ = ()

    def __init__(self, parts: Sequence[Node]) -> None:
        self.label, self.name, self.named, self.signature = "loose", None, True, b""
        self.children, self.unordered = tuple(parts), True


_Pairs = list[tuple[Node, Node]]


def _paired(left: Sequence[Node], right: Sequence[Node]) -> tuple[_Pairs, tuple[list[Node], list[Node]] | None]:
    """Pairs of the parts that can only go together, and the parts (with names, or many alike) that leave a choice."""
    groups: dict[bytes, tuple[list[Node], list[Node]]] = {}
    for side, nodes in enumerate((left, right)):
        for node in nodes:
            if node.named:
                groups.setdefault(node.signature, ([], []))[side].append(node)
    pairs: _Pairs = []
    loose: tuple[list[Node], list[Node]] = ([], [])
    for mine, yours in groups.values():
        if len(mine) == len(yours) == 1:
            pairs.append((mine[0], yours[0]))
        else:
            loose[0].extend(mine)
            loose[1].extend(yours)
    if len(loose[0]) != len(loose[1]) or len(loose[0]) > MOST_ALIKE:
        return [(_NEVER[0], _NEVER[1])], None
    return pairs, loose if loose[0] else None


_NEVER = (Node("one"), Node("other"))
