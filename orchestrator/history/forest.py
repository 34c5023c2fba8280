"""A small forest of decision trees as plain numbers: scored here without any library."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

#: The values of each feature, a row each.
Columns = Sequence[tuple[float, ...]]


@dataclass(frozen=True, slots=True)
class Tree:
    """Nodes by number. An inner node goes left when its feature is at most the threshold; ``~n`` is leaf ``n``."""

    feature: tuple[int, ...]
    threshold: tuple[float, ...]
    left: tuple[int, ...]
    right: tuple[int, ...]
    leaves: tuple[float, ...]
    #: What the tree says on average of the training rows that came by each inner node.
    values: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Forest:
    """Trees whose sum is a logit, and the straight line from there to the logit of a calibrated chance."""

    features: tuple[str, ...]
    trees: tuple[Tree, ...]
    slope: float = 1.0
    offset: float = 0.0

    def chances(self, rows: Iterable[tuple[float, ...]]) -> list[float]:
        """The calibrated chance of each row, between 0 and 1."""
        columns = list(zip(*rows, strict=True))
        if not columns:
            return []
        sums = [0.0] * len(columns[0])
        ends = [(min(column), max(column)) for column in columns]
        everyone = range(len(sums))
        for tree in self.trees:
            _add(tree, columns, ends, everyone, sums)
        return [1.0 / (1.0 + math.exp(-_bounded(self.slope * total + self.offset))) for total in sums]


class Attribution:
    """By how much groups of features move a row's logit: value after a decision less value before (Saabas, 2014)."""

    def __init__(self, forest: Forest, group_of: Callable[[str], str], every: int = 1) -> None:
        """``every`` says that one tree of so many is enough: for shares that need not be exact."""
        names = [group_of(name) for name in forest.features]
        self._groups = sorted(set(names))
        self._slope = forest.slope
        places = [self._groups.index(name) for name in names]
        self._trees = [
            (tree, [places[feature] for feature in tree.feature], *_steps(tree)) for tree in forest.trees[::every]
        ]

    def moved(self, rows: Sequence[tuple[float, ...]]) -> list[dict[str, float]]:
        """Of each row the sum of each group."""
        columns = list(zip(*rows, strict=True))
        ends = [(min(column), max(column)) for column in columns]
        sums = [[0.0] * len(rows) for _ in self._groups]
        for tree, groups, lefts, rights in self._trees:
            waiting: list[_Passing] = [(0 if tree.feature else -1, range(len(rows)), {})]
            while waiting:
                node, here, path = waiting.pop()
                while node >= 0 and here:
                    column, limit, group = tree.feature[node], tree.threshold[node], groups[node]
                    before = path.get(group, 0.0)
                    least, greatest = ends[column]
                    if least > limit:
                        path[group], node = before + rights[node], tree.right[node]
                        continue
                    if greatest > limit:
                        values = columns[column]
                        there = [row for row in here if values[row] > limit]
                        waiting.append((tree.right[node], there, path | {group: before + rights[node]}))
                        here = [row for row in here if values[row] <= limit]
                    path[group], node = before + lefts[node], tree.left[node]
                for group, value in path.items():
                    of_group = sums[group]
                    for row in here:
                        of_group[row] += value
        totals = zip(*sums, strict=True)
        return [{name: self._slope * value for name, value in zip(self._groups, row, strict=True)} for row in totals]


#: A node, the rows that have come to it, and what the decisions on their way added to each group.
_Passing = tuple[int, Sequence[int], dict[int, float]]


def _steps(tree: Tree) -> tuple[list[float], list[float]]:
    """What going left, and going right, adds at each node."""

    def value(node: int) -> float:
        return tree.leaves[~node] if node < 0 else tree.values[node]

    lefts = [value(node) - before for node, before in zip(tree.left, tree.values, strict=True)]
    return lefts, [value(node) - before for node, before in zip(tree.right, tree.values, strict=True)]


def _add(
    tree: Tree, columns: Columns, ends: Sequence[tuple[float, float]], rows: Sequence[int], sums: list[float]
) -> None:
    """Add what a tree says of some rows, by number: they part at each node, which most columns pass undivided.

    ``ends`` are the least and the greatest of each column.
    """
    feature, threshold = tree.feature, tree.threshold
    waiting: list[tuple[int, Sequence[int]]] = [(0 if feature else -1, rows)]
    while waiting:
        node, here = waiting.pop()
        while node >= 0 and here:
            column, limit = feature[node], threshold[node]
            least, greatest = ends[column]
            if greatest <= limit:
                node = tree.left[node]
            elif least > limit:
                node = tree.right[node]
            else:
                values = columns[column]
                waiting.append((tree.right[node], [row for row in here if values[row] > limit]))
                here = [row for row in here if values[row] <= limit]
                node = tree.left[node]
        if here:
            leaf = tree.leaves[~node]
            for row in here:
                sums[row] += leaf


def _bounded(logit: float) -> float:
    return max(-30.0, min(30.0, logit))
