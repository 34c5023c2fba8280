"""Case results: many, streamed, stored once each however often they are read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

from sqlalchemy import ColumnElement, func, select

from orchestrator.domain.errors import UnknownRunError
from orchestrator.domain.run import CaseResult, CaseStatus, FailureKind
from orchestrator.store import clean
from orchestrator.store.api import StoredCase
from orchestrator.store.database import Database
from orchestrator.store.models import CaseRow, RunRow

#: Rows a statement; memory stays flat however long the stream is.
_BATCH = 1000


class Cases(Database):
    """The part of the store that knows case results."""

    def add_cases(self, run_id: str, rows: Iterable[StoredCase]) -> None:
        """Store results; those whose ``source_id`` is there already stay as they are.

        All or none. :class:`UnknownRunError` when the run was not recorded first.
        """
        with self.writing() as session:
            if session.get(RunRow, run_id) is None:
                raise UnknownRunError(f"there is no run {run_id!r} in the history", "Record its plan first.")
            statement = self.insert_new(CaseRow)
            for batch in _batches(_row(run_id, row) for row in rows):
                session.execute(statement, batch)

    def cases(
        self, run_id: str, task: str | None = None, status: CaseStatus | None = None, limit: int = 1000
    ) -> list[StoredCase]:
        """Results of a run in the order they came, of one task or status if named."""
        query = select(CaseRow).where(CaseRow.run == run_id).order_by(CaseRow.id).limit(limit)
        if task is not None:
            query = query.where(CaseRow.task == clean.text(task, clean.NAME))
        if status is not None:
            query = query.where(CaseRow.status == status.value)
        with self.reading() as session:
            return [_stored(row) for row in session.scalars(query)]

    def failed_cases(self, run_id: str, task: str) -> set[str]:
        """Names of the cases that failed in a task of a run, however many."""
        query = select(CaseRow.name).where(*_failed(run_id, task)).distinct()
        with self.reading() as session:
            return set(session.scalars(query))

    def failures_of(self, run_id: str, task: str, attempt: int, limit: int, offset: int = 0) -> list[CaseResult]:
        """The cases that failed in one attempt at a task, in the order they came."""
        query = select(CaseRow).where(*_failed(run_id, task), CaseRow.attempt == attempt).order_by(CaseRow.id)
        with self.reading() as session:
            return [_stored(row).case for row in session.scalars(query.limit(limit).offset(offset))]

    def count_failures(self, run_id: str, task: str, attempt: int) -> int:
        """How many those are."""
        query = select(func.count()).select_from(CaseRow).where(*_failed(run_id, task), CaseRow.attempt == attempt)
        with self.reading() as session:
            return session.scalar(query) or 0


def _failed(run_id: str, task: str) -> tuple[ColumnElement[bool], ...]:
    failed = (CaseStatus.FAILED.value, CaseStatus.ERROR.value)
    return CaseRow.run == run_id, CaseRow.task == clean.text(task, clean.NAME), CaseRow.status.in_(failed)


def _batches(rows: Iterator[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    while batch := list(islice(rows, _BATCH)):
        yield batch


def _row(run_id: str, stored: StoredCase) -> dict[str, Any]:
    case = stored.case
    return {
        "run": run_id,
        "source_id": stored.source_id,
        "task": clean.text(stored.task, clean.NAME),
        "attempt": clean.count(stored.attempt),
        "name": clean.text(case.name, clean.NAME),
        "status": case.status.value,
        "seconds": clean.number(case.seconds),
        "message": clean.text(case.message),
        "kind": case.kind.value if case.kind else None,
        "file": clean.text(case.file, clean.NAME),
        "line": clean.line(case.line),
        "expected": clean.text(case.expected),
        "actual": clean.text(case.actual),
    }


def _stored(row: CaseRow) -> StoredCase:
    case = CaseResult(
        name=row.name,
        status=CaseStatus(row.status),
        seconds=row.seconds,
        message=row.message,
        kind=FailureKind(row.kind) if row.kind else None,
        file=row.file,
        line=row.line,
        expected=row.expected,
        actual=row.actual,
    )
    return StoredCase(source_id=row.source_id, task=row.task, attempt=row.attempt, case=case)
