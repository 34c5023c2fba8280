"""How much of a body of SQL the dialect reads, by family."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from orchestrator.cases.sql.administrative import family_of_tree
from orchestrator.cases.sql.codes import code_of
from orchestrator.cases.sql.lexer import split_statements
from orchestrator.cases.sql.syntax import read_tree


@dataclass(frozen=True, slots=True)
class Coverage:
    """Of ``total`` statements of a family, ``read`` have a tree."""

    family: str
    total: int
    read: int

    @property
    def share(self) -> float:
        """The share that is read, 0 to 1."""
        return self.read / self.total if self.total else 1.0


def coverage(texts: Iterable[str]) -> list[Coverage]:
    """The coverage of all statements of ``texts``, the worst family first.

    A family is one of administrative statements, else a statement's first word.
    """
    counts: dict[str, list[int]] = {}
    for text in texts:
        for tokens in split_statements(text):
            tree = read_tree(tuple(tokens))
            family = family_of_tree(tree) if tree is not None else None
            entry = counts.setdefault(family or code_of(tokens[0]).strip("(\x01\x02") or "(", [0, 0])
            entry[0] += 1
            entry[1] += tree is not None
    found = [Coverage(family, total, read) for family, (total, read) in counts.items()]
    return sorted(found, key=lambda one: (one.share, -one.total, one.family))
