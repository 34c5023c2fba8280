"""What is answered: values with a bounded size, whose lists go on after a cursor."""

from __future__ import annotations

from dataclasses import dataclass

from orchestrator.domain.run import CaseResult, RunState, TaskResult, TaskState
from orchestrator.store import FlakyCase, PrCost, SlowTask

#: Entries of a page.
MAX_PAGE = 200


@dataclass(frozen=True, slots=True)
class RunRow:
    """A run in one row."""

    run: str
    state: RunState
    pull: int | None
    parent: str | None
    #: Unix seconds.
    created: float
    ended: float | None
    #: Runner-seconds.
    cost: float
    cancelled_by: str | None = None


@dataclass(frozen=True, slots=True)
class RunView:
    """A run as it stands, its first tasks that need attention in full."""

    run: str
    state: RunState
    plan: str
    commit: str | None
    pull: int | None
    parent: str | None
    created: float
    ended: float | None
    #: Runner-seconds so far, and as the plan estimated them.
    cost: float
    estimated_cost: float
    cancelled_by: str | None
    #: Tasks by state; only states that occur.
    counts: dict[str, int]
    total: int
    #: The exit code a command waiting for it ends with; None while it runs.
    exit_code: int | None
    #: Tasks neither passed nor skipped, without their failures: those are read by task.
    attention: tuple[TaskResult, ...]
    #: How many such tasks there are in all.
    attention_total: int


@dataclass(frozen=True, slots=True)
class TaskPage:
    """Tasks of a run."""

    tasks: tuple[TaskResult, ...]
    total: int
    #: ``offset`` of the next page; None at the end.
    next: int | None


@dataclass(frozen=True, slots=True)
class Failure:
    """A case that failed."""

    task: str
    attempt: int
    case: CaseResult


@dataclass(frozen=True, slots=True)
class FailurePage:
    """Failures of a run in the order of their tasks."""

    run: str
    failures: tuple[Failure, ...]
    total: int
    next: int | None


@dataclass(frozen=True, slots=True)
class LogPage:
    """Lines of a task's log."""

    run: str
    task: str
    lines: tuple[str, ...]
    #: Give it back as ``after`` to read on; the same as before when there was nothing new.
    cursor: str
    #: Whether the task has ended, so that no line will follow.
    ended: bool


@dataclass(frozen=True, slots=True)
class EventView:
    """Something that happened in a run."""

    id: str
    #: ``started``, ``finished``, ``retried``, ``failure``, ``command`` or ``ended``.
    kind: str
    fields: dict[str, str]


@dataclass(frozen=True, slots=True)
class EventPage:
    """Events of a run."""

    run: str
    events: tuple[EventView, ...]
    #: Give it back as ``after`` to read on.
    cursor: str
    ended: bool


@dataclass(frozen=True, slots=True)
class Watched:
    """What happened in a run while somebody watched, and how it stands now."""

    run: str
    state: RunState
    #: Tasks by state; only states that occur.
    counts: dict[str, int]
    total: int
    events: tuple[EventView, ...]
    #: Give it back as ``after`` to watch on.
    cursor: str
    #: Whether the run has its verdict, so that nothing will follow.
    ended: bool


@dataclass(frozen=True, slots=True)
class QueueView:
    """A queue and who serves it."""

    queue: str
    #: Messages waiting.
    length: int
    #: Seconds since the oldest shard in it was sent; 0 when none waits.
    age: float
    workers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class HostView:
    """A worker, as it speaks of itself."""

    name: str
    version: str
    queues: tuple[str, ...]
    #: Shards at once, and what runs now: ``run|shard``.
    concurrency: int
    running: tuple[str, ...]
    #: Seconds since it was last heard.
    silent: float
    load: float
    #: What an operator wants of it: ``active``, ``pause``, ``drain`` or ``remove``.
    wanted: str
    #: What is the matter with it, a few words each; empty: nothing.
    faults: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Fleet:
    """Queues and workers."""

    queues: tuple[QueueView, ...]
    hosts: tuple[HostView, ...] = ()


@dataclass(frozen=True, slots=True)
class Stats:
    """What history says of the last runs."""

    runs: int
    by_state: dict[str, int]
    #: Seconds, of runs that ended: median and 90th percentile.
    median_seconds: float
    p90_seconds: float
    runner_seconds: float
    live: int
    #: Of the last thirty days: what takes most runner time, what is flaky, what pull requests cost.
    slowest: tuple[SlowTask, ...] = ()
    flakiest: tuple[FlakyCase, ...] = ()
    costs: tuple[PrCost, ...] = ()


@dataclass(frozen=True, slots=True)
class AuditView:
    """One thing that somebody did, or was refused."""

    at: float
    who: str
    origin: str
    action: str
    target: str
    result: str


def count(states: tuple[TaskState, ...]) -> dict[str, int]:
    """How often each state occurs, those that do not left out."""
    return {state.value: states.count(state) for state in TaskState if state in states}
