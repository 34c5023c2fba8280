"""The quarantine list: one entry a test and profile."""

from __future__ import annotations

from sqlalchemy import delete, select

from orchestrator.domain.quarantine import Quarantine
from orchestrator.store import clean
from orchestrator.store.database import Database
from orchestrator.store.models import QuarantineRow


class Quarantines(Database):
    """The part of the store that knows which failures block nobody."""

    def quarantine(self, profile: str, entry: Quarantine) -> None:
        """Put a test on the list, or change its entry."""
        row = QuarantineRow(
            profile=clean.text(profile, clean.NAME),
            test=clean.text(entry.test, clean.NAME),
            owner=clean.text(entry.owner, clean.NAME),
            until=clean.number(entry.until),
            reason=clean.text(entry.reason, clean.NAME),
        )
        with self.writing() as session:
            session.merge(row)

    def release_quarantine(self, profile: str, test: str) -> bool:
        """Take a test off the list; False when it was not on it."""
        wanted = (QuarantineRow.profile == profile, QuarantineRow.test == clean.text(test, clean.NAME))
        with self.writing() as session:
            gone = session.execute(delete(QuarantineRow).where(*wanted).returning(QuarantineRow.test))
            return gone.scalar() is not None

    def quarantines(self, profile: str, at: float | None = None) -> list[Quarantine]:
        """A profile's entries by time of expiry; with ``at`` (Unix seconds) only those that hold then."""
        query = select(QuarantineRow).where(QuarantineRow.profile == profile)
        if at is not None:
            query = query.where(QuarantineRow.until > at)
        with self.reading() as session:
            rows = session.scalars(query.order_by(QuarantineRow.until, QuarantineRow.test))
            return [Quarantine(row.test, row.owner, row.until, row.reason) for row in rows]
