"""The order in which mo-tester compares rows: sorted by their text, or by sort key in a way of its own."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from workers.bvt.timsort import timsort

Row = Sequence[str]


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

    That is what mo-tester's comparator means; it is no order when equal keys do not stand together, and then the rows
    end where Java's algorithm leaves them. Raises `SortKeyError` for a negative sort key, `NoOrderError` where Java
    gives up.
    """
    if min(sortkeys) < 0 and len(rows) > 1:
        raise SortKeyError(f"-- @sortkey: holds the negative column {min(sortkeys)}")

    def key(row: Row) -> str:
        return "".join(row[index] for index in sortkeys if index < len(row))

    groups = [(name, list(group)) for name, group in groupby(rows, key)]
    if len({name for name, _ in groups}) == len(groups):
        return [row for _, group in groups for row in sort_rows(group)]
    keyed = [(name, utf16_key(row_text(row)), row) for name, group in groups for row in group]
    ordered = timsort(keyed, lambda left, right: left[0] == right[0] and left[1] < right[1])
    return [row for _, _, row in ordered]
