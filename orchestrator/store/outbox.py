"""The outbox: messages wait here, survive every restart, and leave in order, one channel at a time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select, update

from orchestrator.store import clean
from orchestrator.store.api import DueMessage, OutboxEntry, OutboxMessage, OutboxState
from orchestrator.store.database import Database
from orchestrator.store.models import OutboxRow

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

#: Claims are made one after the other, or two drainers could take neighbours and swap them.
_CLAIM_LOCK = 0x6D6F_7470_0002

#: Seconds a claimed message stays with its claimer; longer than any one delivery takes.
LEASE = 120.0


class Outbox(Database):
    """The part of the store that knows messages."""

    def enqueue(self, messages: Sequence[OutboxMessage], created: float) -> None:
        """Store messages outside of a run's commit; those whose key is known are left out."""
        if messages:
            with self.writing() as session:
                session.execute(self.insert_new(OutboxRow), [message_row(m, created) for m in messages])

    def due(self, now: float, limit: int, *, channel: str | None = None, lease: float = LEASE) -> list[DueMessage]:
        """Claim up to ``limit`` messages that may be delivered at ``now`` (Unix seconds), oldest first.

        A channel whose oldest message waits for its retry, or is in somebody else's hands, offers nothing: order within
        a channel is kept. A claim ends with :meth:`sent`, :meth:`failed`, :meth:`give_up`, or ``lease`` seconds later.
        """
        claimed: list[DueMessage] = []
        with self.writing(alone=_CLAIM_LOCK) as session:
            for name in [channel] if channel is not None else _waiting_channels(session):
                for row in _head(session, name, now, limit - len(claimed)):
                    row.lease_until = now + lease
                    row.attempts += 1
                    claimed.append(DueMessage(row.id, _message(row), row.attempts, row.created))
        return claimed

    def waiting_channels(self) -> list[str]:
        """Names of the channels that have messages waiting."""
        with self.reading() as session:
            return _waiting_channels(session)

    def backlog(self, channel: str) -> int:
        """How many messages of a channel are waiting."""
        waiting = (OutboxRow.state == OutboxState.WAITING.value, OutboxRow.channel == channel)
        with self.reading() as session:
            return int(session.scalar(select(func.count()).select_from(OutboxRow).where(*waiting)) or 0)

    def release(self, message_ids: Sequence[int]) -> None:
        """Give claimed messages back untried."""
        waiting = OutboxRow.state == OutboxState.WAITING.value
        values = {"lease_until": 0.0, "attempts": OutboxRow.attempts - 1}
        with self.writing() as session:
            session.execute(update(OutboxRow).where(OutboxRow.id.in_(message_ids), waiting).values(**values))

    def sent(self, message_id: int, at: float | None = None) -> None:
        """The channel took the message."""
        self._close(message_id, state=OutboxState.SENT.value, sent_at=at, error=None)

    def failed(self, message_id: int, error: str, retry_at: float) -> None:
        """A try failed; the next one is not before ``retry_at`` (Unix seconds)."""
        self._close(message_id, error=clean.text(error), next_at=retry_at, lease_until=0.0)

    def give_up(self, message_id: int, error: str) -> None:
        """No try will ever succeed: the message stays on record with the reason."""
        self._close(message_id, state=OutboxState.DEAD.value, error=clean.text(error))

    def outbox(
        self, run_id: str | None = None, state: OutboxState | None = None, limit: int = 100
    ) -> list[OutboxEntry]:
        """Messages as they stand, oldest first."""
        query = select(OutboxRow).order_by(OutboxRow.id).limit(limit)
        if run_id is not None:
            query = query.where(OutboxRow.run == run_id)
        if state is not None:
            query = query.where(OutboxRow.state == state.value)
        with self.reading() as session:
            return [_entry(row) for row in session.scalars(query)]

    def _close(self, message_id: int, **values: Any) -> None:  # noqa: ANN401 - column values
        """Change a message that is still waiting: whoever answers late changes nothing."""
        waiting = OutboxRow.state == OutboxState.WAITING.value
        with self.writing() as session:
            session.execute(update(OutboxRow).where(OutboxRow.id == message_id, waiting).values(**values))


def message_row(message: OutboxMessage, created: float) -> dict[str, Any]:
    """The columns of a new message."""
    return {
        "run": message.run,
        "channel": message.channel,
        "kind": message.kind,
        "payload": clean.text(message.payload, len(message.payload)),
        "key": message.key,
        "state": OutboxState.WAITING.value,
        "attempts": 0,
        "created": clean.number(created),
        "next_at": 0.0,
        "lease_until": 0.0,
    }


def _waiting_channels(session: Session) -> list[str]:
    waiting = select(OutboxRow.channel).where(OutboxRow.state == OutboxState.WAITING.value)
    return sorted(session.scalars(waiting.distinct()))


def _head(session: Session, channel: str, now: float, limit: int) -> list[OutboxRow]:
    """The oldest waiting messages of a channel up to the first that may not leave yet."""
    waiting = (
        select(OutboxRow)
        .where(OutboxRow.state == OutboxState.WAITING.value, OutboxRow.channel == channel)
        .order_by(OutboxRow.id)
        .limit(max(0, limit))
    )
    head: list[OutboxRow] = []
    for row in session.scalars(waiting):
        if row.next_at > now or row.lease_until > now:
            break
        head.append(row)
    return head


def _message(row: OutboxRow) -> OutboxMessage:
    return OutboxMessage(run=row.run, channel=row.channel, kind=row.kind, payload=row.payload, key=row.key)


def _entry(row: OutboxRow) -> OutboxEntry:
    return OutboxEntry(
        id=row.id,
        message=_message(row),
        state=OutboxState(row.state),
        attempts=row.attempts,
        created=row.created,
        next_at=row.next_at,
        error=row.error,
        sent_at=row.sent_at,
    )
