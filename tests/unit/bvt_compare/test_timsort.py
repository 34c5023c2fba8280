"""``timsort_vectors.jsonl`` was made by ``List.sort`` of OpenJDK 17: rows of a key and a number, and where they end.

Rows are compared only where their keys are equal; null where Java throws.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.bvt.timsort import NoOrderError, timsort

VECTORS = [json.loads(line) for line in Path(__file__).with_name("timsort_vectors.jsonl").read_text().splitlines()]


def _less(left: list[int], right: list[int]) -> bool:
    return left[0] == right[0] and left[1] < right[1]


@pytest.mark.parametrize("vector", VECTORS)
def test_rows_end_where_java_leaves_them(vector: dict[str, Any]) -> None:
    rows = [[*row, number] for number, row in enumerate(vector["rows"])]
    if vector["order"] is None:
        with pytest.raises(NoOrderError):
            timsort(rows, _less)
    else:
        assert [row[2] for row in timsort(rows, _less)] == vector["order"]


def test_the_vectors_hold_both_outcomes_beyond_the_size_that_is_merged() -> None:
    long = [vector for vector in VECTORS if len(vector["rows"]) >= 32]
    assert {vector["order"] is None for vector in long} == {True, False}


@given(st.lists(st.integers(0, 9), max_size=200))
def test_with_a_true_order_it_is_a_stable_sort(numbers: list[int]) -> None:
    rows = list(enumerate(numbers))
    assert timsort(rows, lambda left, right: left[1] < right[1]) == sorted(rows, key=lambda row: row[1])
