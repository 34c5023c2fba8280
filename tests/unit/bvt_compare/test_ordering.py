from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.bvt.ordering import SortKeyError, row_text, sort_rows, sort_rows_keeping, utf16_key

Rows = list[list[str]]


def test_rows_are_sorted_by_the_text_of_their_cells_put_together() -> None:
    assert sort_rows([["b", ""], ["a", "z"], ["", "ab"]]) == [["", "ab"], ["a", "z"], ["b", ""]]


def test_the_order_is_that_of_utf16() -> None:
    assert sort_rows([["\uffee"], ["😀"]]) == [["😀"], ["\uffee"]]


def test_equal_sort_keys_are_sorted_where_they_stand() -> None:
    given_rows = [["1", "y"], ["1", "x"], ["0", "z"], ["0", "a"]]
    assert sort_rows_keeping(given_rows, (0,)) == [["1", "x"], ["1", "y"], ["0", "a"], ["0", "z"]]


def test_scattered_keys_end_where_the_original_leaves_them() -> None:
    # Taken from java.util.TimSort, whose comparator says "equal" of rows with different keys.
    assert sort_rows_keeping([["1", "b"], ["2", "c"], ["1", "a"]], (0,)) == [["1", "b"], ["2", "c"], ["1", "a"]]
    many = [[str(number % 2), f"{40 - number:02}"] for number in range(40)]
    assert sort_rows_keeping(many, (0,)) == many  # no two that are compared have the same key
    assert sort_rows_keeping([["1", "c"], ["1", "b"], ["2", "z"], ["1", "a"]], (0,)) == [
        ["1", "a"], ["1", "b"], ["1", "c"], ["2", "z"]
    ]  # fmt: skip


@given(st.lists(st.tuples(st.integers(0, 3), st.sampled_from("abcd")), max_size=60))
def test_adjacent_keys_give_the_same_above_and_below_the_threshold(cells: list[tuple[int, str]]) -> None:
    ordered: Rows = [[str(key), text] for key, text in sorted(cells, key=lambda cell: cell[0])]
    expected = sorted(ordered, key=lambda row: (row[0], utf16_key(row_text(row))))
    assert sort_rows_keeping(ordered, (0,)) == expected


def test_columns_beyond_the_row_count_as_nothing_and_negative_ones_are_refused() -> None:
    assert sort_rows_keeping([["b"], ["a"]], (7,)) == [["a"], ["b"]]
    assert sort_rows_keeping([["b"]], (-1,)) == [["b"]]
    with pytest.raises(SortKeyError):
        sort_rows_keeping([["b"], ["a"]], (-1,))
