"""The audit log: who did, or was refused, what. Rows are added and read, nothing else."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from sqlalchemy import select

from orchestrator.store import clean
from orchestrator.store.api import AuditEntry
from orchestrator.store.database import Database
from orchestrator.store.models import AuditRow


class Audit(Database):
    """The part of the store that remembers deeds."""

    def audit(  # noqa: PLR0913 - the columns of the log
        self, who: str, origin: str, action: str, target: str, result: str, at: float | None = None
    ) -> None:
        """Add one entry; ``at`` (Unix seconds) is now unless told."""
        entry = AuditEntry(time.time() if at is None else at, who, origin, action, target, result)
        with self.writing() as session:
            session.add(AuditRow(**_columns(entry)))

    def audit_deeds(self, deeds: Sequence[tuple[str, AuditEntry]]) -> None:
        """Add entries that came from elsewhere, each with its id there; those that are here already stay."""
        if deeds:
            rows = [{"source_id": clean.text(source, clean.NAME), **_columns(entry)} for source, entry in deeds]
            with self.writing() as session:
                session.execute(self.insert_new(AuditRow), rows)

    def audit_log(self, limit: int = 100, target: str | None = None) -> list[AuditEntry]:
        """The newest entries first, about one target if named."""
        query = select(AuditRow).order_by(AuditRow.id.desc()).limit(limit)
        if target is not None:
            query = query.where(AuditRow.target == target)
        with self.reading() as session:
            return [
                AuditEntry(row.at, row.who, row.origin, row.action, row.target, row.result)
                for row in session.scalars(query)
            ]


def _columns(entry: AuditEntry) -> dict[str, Any]:
    return {
        "at": clean.number(entry.at),
        "who": clean.text(entry.who, clean.NAME),
        "origin": clean.text(entry.origin, clean.NAME),
        "action": clean.text(entry.action, clean.NAME),
        "target": clean.text(entry.target, clean.NAME),
        "result": clean.text(entry.result),
    }
