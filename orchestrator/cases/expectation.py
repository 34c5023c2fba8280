"""What a result file (``.result``) expects of each command: nothing, a result set, or an error text.

The file itself does not say which of the two a text is: any text can be read as a set, and is compared as an error
only when the server answers with one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from orchestrator.cases.script import Script, Separator
from orchestrator.domain.errors import BadCaseError


@dataclass(frozen=True, slots=True)
class Column:
    """A column's label and metadata; ``type`` is a java.sql.Types number (12 VARCHAR where a result does not say)."""

    label: str
    type: int = 12
    precision: int = 0
    scale: int = 0


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

    ``line`` is the 1-based line of the result file where the slice starts.
    """

    text: str | None
    line: int = 0


class MismatchError(BadCaseError):
    """The result file does not hold the commands of its script."""


def split_expectations(script: Script, text: str) -> tuple[Expectation, ...]:
    """One expectation a command of ``script``, cut from the result file's ``text``. Raises `MismatchError`."""
    raise NotImplementedError


def read_expectation(text: str, separator: Separator) -> ResultSet:
    """``text`` read as a result set. Raises BadCaseError where its header holds a type that is not a number."""
    raise NotImplementedError


def render_set(result: ResultSet) -> str:
    """``result`` in full form, as genrs writes it and reports show it: header with types, then rows."""
    raise NotImplementedError
