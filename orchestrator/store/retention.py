"""What history lets go: the bulk first, the verdicts much later."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import and_, delete, or_, select

from orchestrator.store.api import OutboxState
from orchestrator.store.database import Database
from orchestrator.store.models import AuditRow, CaseRow, OutboxRow, RunRow, TaskRow

#: Rows a transaction: nobody else waits long for a write.
_BATCH = 2000


@dataclass(frozen=True, slots=True)
class Forgotten:
    """How many rows went."""

    cases: int
    runs: int
    messages: int
    deeds: int


class Retention(Database):
    """The part of the store that forgets. Measured seconds stay: they are a row a unit, whatever happens."""

    def forget(self, *, cases: float, runs: float, audit: float) -> Forgotten:
        """Remove what is older than these times (Unix seconds): case results, whole runs, audit entries.

        A run that has not ended, or whose message has not left, is kept. Messages go with their run; those that tell of
        none, or of one that is gone, as a run of their age. Interrupted, it goes on where it was.
        """
        ended = RunRow.ended < cases
        old_cases = select(CaseRow.id).join(RunRow, RunRow.id == CaseRow.run).where(ended)
        gone_cases = self._delete(CaseRow.id, old_cases)
        waiting = select(OutboxRow.run).where(OutboxRow.state == OutboxState.WAITING.value)
        old_runs = select(RunRow.id).where(RunRow.ended < runs, RunRow.id.not_in(waiting))
        of_none = (
            OutboxRow.state != OutboxState.WAITING.value,
            OutboxRow.created < runs,
            OutboxRow.run.not_in(select(RunRow.id)),
        )
        told = select(OutboxRow.id).where(or_(OutboxRow.run.in_(old_runs), and_(*of_none)))
        gone_messages = self._delete(OutboxRow.id, told)
        self._delete(CaseRow.id, select(CaseRow.id).where(CaseRow.run.in_(old_runs)))
        self._delete(TaskRow.run, old_runs)
        gone_runs = self._delete(RunRow.id, old_runs)
        gone_deeds = self._delete(AuditRow.id, select(AuditRow.id).where(AuditRow.at < audit))
        return Forgotten(gone_cases, gone_runs, gone_messages, gone_deeds)

    def _delete(self, column: Any, wanted: Any) -> int:  # noqa: ANN401 - a column and a query of its values
        """Delete the rows whose ``column`` is among ``wanted``, a batch a transaction."""
        gone, table = 0, column.class_
        if column.property.columns[0].foreign_keys:  # rows below a parent: all of them at once, parents by the batch
            wanted = wanted.where(select(table.run).where(column == wanted.selected_columns[0]).exists())
        while True:
            with self.writing() as session:
                keys = list(session.scalars(wanted.limit(_BATCH)))
                if not keys:
                    return gone
                session.execute(delete(table).where(column.in_(keys)))
                gone += len(keys)
