"""Trains the ranking models with LightGBM, and writes them as plain forests. Needs the ``learn`` extra."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from orchestrator.domain.errors import ToolMissingError
from orchestrator.history.forest import Forest, Tree

if TYPE_CHECKING:
    import numpy as np
    from lightgbm import Booster
    from numpy.typing import NDArray

    Matrix = NDArray[np.float32]
    Vector = NDArray[np.float64]
    Numbers = NDArray[np.intp]

One = TypeVar("One")
Made = TypeVar("Made")

#: Shallow, slow and regularised: a few hundred commits are all there is. One thread a forest: the same trees
#: everywhere.
_SETTINGS: dict[str, Any] = {
    "objective": "binary", "learning_rate": 0.08, "num_leaves": 15, "feature_fraction": 0.4,
    "max_bin": 63, "bagging_fraction": 0.8, "bagging_freq": 1, "lambda_l2": 5.0, "seed": 1, "num_threads": 1,
    "deterministic": True, "force_col_wise": True, "verbose": -1,
}  # fmt: skip


def require_learning() -> None:
    """Raise ToolMissingError unless what training needs is installed."""
    try:
        import lightgbm  # noqa: F401
        import numpy  # noqa: F401
    except (ImportError, OSError) as error:
        raise ToolMissingError(
            f"training needs LightGBM, which cannot be loaded: {error}", "Install it: pip install 'mo-testplan[learn]'."
        ) from None


@dataclass(frozen=True, slots=True)
class Training:
    """How a forest is grown: rounds of boosting, rows a leaf must hold, and how many forests are averaged."""

    rounds: int = 120
    least: int = 40
    seeds: int = 1


#: Forests that together are one: their mean speaks.
Boosters = tuple["Booster", ...]


def fit(matrix: Matrix, labels: Vector, weights: Vector, names: Sequence[str], how: Training) -> Boosters:
    """Forests that tell the rows with label 1 from those with 0."""
    import lightgbm

    settings = _SETTINGS | {"min_data_in_leaf": how.least}

    def grow(seed: int) -> Booster:
        data = lightgbm.Dataset(matrix, labels, weight=weights, feature_name=list(names), params=settings)
        return lightgbm.train(settings | {"seed": seed}, data, how.rounds)

    return tuple(side_by_side(grow, range(1, how.seeds + 1)))


def side_by_side(call: Callable[[One], Made], many: Iterable[One]) -> list[Made]:
    """What a call makes of each, in their order: on all cores, as LightGBM does not hold the interpreter's lock."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return list(pool.map(call, many))


def plain(boosters: Boosters, line: tuple[float, float]) -> Forest:
    """The mean of forests as plain numbers, with the slope and offset that calibrate it."""
    dumps = [booster.dump_model() for booster in boosters]
    trees = tuple(_tree(one["tree_structure"]) for dump in dumps for one in dump["tree_info"])
    return Forest(tuple(dumps[0]["feature_names"]), trees, round(line[0] / len(boosters), 8), line[1])


def logits(boosters: Boosters, matrix: Matrix) -> Vector:
    """What forests say of each row on average, before it is calibrated."""
    import numpy as np

    said = [booster.predict(matrix, raw_score=True) for booster in boosters]
    return np.asarray(np.mean(said, axis=0), float)


def calibrate(raw: Vector, labels: Vector) -> tuple[float, float]:
    """Slope and offset from logits to logits of chances (Platt, 1999), from logits the booster was not trained on."""
    from sklearn.linear_model import LogisticRegression

    line = LogisticRegression(C=1e6).fit(raw.reshape(-1, 1), labels)
    return round(float(line.coef_[0][0]), 6), round(float(line.intercept_[0]), 6)


def _tree(root: dict[str, Any]) -> Tree:
    feature: list[int] = []
    threshold: list[float] = []
    left: list[int] = []
    right: list[int] = []
    leaves: list[float] = []
    values: list[float] = []

    def place(node: dict[str, Any]) -> int:
        if "leaf_value" in node:
            leaves.append(round(float(node["leaf_value"]), 6))
            return ~(len(leaves) - 1)
        number = len(feature)
        feature.append(int(node["split_feature"]))
        threshold.append(float(f"{node['threshold']:.7g}"))
        values.append(round(float(node["internal_value"]), 6))
        left.append(0)
        right.append(0)
        left[number] = place(node["left_child"])
        right[number] = place(node["right_child"])
        return number

    place(root)
    return Tree(tuple(feature), tuple(threshold), tuple(left), tuple(right), tuple(leaves), tuple(values))
