"""What an exact comparison finds where mo-tester's is lenient.

Compared exactly: the number of columns and their labels, types, NULL against the text ``NULL``, numbers (floating types
within a declared tolerance), the order of rows where the statement orders them, error texts, and codes where expected.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from decimal import Decimal, InvalidOperation
from itertools import islice, zip_longest

from orchestrator.cases.expectation import Column, Expectation, ResultSet, read_expectation
from orchestrator.cases.javatext import trim
from orchestrator.cases.script import Command, Script
from orchestrator.domain.errors import BadCaseError
from workers.bvt.cells import BIGINT, DECIMAL, DOUBLE, FLOAT, REAL
from workers.bvt.compare import Outcome, ServerMessage, VerdictKind, compare, metadata_counts
from workers.bvt.roworder import ordered_columns, top_level_order

#: How far, relative to the greater magnitude, floating values may lie apart: a FLOAT has 6 sure digits, a DOUBLE 15.
TOLERANCE = {FLOAT: Decimal("1e-6"), REAL: Decimal("1e-6"), DOUBLE: Decimal("1e-12")}
_NUMERIC = frozenset({-6, 5, 4, BIGINT, 2, DECIMAL})
#: More differences of one result than this are counted, not told.
_TOLD = 20
_CODED = re.compile(r"ERROR (\d+)(?: \((\w{5})\))?: ?(.*)", re.DOTALL)
_Row = Sequence[str | None]


def strict_differences(
    command: Command, script: Script, expectation: Expectation, outcome: Outcome, *, metadata: bool
) -> list[str]:
    """Every difference, in words; an empty list is agreement. ``metadata`` as in `compare`.

    Under ``@regex`` and ``@pattern`` the author said what counts: there mo-tester's verdict stands.
    """
    if command.regexes or command.pattern or outcome.broken is not None:
        verdict = compare(command, script, expectation, outcome, metadata=metadata)
        return [] if verdict.kind is VerdictKind.PASS else [verdict.reason]
    text = expectation.text
    if outcome.error is not None:
        return _error_differences(text, outcome.error)
    if outcome.result is None:
        return [] if text is None else [f"expected {_quoted(text)}, and the statement gave no result"]
    if text is None:
        return [f"no result is expected, and there is one of {_count(len(outcome.result.rows), 'row')}"]
    try:
        expected = read_expectation(text, command.separator)
    except BadCaseError as error:
        return [error.message]
    found = _set_differences(
        command, expected, outcome.result, header=metadata_counts(command, script, default=metadata)
    )
    told = list(islice(found, _TOLD))
    more = sum(1 for _ in found)
    return [*told, f"and {_count(more, 'more difference')}"] if more else told


def _error_differences(text: str | None, error: ServerMessage) -> list[str]:
    if text is None:
        return [f"no error is expected, and there is {_named(error)}"]
    coded = _CODED.fullmatch(trim(text))
    wanted = trim(coded[3] if coded else text)
    found = [] if wanted == trim(error.message) else [f"expected {_quoted(wanted)}, and there is {_named(error)}"]
    if coded and int(coded[1]) != error.code:
        found.append(f"expected error code {coded[1]}, and it is {error.code}")
    if coded and coded[2] and coded[2] != error.sqlstate:
        found.append(f"expected SQLSTATE {coded[2]}, and it is {error.sqlstate or 'unknown'}")
    return found


def _set_differences(command: Command, expected: ResultSet, actual: ResultSet, *, header: bool) -> Iterator[str]:
    columns = list(_column_differences(expected, actual))
    if columns and not (expected.rows or expected.full_meta or actual.rows):
        yield f"expected {_quoted(expected.columns[0].label)}, which looks like an error; there is a set without rows"
        return
    if header:
        yield from columns
    if len(expected.columns) != len(actual.columns):
        yield f"expected {_count(len(expected.columns), 'column')}, and there are {len(actual.columns)}"
        return
    if len(expected.rows) != len(actual.rows):
        yield f"expected {_count(len(expected.rows), 'row')}, and there are {len(actual.rows)}"
    comparison = _Rows(command, expected, actual)
    yield from comparison.differences()


def _column_differences(expected: ResultSet, actual: ResultSet) -> Iterator[str]:
    for number, (wanted, given) in enumerate(zip(expected.columns, actual.columns, strict=False)):
        if _plain(wanted.label) != _plain(given.label):
            yield f"column {number} is expected to be called {_quoted(wanted.label)}, and is {_quoted(given.label)}"
        elif expected.full_meta and str(wanted)[len(wanted.label) :] != str(given)[len(given.label) :]:
            yield f"column {number} is expected to be {wanted}, and is {given}"


def _plain(label: str) -> str:
    return "".join(label.split()).casefold()


class _Rows:
    """The rows of two results of the same width."""

    def __init__(self, command: Command, expected: ResultSet, actual: ResultSet) -> None:
        self.columns = actual.columns
        self.compared = [n for n in range(len(actual.columns)) if n not in command.ignore_columns]
        self.exact_null = expected.new_rowsep
        self.wanted: list[_Row] = list(expected.rows)
        self.given: list[_Row] = list(actual.rows)
        if not expected.new_rowsep:
            self.given = [[cell and cell.replace("\n", "\\n") for cell in row] for row in actual.rows]
        self.order = self._order(command)

    def _order(self, command: Command) -> list[int] | None:
        """The columns whose sequence counts; None where the order of rows is free."""
        if command.sortkeys:
            columns: list[int] | None = [n for n in command.sortkeys if 0 <= n < len(self.columns)]
        else:
            keys = top_level_order(command.sql)
            if keys is None:
                return None
            columns = ordered_columns(keys, [column.label for column in self.columns])
        return self.compared if columns is None else [n for n in columns if n in self.compared]

    def differences(self) -> Iterator[str]:
        """Rows missing, surplus or different; else, and only then, rows in another order than the statement's."""
        wanted, given = list(map(self._wanted_key, self.wanted)), list(map(self._given_key, self.given))
        differ = False
        if wanted != given:
            for left, right in self._unmatched(wanted, given):
                for difference in self._row_differences(left, right):
                    differ = True
                    yield difference
        if self.order is not None and not differ:
            yield from self._order_differences(self.order)

    def _unmatched(self, wanted: list[str], given: list[str]) -> Iterator[tuple[int | None, int | None]]:
        """Rows without an equal one on the other side, paired as they stand when sorted."""
        lefts, rights = _surplus(wanted, given), _surplus(given, wanted)
        if self.order is None:
            lefts.sort(key=wanted.__getitem__)
            rights.sort(key=given.__getitem__)
        return zip_longest(lefts, rights)

    def _wanted_key(self, row: _Row) -> str:
        cells = [row[n] or "" for n in self.compared]
        if not self.exact_null:
            cells = ["null" if _like_null(cell) else cell for cell in cells]
        return "\x1f".join(cells)

    def _given_key(self, row: _Row) -> str:
        """Texts like NULL equal nothing at once: `same_cell` looks at them."""
        cells = [row[n] for n in self.compared]
        return "\x1f".join(["null" if cell is None else f"{cell}\0" if _like_null(cell) else cell for cell in cells])

    def _row_differences(self, left: int | None, right: int | None) -> Iterator[str]:
        if left is None or right is None:
            row = self.wanted[left] if left is not None else self.given[right or 0]
            words = "is expected and missing" if left is not None else "is not expected"
            yield f"the row {_quoted(' | '.join('NULL' if cell is None else cell for cell in row))} {words}"
            return
        for number in self.compared:
            wanted, given = self.wanted[left][number] or "", self.given[right][number]
            if not same_cell(wanted, given, self.columns[number], exact_null=self.exact_null):
                shown = "SQL NULL" if given is None else _quoted(given)
                yield f"row {right}, column {number}: expected {_quoted(wanted)}, and it is {shown}"

    def _order_differences(self, columns: Sequence[int]) -> Iterator[str]:
        for number, (wanted, given) in enumerate(zip(self.wanted, self.given, strict=True)):
            for column in columns:
                left = wanted[column] or ""
                if not same_cell(left, given[column], self.columns[column], exact_null=self.exact_null):
                    yield (
                        f"the statement orders its rows, and they come in another order: row {number}, column {column} "
                        f"is expected to be {_quoted(left)}"
                    )
                    return


def _like_null(cell: str) -> bool:
    return len(cell) == 4 and cell.lower() == "null"


def _surplus(rows: Sequence[str], others: Sequence[str]) -> list[int]:
    """The numbers of those ``rows`` that have no equal left among ``others``."""
    available, surplus = Counter(others), []
    for number, row in enumerate(rows):
        if available[row]:
            available[row] -= 1
        else:
            surplus.append(number)
    return surplus


def same_cell(wanted: str, given: str | None, column: Column, *, exact_null: bool) -> bool:
    """Whether a cell is the expected one. SQL NULL is written ``null``; unless ``exact_null`` in any case."""
    if given is None:
        return wanted == "null" or (not exact_null and wanted.lower() == "null")
    if wanted == given:
        return True
    tolerance = TOLERANCE.get(column.type)
    if tolerance is None and column.type not in _NUMERIC:
        return False
    try:
        left, right = Decimal(wanted), Decimal(given)
    except InvalidOperation:
        return False
    if not (left.is_finite() and right.is_finite()):
        return False
    return left == right if tolerance is None else abs(left - right) <= tolerance * max(abs(left), abs(right))


def _named(error: ServerMessage) -> str:
    return f"error {error.code}: {_quoted(error.message)}" if error.code else f"the error {_quoted(error.message)}"


def _quoted(text: str) -> str:
    return repr(text if len(text) <= 160 else f"{text[:160]}…")


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
