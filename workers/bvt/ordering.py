"""The order in which mo-tester compares rows: sorted by their text, or by sort key in a way of its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import groupby

Row = Sequence[str]
#: Java sorts fewer rows than this by binary insertion (``TimSort.MIN_MERGE``).
_MIN_MERGE = 32


class SortKeyError(ValueError):
    """No column has a negative number; mo-tester crashes there."""


def row_text(row: Row) -> str:
    """The cells put together with nothing between."""
    return "".join(row)


def utf16_key(text: str) -> bytes:
    """A key that sorts as Java does, by UTF-16 code unit."""
    return text.encode("utf-16-be", "surrogatepass")


def sort_rows(rows: Sequence[Row]) -> list[Row]:
    """``rows`` by their texts."""
    if all(cell.isascii() for row in rows for cell in row):
        return sorted(rows, key=row_text)
    return sorted(rows, key=lambda row: utf16_key(row_text(row)))


def sort_rows_keeping(rows: Sequence[Row], sortkeys: Sequence[int]) -> list[Row]:
    """``rows`` with those of equal sort keys in the order of their texts, the others where they are.

    That is what mo-tester's comparator means; it is no order when equal keys do not stand together. Up to 31 rows its
    result is reproduced even then. Raises `SortKeyError` for a negative sort key.
    """
    if min(sortkeys) < 0 and len(rows) > 1:
        raise SortKeyError(f"-- @sortkey: holds the negative column {min(sortkeys)}")

    def key(row: Row) -> str:
        return "".join(row[index] for index in sortkeys if index < len(row))

    if len(rows) >= _MIN_MERGE:
        return [row for _, group in groupby(rows, key) for row in sort_rows(list(group))]

    def less(left: Row, right: Row) -> bool:
        return key(left) == key(right) and utf16_key(row_text(left)) < utf16_key(row_text(right))

    return _binary_insertion(list(rows), less)


def _binary_insertion(rows: list[Row], less: Callable[[Row, Row], bool]) -> list[Row]:
    """``java.util.TimSort`` of fewer than 32 elements, comparison by comparison."""
    start = _leading_run(rows, less)
    for position in range(start, len(rows)):
        pivot = rows.pop(position)
        left, right = 0, position
        while left < right:
            middle = (left + right) // 2
            if less(pivot, rows[middle]):
                right = middle
            else:
                left = middle + 1
        rows.insert(left, pivot)
    return rows


def _leading_run(rows: list[Row], less: Callable[[Row, Row], bool]) -> int:
    """The length of the run at the start, which is turned round where it descends."""
    if len(rows) < 2:
        return len(rows)
    end = 2
    descending = less(rows[1], rows[0])
    while end < len(rows) and less(rows[end], rows[end - 1]) == descending:
        end += 1
    if descending:
        rows[:end] = rows[:end][::-1]
    return end
