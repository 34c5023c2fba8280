"""A small forest of decision trees as plain numbers: scored here without any library."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from itertools import repeat
from operator import itemgetter
from typing import TypeVar

One = TypeVar("One")

#: Leaves of one tree: their numbers have to fit into a byte.
MOST_LEAVES = 256


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


@dataclass(frozen=True)
class Forest:
    """Trees whose sum is a logit, and the straight line from there to the logit of a calibrated chance."""

    features: tuple[str, ...]
    trees: tuple[Tree, ...]
    slope: float = 1.0
    offset: float = 0.0

    def leaves(self, rows: Iterable[tuple[float, ...]]) -> list[bytes]:
        """Of each tree the number of the leaf that each row comes to, a byte a row."""
        lanes = _Lanes(self._limits, rows)
        return [lanes.leaves(tree) for tree in self.trees]

    def chances(self, leaves: Sequence[bytes]) -> list[float]:
        """The calibrated chance of each row, between 0 and 1, by its leaves."""
        sums = _sums([_said(tree.leaves, of_tree) for tree, of_tree in zip(self.trees, leaves, strict=True)])
        return [1.0 / (1.0 + math.exp(-_bounded(self.slope * total + self.offset))) for total in sums]

    @cached_property
    def _limits(self) -> dict[int, list[float]]:
        """The thresholds of each feature that decides anything, in order."""
        limits: dict[int, set[float]] = {}
        for tree in self.trees:
            for feature, limit in zip(tree.feature, tree.threshold, strict=True):
                limits.setdefault(feature, set()).add(limit)
        return {feature: sorted(found) for feature, found in limits.items()}


class Attribution:
    """By how much groups of features move a row's logit: value after a decision less value before (Saabas, 2014)."""

    def __init__(self, forest: Forest, group_of: Callable[[str], str]) -> None:
        names = [group_of(name) for name in forest.features]
        self._forest = forest
        self._groups = sorted(set(names))
        self._places = [self._groups.index(name) for name in names]
        #: Of each tree what it adds, once it was asked.
        self._steps: list[dict[int, list[float]] | None] = [None] * len(forest.trees)

    def moved(self, leaves: Sequence[bytes], rows: Sequence[int], every: int = 1) -> list[dict[str, float]]:
        """Of some rows, by their place, the sum of each group; ``leaves`` are those of all.

        ``every`` says that one tree of so many is enough: for shares that need not be exact.
        """
        columns: list[list[tuple[float, ...]]] = [[] for _ in self._groups]
        for place in range(0, len(self._steps), every) if rows else ():
            some = _said(leaves[place], rows)
            for group, step_of in self._of_tree(place).items():
                columns[group].append(_said(step_of, some))
        totals = zip(*(_sums(one) or [0.0] * len(rows) for one in columns), strict=True)
        return [
            {name: self._forest.slope * value for name, value in zip(self._groups, row, strict=True)} for row in totals
        ]

    def _of_tree(self, place: int) -> dict[int, list[float]]:
        found = self._steps[place]
        if found is None:
            found = self._steps[place] = _steps(self._forest.trees[place], self._places)
        return found


def _said(says: Sequence[One], places: Sequence[int]) -> tuple[One, ...]:
    """What is said at each of some places."""
    return itemgetter(*places)(says) if len(places) > 1 else tuple(says[place] for place in places)


def _sums(columns: Sequence[Sequence[float]]) -> list[float]:
    """The sum of each row."""
    return list(map(sum, zip(*columns, strict=True)))


def _steps(tree: Tree, groups: Sequence[int]) -> dict[int, list[float]]:
    """What the decisions on the way to each leaf add, by the group of their feature; ``groups`` are those of all."""
    found: dict[int, list[float]] = {groups[feature]: [0.0] * len(tree.leaves) for feature in tree.feature}
    waiting: list[tuple[int, dict[int, float]]] = [(0 if tree.feature else -1, {})]
    while waiting:
        node, way = waiting.pop()
        if node < 0:
            for group, value in way.items():
                found[group][~node] = value
            continue
        group = groups[tree.feature[node]]
        for after in (tree.left[node], tree.right[node]):
            step = (tree.leaves[~after] if after < 0 else tree.values[after]) - tree.values[node]
            waiting.append((after, way | {group: way.get(group, 0.0) + step}))
    return found


class _Lanes:
    """Rows side by side, a byte each of one large integer: a decision is made for all of them at once."""

    def __init__(self, limits: Mapping[int, Sequence[float]], rows: Iterable[tuple[float, ...]]) -> None:
        columns = list(zip(*rows, strict=True))
        self.count = len(columns[0]) if columns else 0
        #: By feature and limit: all bits of the rows that are beyond it.
        self._beyond: dict[tuple[int, float], int] = {}
        #: A one in the byte of each row.
        self._ones = int.from_bytes(b"\1" * self.count, "little")
        for feature, of_feature in limits.items() if columns else ():
            self._decide(feature, columns[feature], of_feature)

    def _decide(self, feature: int, column: Sequence[float], limits: Sequence[float]) -> None:
        for first in range(0, len(limits), 255):
            some = limits[first : first + 255]
            passed = bytes(map(bisect_left, repeat(some), column))
            for place, limit in enumerate(some):
                self._beyond[feature, limit] = int.from_bytes(passed.translate(_more_than(place)), "little")

    def leaves(self, tree: Tree) -> bytes:
        """The number of the leaf that each row comes to."""
        found = 0
        waiting = [(0 if tree.feature else -1, (1 << 8 * self.count) - 1)]
        while waiting:
            node, here = waiting.pop()
            if node < 0:
                found |= here & (self._ones * ~node)
            elif here:
                right = here & self._beyond[tree.feature[node], tree.threshold[node]]
                waiting += (tree.right[node], right), (tree.left[node], here ^ right)
        return found.to_bytes(self.count, "little")


@cache
def _more_than(number: int) -> bytes:
    """For `bytes.translate`: 255 for what is more than a number, else 0."""
    return bytes(255 if byte > number else 0 for byte in range(256))


def _bounded(logit: float) -> float:
    return max(-30.0, min(30.0, logit))
