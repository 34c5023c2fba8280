"""A small forest of decision trees as plain numbers: scored here without any library."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Tree:
    """Nodes by number. An inner node goes left when its feature is at most the threshold; ``~n`` is leaf ``n``."""

    feature: tuple[int, ...]
    threshold: tuple[float, ...]
    left: tuple[int, ...]
    right: tuple[int, ...]
    leaves: tuple[float, ...]


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

    def moved(self, row: tuple[float, ...]) -> dict[str, float]:
        """By how much each feature moved a row's logit: value after a decision less value before (Saabas, 2014)."""
        moved: dict[str, float] = {}
        for tree in self.trees:
            node, value = 0, _mean(tree, 0)
            while node >= 0 and tree.feature:
                feature = tree.feature[node]
                node = tree.left[node] if row[feature] <= tree.threshold[node] else tree.right[node]
                after = _mean(tree, node)
                moved[self.features[feature]] = moved.get(self.features[feature], 0.0) + self.slope * (after - value)
                value = after
        return moved


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


def _mean(tree: Tree, node: int) -> float:
    """The mean leaf below a node."""
    if node < 0 or not tree.feature:
        return tree.leaves[~node if node < 0 else 0]
    return (_mean(tree, tree.left[node]) + _mean(tree, tree.right[node])) / 2


def _bounded(logit: float) -> float:
    return max(-30.0, min(30.0, logit))
