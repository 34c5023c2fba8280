from __future__ import annotations

import pytest

from orchestrator.history.ranker import mixed, worths


def test_a_category_is_as_likely_as_its_own_forest_and_its_cases_say_together() -> None:
    assert mixed(0.4, 0.1) == pytest.approx(0.4**0.7 * 0.1**0.3)
    assert mixed(0.4, 0.1) > mixed(0.1, 0.4)  # its own forest speaks louder
    assert mixed(0.0, 0.9) == 0.0


def test_the_same_chance_is_worth_more_where_little_else_is_likely() -> None:
    alone, among = worths([0.1], [0.01]), worths([0.1, 0.8, 0.9], [0.01, 0.01, 0.01])
    assert alone[0] > among[0]
    cheap, dear = worths([0.1, 0.1], [0.01, 0.1])
    assert cheap > dear
