"""What a result file (``.result``) expects of each command: nothing, a result set, or an error text.

The file itself does not say which of the two a text is: any text can be read as a set, and is compared as an error
only when the server answers with one. A result set comes in three forms: *full* (labels with types, rows told apart by
U+1D100), *intermediate* (plain labels, same separators) and *legacy* (plain labels; cells told apart by tab or four
blanks).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from orchestrator.cases.javatext import lines, parse_int, trim
from orchestrator.cases.script import Command, Script, Separator
from orchestrator.domain.errors import BadCaseError

COLUMN_SEPARATOR = "  \u00a6  "
ROW_SEPARATOR = "  \U0001d100\n"
FULL_HEADER = "\u27a4 "
#: The precision Connector/J 8.0.15 answers for text of no declared length; written -1.
_UNLIMITED = 715827882
_REGEX_LINE = "-- @regex"


@dataclass(frozen=True, slots=True)
class Column:
    """A column's label and metadata; ``type`` is a java.sql.Types number (12 VARCHAR where a result does not say)."""

    label: str
    type: int = 12
    precision: int = 0
    scale: int = 0

    def __str__(self) -> str:
        precision = -1 if self.precision == _UNLIMITED else self.precision
        return f"{self.label}[{self.type},{precision},{self.scale}]"


@dataclass(frozen=True, slots=True)
class ResultSet:
    """Columns and rows of cell texts; None is SQL NULL, which only a server's answer can hold.

    ``full_meta``: the header gives types. ``new_rowsep``: rows are told apart by U+1D100, so cells may hold line feeds.
    """

    columns: tuple[Column, ...]
    rows: Sequence[Sequence[str | None]]
    full_meta: bool = True
    new_rowsep: bool = True


@dataclass(frozen=True, slots=True)
class Expectation:
    """The slice of a result file that belongs to one command; ``text`` None expects nothing.

    ``line`` is the 1-based line of the result file where the slice starts, for messages.
    """

    text: str | None
    line: int = field(default=0, compare=False)


class MismatchError(BadCaseError):
    """The result file does not hold the commands of its script, in their order."""


def split_expectations(script: Script, text: str) -> tuple[Expectation, ...]:
    """One expectation a command of ``script``, cut from the result file's ``text``. Raises `MismatchError`.

    A command's expectation reaches to the first place where the next command's text occurs, even in mid-line.
    """
    text = "\n".join(lines(text))
    cursor, line, found = 0, 1, list[Expectation]()
    following: list[Command | None] = [*script.commands[1:], None]
    for command, after in zip(script.commands, following, strict=False):
        if not text.startswith(command.sql, cursor):
            raise _mismatch("Command", script.path, command)
        end = cursor + len(command.sql)
        start = end + 1
        line += command.sql.count("\n") + 1
        if after is None:
            found.append(Expectation(_without_regexes(text[start:]), line))
            break
        position = text.find(after.sql, end)
        if position < 0:
            missing = text.find(after.sql, cursor) < 0
            raise _mismatch("Next command" if missing else "Command", script.path, after)
        slice_ = text[start : position - 1] if start < position else ""
        found.append(Expectation(_without_regexes(slice_), line))
        line += text.count("\n", start, position)
        cursor = position
    return tuple(found)


def _mismatch(what: str, path: str, command: Command) -> MismatchError:
    return MismatchError(
        f"{what} does not exist in result file: [{path}][{command.line}]:{trim(command.sql)}",
        "The result file was made from another state of the script: generate it anew.",
    )


def _without_regexes(text: str) -> str | None:
    if _REGEX_LINE in text:
        kept = [line for line in text.split("\n") if not trim(line).startswith(_REGEX_LINE)]
        text = "\n".join(kept)
    return text or None


def read_expectation(text: str, separator: Separator) -> ResultSet:
    """``text`` read as a result set. Raises BadCaseError where its header holds a type that is not a number.

    Each row is cut to the header's width; missing cells are empty.
    """
    new_rowsep = ROW_SEPARATOR in text
    if not new_rowsep:
        text = _mark_columns(text, separator)
    header, *bodies = text.split(ROW_SEPARATOR if new_rowsep else "\n")
    full = header.startswith(FULL_HEADER)
    labels = header.removeprefix(FULL_HEADER).split(COLUMN_SEPARATOR)
    columns = tuple(map(_full_column if full else Column, labels))
    width = len(columns)
    rows = []
    for body in bodies:
        cells = body.split(COLUMN_SEPARATOR)
        if len(cells) != width:
            cells = (cells + [""] * width)[:width]
        rows.append(cells)
    return ResultSet(columns, rows, full, new_rowsep)


def _mark_columns(text: str, separator: Separator) -> str:
    if separator in {"both", "space"}:
        text = text.replace("    ", COLUMN_SEPARATOR)
    if separator in {"both", "table"}:
        text = text.replace("\t", COLUMN_SEPARATOR)
    return text


def _full_column(text: str) -> Column:
    bracket = text.rfind("[")
    if bracket <= 0 or not text.endswith("]"):
        return Column(text)
    parts = text[bracket + 1 : -1].split(",")
    if len(parts) != 3:
        return Column(text[:bracket])
    try:
        type_, precision, scale = (parse_int(trim(part)) for part in parts)
    except ValueError as error:
        raise BadCaseError(
            f"the header of an expected result holds {text}: {error}",
            "Write label[type,precision,scale] with whole numbers, or generate the result file anew.",
        ) from error
    return Column(text[:bracket], type_, precision, scale)


def render_set(result: ResultSet) -> str:
    """``result`` in full form, as genrs writes it and reports show it: header with types, then rows; NULL is null."""
    header = FULL_HEADER + COLUMN_SEPARATOR.join(map(str, result.columns))
    bodies = (COLUMN_SEPARATOR.join("null" if cell is None else cell for cell in row) for row in result.rows)
    return ROW_SEPARATOR.join([header, *bodies])
