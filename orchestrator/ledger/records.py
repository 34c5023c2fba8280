"""What the ledger answers."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from orchestrator.domain.run import RunState, TaskState


class Gate(StrEnum):
    """What the ``start`` gate says to a worker."""

    OK = "ok"
    #: The run is over or unknown.
    GONE = "gone"
    CANCELLED = "cancelled"
    #: A newer message for this shard was sent.
    STALE = "stale"
    #: Another worker has it: this message is a copy.
    DUPLICATE = "duplicate"
    #: The task has ended already.
    FINISHED = "finished"


class Beat(StrEnum):
    """What a heartbeat is answered."""

    OK = "ok"
    CANCELLED = "cancelled"
    STALE = "stale"


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message for a shard: a later one makes an earlier one harmless."""

    run: str
    shard: str
    delivery: int
    queue: str = ""
    priority: int = 0


@dataclass(frozen=True, slots=True)
class Progress:
    """Counters of a run, read in one call."""

    run: str
    state: RunState
    #: Tasks by state; every state is present.
    tasks: dict[TaskState, int]
    total: int
    cases_passed: int
    cases_failed: int
    cases_skipped: int
    #: Unix seconds of the Redis host.
    created: float
    ended: float | None
    pr_number: int | None
    parent: str | None
    profile: str
    #: Runner-seconds so far.
    cost: float
    #: Who asked for the end.
    cancelled_by: str | None
    #: Who started it.
    who: str = ""
    #: When the end was asked for.
    cancelled_at: float | None = None
    #: Tasks that failed first and passed then.
    flaky: int = 0
    #: Commit under test, and SHA-256 of the plan.
    commit: str = ""
    plan: str = ""

    @property
    def done(self) -> int:
        """How many tasks have ended."""
        return sum(count for state, count in self.tasks.items() if state.final)

    @property
    def complete(self) -> bool:
        """Whether every task has ended (the summary may still be on its way)."""
        return self.done == self.total


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened in a run.

    ``started``, ``finished``, ``retried``, ``overlap`` (two hosts had a task), ``yielded`` (one that was cut off had
    ended it before another began), ``failure``, ``command`` or ``ended``;
    ``id`` begins with Redis' time in milliseconds.
    """

    id: str
    kind: str
    fields: dict[str, str]

    @property
    def seconds(self) -> float:
        """When it happened, Unix seconds."""
        return int(self.id.partition("-")[0]) / 1000


def events_of(rows: Iterable[tuple[str, dict[str, str]]]) -> list[Event]:
    """The events in some rows of a stream; one of no kind is none of ours, and nobody takes it for anything."""
    return [Event(entry, fields.pop("kind", ""), fields) for entry, fields in rows]
