"""Does what the server answered agree with the expectation? mo-tester's verdict, leniencies included.

Where mo-tester crashes, and with it the whole run, the command is ABNORMAL here and the run goes on.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from orchestrator.cases.expectation import (
    FULL_HEADER,
    ROW_SEPARATOR,
    Expectation,
    ResultSet,
    read_expectation,
    render_set,
)
from orchestrator.cases.javaregex import EndlessRegexError, UnsupportedRegexError, found
from orchestrator.cases.javatext import equals_ignore_case, trim
from orchestrator.cases.script import Command, Script
from orchestrator.domain.errors import BadCaseError
from workers.bvt.cells import NotANumberError, cells_equal
from workers.bvt.ordering import Row, SortKeyError, row_text, sort_rows, sort_rows_keeping
from workers.bvt.timsort import NoOrderError

#: A plain label that holds one of these is taken for an expression and not compared.
_EXPRESSION = frozenset("+-*/%&><()!='\"")


class VerdictKind(StrEnum):
    """How one command ended."""

    PASS = "PASS"  # noqa: S105 - a verdict, no password
    FAILED = "FAILED"
    IGNORED = "IGNORED"
    ABNORMAL = "ABNORMAL"


@dataclass(frozen=True, slots=True)
class Verdict:
    """A command's end and, unless it passed, why."""

    kind: VerdictKind
    reason: str = ""


@dataclass(frozen=True, slots=True)
class ServerMessage:
    """An error as the server words it, with its MySQL code and SQLSTATE where known."""

    message: str
    code: int = 0
    sqlstate: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a command gave: nothing (all three None), a result set, or an error.

    ``broken`` says why the fetch of a started result set broke off; ``result`` then holds what came before.
    """

    result: ResultSet | None = None
    error: ServerMessage | None = None
    broken: str | None = None


_PASS = Verdict(VerdictKind.PASS)


class _CrashError(Exception):
    """mo-tester dies here, and with it the run; the text says of what."""


def compare(command: Command, script: Script, expectation: Expectation, outcome: Outcome, *, metadata: bool) -> Verdict:
    """The verdict of mo-tester; ABNORMAL where it would crash. ``metadata`` is the default of the run (off: nometa)."""
    metadata = metadata_counts(command, script, default=metadata)
    try:
        difference = _difference(command, expectation, outcome, metadata=metadata)
    except BadCaseError as error:
        return _crash(error.message)
    except EndlessRegexError as error:
        return Verdict(VerdictKind.ABNORMAL, f"mo-tester hangs here: {error}")
    except (_CrashError, UnsupportedRegexError, NotANumberError, SortKeyError, NoOrderError) as error:
        return _crash(str(error))
    return _PASS if difference is None else Verdict(VerdictKind.FAILED, difference)


def metadata_counts(command: Command, script: Script, *, default: bool) -> bool:
    """Whether headers are compared: the statement's ``@metacmp``, else the document's, else the run's ``default``."""
    flags = (command.metacmp, script.doc_metacmp, default)
    return next(flag for flag in flags if flag is not None)


def _crash(reason: str) -> Verdict:
    return Verdict(VerdictKind.ABNORMAL, f"mo-tester crashes here: {reason}")


def as_compared(result: ResultSet, expectation: Expectation) -> ResultSet:
    r"""``result`` with NULL as the text ``null``, and LF as ``\n`` unless the expectation has the new row separator."""
    keeps_line_feeds = expectation.text is None or ROW_SEPARATOR in expectation.text
    rows = [["null" if cell is None else cell for cell in row] for row in result.rows]
    if not keeps_line_feeds and any("\n" in cell for row in rows for cell in row):
        rows = [[cell.replace("\n", "\\n") for cell in row] for row in rows]
    return ResultSet(result.columns, rows)


def _difference(command: Command, expectation: Expectation, outcome: Outcome, *, metadata: bool) -> str | None:
    """What the first rule that applies finds wrong; None if nothing. Raises where mo-tester crashes."""
    text = expectation.text
    if outcome.result is not None and outcome.result.rows and text is None:
        raise _CrashError("the statement returns rows and none are expected")
    expected = None
    if text is not None and (outcome.result is not None or text.startswith(FULL_HEADER)):
        expected = read_expectation(text, command.separator)
    actual = None if outcome.result is None else as_compared(outcome.result, expectation)
    if command.regexes or command.pattern:
        return (
            _pattern_difference(text, outcome) if not command.regexes else _regex_difference(command, outcome, actual)
        )
    if outcome.broken is not None:
        return f"the result set breaks off: {outcome.broken}"
    if outcome.error is not None:
        return _error_difference(text, outcome.error.message)
    if actual is not None and expected is not None:
        return _set_difference(command, expected, actual, metadata=metadata)
    return _kind_difference(text, actual)


def _kind_difference(text: str | None, actual: ResultSet | None) -> str | None:
    if actual is not None:
        return "no result is expected, and there is a result set without rows"
    return None if text is None else "a result or an error is expected, and there is none"


def _regex_difference(command: Command, outcome: Outcome, actual: ResultSet | None) -> str | None:
    if outcome.broken is not None:
        return f"the result set breaks off: {outcome.broken}"
    text = outcome.error.message if outcome.error is not None else render_set(actual) if actual is not None else ""
    if not text:
        return "there is neither a result set nor the text of an error that @regex could look at"
    for regex in command.regexes:
        if found(regex.pattern, text) != regex.include:
            return f"@regex {regex.pattern!r} is {'not ' if regex.include else ''}found in the answer"
    return None


def _pattern_difference(text: str | None, outcome: Outcome) -> str | None:
    if outcome.error is None or not outcome.error.message:
        return "@pattern looks at errors, and there is none"
    if text is None:
        raise _CrashError("@pattern has no expected text to use as a pattern")
    if not found(text, outcome.error.message, whole=True):
        return f"the error does not match @pattern as a whole: {_short(outcome.error.message)}"
    return None


def _error_difference(text: str | None, message: str) -> str | None:
    if text is None:
        return f"no error is expected: {_short(message)}"
    return None if trim(text) == trim(message) else f"another error or a result is expected: {_short(message)}"


def _set_difference(command: Command, expected: ResultSet, actual: ResultSet, *, metadata: bool) -> str | None:
    if metadata and (difference := _metadata_difference(expected, actual)):
        return difference
    if len(expected.rows) != len(actual.rows):
        return f"{len(expected.rows)} rows are expected, and there are {len(actual.rows)}"
    wanted, given = _texts(expected), _texts(actual)
    if wanted == given and not command.sortkeys:
        return None
    if command.sortkeys:
        wanted, given = (sort_rows_keeping(rows, command.sortkeys) for rows in (wanted, given))
    else:
        wanted, given = sort_rows(wanted), sort_rows(given)
    types = [column.type for column in actual.columns]
    for number, (left, right) in enumerate(zip(wanted, given, strict=True), 1):
        difference = _row_difference(left, right, types, command.ignore_columns)
        if difference is not None:
            return f"row {number} as sorted: {difference}"
    return None


def _texts(result: ResultSet) -> list[Row]:
    return result.rows  # type: ignore[return-value]  # both sides hold texts only: see `as_compared`


def _metadata_difference(expected: ResultSet, actual: ResultSet) -> str | None:
    for number, column in enumerate(expected.columns):
        if not expected.full_meta and not _EXPRESSION.isdisjoint(column.label):
            continue
        if number >= len(actual.columns):
            raise _CrashError(f"{len(expected.columns)} columns are expected, and there are {len(actual.columns)}")
        other = actual.columns[number]
        wanted, given = (str(column), str(other)) if expected.full_meta else (column.label, other.label)
        if not equals_ignore_case(wanted, given):
            return f"column {number} is expected to be {_short(wanted)}, and is {_short(given)}"
    return None


def _row_difference(expected: Row, actual: Row, types: list[int], ignored: tuple[int, ...]) -> str | None:
    if expected == actual or row_text(expected) == row_text(actual):
        return None
    if len(expected) != len(actual):
        return f"{len(expected)} columns are expected, and there are {len(actual)}"
    for column, (wanted, given) in enumerate(zip(expected, actual, strict=True)):
        if column not in ignored and not cells_equal(wanted, given, types[column]):
            return f"column {column} is expected to be {_short(wanted)}, and is {_short(given)}"
    return None


def _short(text: str) -> str:
    return repr(text if len(text) <= 120 else f"{text[:120]}…")
