from __future__ import annotations

import math
import random

import pytest

from orchestrator.history.forest import Attribution, Forest, Tree


def grown(chance: random.Random, leaves: int, features: int) -> Tree:
    """A tree of chance: each time one of its leaves becomes a node."""
    ends: list[tuple[int, bool]] = [(-1, True)]
    left, right = [0] * (leaves - 1), [0] * (leaves - 1)
    for node in range(leaves - 1):
        parent, is_left = ends.pop(chance.randrange(len(ends)))
        if parent >= 0:
            (left if is_left else right)[parent] = node
        ends += [(node, True), (node, False)]
    for leaf, (parent, is_left) in enumerate(ends):
        if parent >= 0:
            (left if is_left else right)[parent] = ~leaf
    return Tree(
        tuple(chance.randrange(features) for _ in left),
        tuple(chance.choice([0.0, chance.random()]) for _ in left),
        tuple(left),
        tuple(right),
        tuple(chance.uniform(-1, 1) for _ in range(leaves)),
        tuple(chance.uniform(-1, 1) for _ in left),
    )


def walked(tree: Tree, row: tuple[float, ...]) -> list[int]:
    """The nodes a row comes by, one after the other, and the leaf it ends at."""
    way = [0 if tree.feature else -1]
    while way[-1] >= 0:
        node = way[-1]
        way.append((tree.left if row[tree.feature[node]] <= tree.threshold[node] else tree.right)[node])
    return way


def rows_of(chance: random.Random, count: int, features: int) -> list[tuple[float, ...]]:
    return [tuple(chance.choice([0.0, chance.random()]) for _ in range(features)) for _ in range(count)]


@pytest.mark.parametrize(("count", "leaves", "trees"), [(0, 15, 3), (1, 15, 3), (300, 15, 40), (40, 256, 5), (9, 1, 2)])
def test_all_rows_at_once_come_to_the_leaves_that_each_comes_to_alone(count: int, leaves: int, trees: int) -> None:
    """With 5 trees of 256 leaves one feature has more limits than a byte has values."""
    chance = random.Random(count * 1000 + leaves)
    forest = Forest(("a", "b"), tuple(grown(chance, leaves, 2) for _ in range(trees)), 0.5, 0.1)
    rows = rows_of(chance, count, 2)
    leaves_of = forest.leaves(rows)
    for tree, found in zip(forest.trees, leaves_of, strict=True):
        assert list(found) == [~walked(tree, row)[-1] for row in rows]
    alone = [1 / (1 + math.exp(-(0.1 + 0.5 * said(forest, row)))) for row in rows]
    assert forest.chances(leaves_of) == pytest.approx(alone)


def said(forest: Forest, row: tuple[float, ...]) -> float:
    return sum(tree.leaves[~walked(tree, row)[-1]] for tree in forest.trees)


def test_the_steps_of_each_group_lead_from_what_all_trees_say_first_to_what_they_say_of_a_row() -> None:
    chance = random.Random(7)
    forest = Forest(("own", "text_a", "text_b"), tuple(grown(chance, 15, 3) for _ in range(20)), 0.5)
    rows = rows_of(chance, 50, 3)
    attribution = Attribution(forest, lambda name: name.partition("_")[0])
    leaves = forest.leaves(rows)
    moved = attribution.moved(leaves, range(50))
    assert attribution.moved(leaves, [7]) == [moved[7]]
    assert attribution.moved(leaves, []) == []
    few = Attribution(Forest(forest.features, forest.trees[::8], 0.5), lambda name: name.partition("_")[0])
    assert attribution.moved(leaves, range(50), every=8) == few.moved(leaves[::8], range(50))
    first = sum(tree.values[0] for tree in forest.trees)
    for row, by in zip(rows, moved, strict=True):
        assert by.keys() == {"own", "text"}
        assert sum(by.values()) == pytest.approx(0.5 * (said(forest, row) - first))
    of_text = 0.0
    for tree in forest.trees:
        way = walked(tree, rows[0])
        worth = [tree.leaves[~node] if node < 0 else tree.values[node] for node in way]
        of_text += sum(worth[at + 1] - worth[at] for at, node in enumerate(way[:-1]) if tree.feature[node])
    assert moved[0]["text"] == pytest.approx(0.5 * of_text)
