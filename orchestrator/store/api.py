"""What goes into the store and what comes out: plain values, importable without SQLAlchemy."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from orchestrator.domain.run import CaseResult, RunState


@dataclass(frozen=True, slots=True)
class StoredCase:
    """One case result of a run, with the key that makes storing it twice harmless."""

    #: Where it was read from, unique in its run: the id of its entry in the run's Redis stream.
    source_id: str
    #: Task id.
    task: str
    attempt: int
    case: CaseResult


@dataclass(frozen=True, slots=True)
class RunRecord:
    """What history says of a run in one row. Until it is committed, its live state is in the ledger."""

    id: str
    #: ``running`` until the run is committed.
    state: RunState
    #: SHA-256 of the plan; empty until the run is committed.
    plan: str
    profile: str
    pr_number: int | None
    parent: str | None
    repo_commit: str | None
    #: Unix seconds.
    created: float
    ended: float | None
    #: Runner-seconds.
    cost: float
    cancelled_by: str | None


class OutboxState(StrEnum):
    """Where a message stands."""

    WAITING = "waiting"
    SENT = "sent"
    #: Given up: the reason is in the record, and nobody tries again.
    DEAD = "dead"


@dataclass(frozen=True, slots=True)
class OutboxMessage:
    """A message to deliver, written in the same transaction as what it tells of."""

    run: str
    #: Name of the channel that delivers it, e.g. ``wecom``.
    channel: str
    #: What it tells: ``summary`` …
    kind: str
    #: A JSON object that the channel understands.
    payload: str
    #: A second message of the same key is not stored.
    key: str


@dataclass(frozen=True, slots=True)
class DueMessage:
    """A message that its claimer, and nobody else until the lease ends, may deliver now."""

    id: int
    message: OutboxMessage
    #: Tries, this one included.
    attempts: int
    #: Unix seconds.
    created: float


@dataclass(frozen=True, slots=True)
class OutboxEntry:
    """A message as the outbox keeps it."""

    id: int
    message: OutboxMessage
    state: OutboxState
    attempts: int
    created: float
    #: Not before this time, Unix seconds.
    next_at: float
    #: Why the last try failed.
    error: str | None
    sent_at: float | None


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One thing that somebody did, or was refused."""

    #: Unix seconds.
    at: float
    #: A person or a program.
    who: str
    #: From where: ``cli``, a chat, a host …
    origin: str
    action: str
    target: str
    result: str


@dataclass(frozen=True, slots=True)
class SlowTask:
    """What a task took in a time, in seconds."""

    task: str
    runs: int
    mean: float
    longest: float
    total: float


@dataclass(frozen=True, slots=True)
class PastFailure:
    """A run that ended with failures."""

    run: str
    #: Unix seconds.
    ended: float
    #: Paths its change touched.
    files: tuple[str, ...]
    #: What failed: ``bvt:join/apply.sql`` (or ``bvt:join``, when no script is known), ``ut:pkg/a``.
    tests: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FlakyCase:
    """A case that failed and passed on one commit."""

    task: str
    name: str
    #: Commits on which it did both.
    commits: int
    failures: int
    #: When a run with such a failure ended last, Unix seconds.
    last: float | None


@dataclass(frozen=True, slots=True)
class PrCost:
    """What a pull request's runs took."""

    pr: int
    runs: int
    failed: int
    #: Runner-seconds.
    seconds: float
    last: float


@dataclass(frozen=True, slots=True)
class DayLoad:
    """What a day's runs took."""

    #: Its beginning, Unix seconds.
    day: float
    runs: int
    failed: int
    #: Runner-seconds.
    seconds: float
