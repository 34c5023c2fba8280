"""A small forest of decision trees as plain numbers: scored here without any library."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass


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
        rows = list(rows)
        sums = [0.0] * len(rows)
        for tree in self.trees:
            _grow(tree, rows, sums)
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

    def moved(self, row: tuple[float, ...]) -> dict[str, float]:
        """The sum of each group."""
        sums = [0.0] * len(self._groups)
        for tree, groups, lefts, rights in self._trees:
            feature, threshold, left, right = tree.feature, tree.threshold, tree.left, tree.right
            node = 0 if feature else -1
            while node >= 0:
                if row[feature[node]] <= threshold[node]:
                    sums[groups[node]] += lefts[node]
                    node = left[node]
                else:
                    sums[groups[node]] += rights[node]
                    node = right[node]
        return {name: self._slope * value for name, value in zip(self._groups, sums, strict=True)}


def _steps(tree: Tree) -> tuple[list[float], list[float]]:
    """What going left, and going right, adds at each node."""

    def value(node: int) -> float:
        return tree.leaves[~node] if node < 0 else tree.values[node]

    lefts = [value(node) - before for node, before in zip(tree.left, tree.values, strict=True)]
    return lefts, [value(node) - before for node, before in zip(tree.right, tree.values, strict=True)]


def _grow(tree: Tree, rows: list[tuple[float, ...]], sums: list[float]) -> None:
    feature, threshold, left, right, leaves = tree.feature, tree.threshold, tree.left, tree.right, tree.leaves
    if not feature:
        for number in range(len(sums)):
            sums[number] += leaves[0]
        return
    for number, row in enumerate(rows):
        node = 0
        while node >= 0:
            node = left[node] if row[feature[node]] <= threshold[node] else right[node]
        sums[number] += leaves[~node]


def _bounded(logit: float) -> float:
    return max(-30.0, min(30.0, logit))
