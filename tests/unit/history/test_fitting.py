from __future__ import annotations

from typing import Any

import pytest

from tests.require import require


@pytest.fixture
def fitting() -> Any:  # noqa: ANN401 - a module that needs the extra
    require("lightgbm")
    from orchestrator.history import fitting

    return fitting


def example(time: int, *, touched: bool) -> Any:  # noqa: ANN401 - of a module that needs the extra
    import numpy as np

    from orchestrator.history.examples import Example, Labelled

    labelled = Labelled(np.ones((2, 3), np.float32), np.array([float(touched), 0.0]))
    return Example(time, labelled, np.array([0, 1]), np.array([30.0, 70.0]), labelled, labelled)


@pytest.mark.parametrize(
    ("labels", "learnable"),
    [([True] * 40, True), ([True] * 39, False), ([True] * 40 + [False] * 40, False), ([True, False] * 40, True)],
)
def test_each_part_is_judged_by_what_was_touched_outside_of_it_or_nothing_is_learned(
    fitting: Any,  # noqa: ANN401
    labels: list[bool],
    learnable: bool,
) -> None:
    task = fitting._Task(("a", "b", "c"), lambda one: one.cases, fitting.Training(), frozenset())
    assert task.is_learnable([example(at, touched=one) for at, one in enumerate(labels)]) is learnable


def test_where_tests_were_last_touched_long_ago_old_examples_set_the_price(fitting: Any) -> None:  # noqa: ANN401
    import numpy as np

    old, chances = [example(0, touched=True)], [np.array([0.9, 0.1])]
    price = fitting._price(old, chances, 0)
    assert 1e-6 < price < 1e6
    assert fitting._price(old, chances, 3 * fitting._RECENT) == price
    assert fitting._floor(old, chances, 3 * fitting._RECENT) == fitting._floor(old, chances, 0)
