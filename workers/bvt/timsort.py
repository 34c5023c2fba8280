"""``java.util.TimSort``, comparison by comparison: what a sort by a comparator that is no order ends in.

mo-tester's comparator for ``@sortkey`` calls rows of different keys equal, so where they end depends on which pairs the
algorithm looks at. Java's choices are kept: runs of at least 16 from 32 rows on, merged by its stack rules, galloping
after 7 in a row. Merging is written once: taken from the front, or mirrored from the back.
Algorithm: https://github.com/python/cpython/blob/main/Objects/listsort.txt, with the constants of OpenJDK 17.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

T = TypeVar("T")
Less = Callable[[T, T], bool]

_MIN_MERGE = 32
_MIN_GALLOP = 7


class NoOrderError(ValueError):
    """The comparator contradicts itself so badly that Java gives up (``IllegalArgumentException``)."""


def timsort(rows: Sequence[T], less: Less[T]) -> list[T]:
    """``rows`` as ``List.sort`` of Java leaves them. Raises `NoOrderError` where it throws."""
    rows = list(rows)
    if len(rows) < _MIN_MERGE:
        return _binary_insertion(rows, _leading_run(rows, 0, less), less)
    stack, minimum = _Stack(less), _minimal_run(len(rows))
    start = 0
    while start < len(rows):
        length = _leading_run(rows, start, less)
        run = rows[start : start + max(length, minimum)]
        stack.push(_binary_insertion(run, length, less))
        start += len(run)
    return stack.merged()


def _minimal_run(length: int) -> int:
    odd = 0
    while length >= _MIN_MERGE:
        odd |= length & 1
        length >>= 1
    return length + odd


def _binary_insertion(rows: list[T], start: int, less: Less[T]) -> list[T]:
    """The first ``start`` rows are sorted already; the others are put among them one by one."""
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


def _leading_run(rows: list[T], start: int, less: Less[T]) -> int:
    """The length of the run at ``start``, which is turned round where it descends."""
    if len(rows) - start < 2:
        return len(rows) - start
    end = start + 2
    descending = less(rows[start + 1], rows[start])
    while end < len(rows) and less(rows[end], rows[end - 1]) == descending:
        end += 1
    if descending:
        rows[start:end] = rows[start:end][::-1]
    return end - start


class _Stack(Generic[T]):
    """Runs that wait to be merged; their lengths fall fast enough that merges stay balanced."""

    def __init__(self, less: Less[T]) -> None:
        self._less = less
        self._runs: list[list[T]] = []
        self._gallop = _MIN_GALLOP

    def push(self, run: list[T]) -> None:
        """Add a run and restore the rule of lengths."""
        runs = self._runs
        runs.append(run)
        while len(runs) > 1:
            at = len(runs) - 2
            size = [len(run) for run in runs]
            if (at > 0 and size[at - 1] <= size[at] + size[at + 1]) or (
                at > 1 and size[at - 2] <= size[at] + size[at - 1]
            ):
                at -= size[at - 1] < size[at + 1]
            elif size[at] > size[at + 1]:
                break
            self._merge(at)

    def merged(self) -> list[T]:
        """All that was pushed."""
        while len(self._runs) > 1:
            at = len(self._runs) - 2
            self._merge(at - (at > 0 and len(self._runs[at - 1]) < len(self._runs[at + 1])))
        return self._runs[0]

    def _merge(self, at: int) -> None:
        left, right = self._runs[at], self._runs[at + 1]
        less = self._less
        head = _gallop(left, 0, lambda row: not less(right[0], row))
        tail = len(right)
        if head < len(left):
            tail = _gallop(right, len(right) - 1, lambda row: less(row, left[-1]))
        inner = left[head:]
        if inner and tail:
            merge = _Merge(less, inner, right[:tail], self._gallop)
            inner = merge.run()
            self._gallop = merge.gallop
        else:
            inner = inner + right[:tail]
        self._runs[at : at + 2] = [left[:head] + inner + right[tail:]]


def _gallop(rows: Sequence[T], hint: int, goes_right: Callable[[T], bool], start: int = 0, end: int = -1) -> int:
    """How many of ``rows[start:end]`` come first, those that ``goes_right``; looked for from the place ``hint``."""
    length = (len(rows) if end < 0 else end) - start
    near, far = 0, 1
    if goes_right(rows[start + hint]):
        limit = length - hint
        while far < limit and goes_right(rows[start + hint + far]):
            near, far = far, far * 2 + 1
        near, far = near + hint, min(far, limit) + hint
    else:
        limit = hint + 1
        while far < limit and not goes_right(rows[start + hint - far]):
            near, far = far, far * 2 + 1
        near, far = hint - min(far, limit), hint - near
    near += 1
    while near < far:
        middle = near + (far - near) // 2
        if goes_right(rows[start + middle]):
            near = middle + 1
        else:
            far = middle
    return far


class _EndedError(Exception):
    """One of two runs has nothing left to compare."""


class _Run(Generic[T]):
    """A run that is used up from the front, or from the back, until ``spare`` rows are left."""

    def __init__(self, rows: list[T], *, backwards: bool, spare: int) -> None:
        self._rows = rows
        self._backwards = backwards
        self._spare = spare
        self._start, self._end = 0, len(rows)

    @property
    def left(self) -> int:
        return self._end - self._start

    def peek(self) -> T:
        return self._rows[self._end - 1 if self._backwards else self._start]

    def take(self, count: int, out: list[T]) -> None:
        """Move ``count`` rows to ``out``. Raises `_EndedError` when too few are left."""
        if not count:
            return
        if self._backwards:
            self._end -= count
            out.extend(self._rows[self._end : self._end + count][::-1])
        else:
            self._start += count
            out.extend(self._rows[self._start - count : self._start])
        if self.left <= self._spare:
            raise _EndedError

    def gallop(self, goes_right: Callable[[T], bool]) -> int:
        """How many rows come before the other run's next one."""
        if self._backwards:
            return self.left - _gallop(self._rows, self.left - 1, goes_right, 0, self._end)
        return _gallop(self._rows, 0, goes_right, self._start, self._end)

    def rest(self) -> list[T]:
        rows = self._rows[self._start : self._end]
        return rows[::-1] if self._backwards else rows


class _Merge(Generic[T]):
    """Merges two runs; the shorter one is set aside, and its last row is known to come last."""

    def __init__(self, less: Less[T], left: list[T], right: list[T], gallop: int) -> None:
        self._less = less
        self._backwards = len(left) > len(right)
        self._left = _Run(left, backwards=self._backwards, spare=0 if self._backwards else 1)
        self._right = _Run(right, backwards=self._backwards, spare=1 if self._backwards else 0)
        self._out: list[T] = []
        #: After how many rows in a row from one side galloping begins; learnt from merge to merge.
        self.gallop = gallop

    def run(self) -> list[T]:
        """Raises `NoOrderError`."""
        aside, other = (self._right, self._left) if self._backwards else (self._left, self._right)
        learnt = self.gallop
        try:
            other.take(1, self._out)
            if aside.left > 1:
                while True:
                    self._one_by_one()
                    self._galloping()
        except _EndedError:
            pass
        if self.gallop != learnt:
            self.gallop = max(1, self.gallop)
        if not aside.left:
            raise NoOrderError("Comparison method violates its general contract!")
        self._out += other.rest() + aside.rest()
        return self._out[::-1] if self._backwards else self._out

    def _one_by_one(self) -> None:
        """Until one side was taken from so often in a row that galloping pays."""
        in_a_row, before = 0, self._left
        while in_a_row < self.gallop:
            rights_turn = self._less(self._right.peek(), self._left.peek()) != self._backwards
            run = self._right if rights_turn else self._left
            in_a_row = in_a_row + 1 if run is before else 1
            before = run
            run.take(1, self._out)

    def _galloping(self) -> None:
        """Whole stretches at a time, while they are long."""
        less, left, right = self._less, self._left, self._right
        while True:
            key = right.peek()
            lefts = left.gallop(lambda row: not less(key, row))  # noqa: B023 - called at once
            left.take(lefts, self._out)
            right.take(1, self._out)
            other = left.peek()
            rights = right.gallop(lambda row: less(row, other))  # noqa: B023 - called at once
            right.take(rights, self._out)
            left.take(1, self._out)
            self.gallop -= 1
            if lefts < _MIN_GALLOP and rights < _MIN_GALLOP:
                break
        self.gallop = max(self.gallop, 0) + 2
