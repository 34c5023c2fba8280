"""A plan being executed, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from orchestrator.domain.errors import (
    EXIT_CANCELLED,
    EXIT_FAILED,
    EXIT_INFRASTRUCTURE,
    EXIT_PASSED,
)
from orchestrator.domain.plan import TestTask


class TaskState(StrEnum):
    """Where a task of a run stands. ``error`` and ``lost`` are infrastructure and never shown as failed."""

    PENDING = "pending"
    RUNNING = "running"
    PASSED = "passed"
    FAILED = "failed"
    SKIPPED = "skipped"
    CANCELLED = "cancelled"
    ERROR = "error"
    LOST = "lost"

    @property
    def final(self) -> bool:
        """Whether the task has ended."""
        return self not in (TaskState.PENDING, TaskState.RUNNING)


class RunState(StrEnum):
    """Where a run stands."""

    PLANNED = "planned"
    RUNNING = "running"
    PASSED = "passed"
    FAILED = "failed"
    CANCELLED = "cancelled"
    ERROR = "error"

    @property
    def final(self) -> bool:
        """Whether the run has its one summary."""
        return self not in (RunState.PLANNED, RunState.RUNNING)

    @property
    def exit_code(self) -> int:
        """The exit code a command waiting for this run ends with."""
        return {
            RunState.PASSED: EXIT_PASSED,
            RunState.FAILED: EXIT_FAILED,
            RunState.CANCELLED: EXIT_CANCELLED,
        }.get(self, EXIT_INFRASTRUCTURE)


class CaseStatus(StrEnum):
    """How one Go test, SQL command or finding ended."""

    PASSED = "passed"
    FAILED = "failed"
    SKIPPED = "skipped"
    ERROR = "error"


class FailureKind(StrEnum):
    """What kind of failure a case met: told apart because the next step differs."""

    TEST = "test"
    BUILD = "build"
    PANIC = "panic"
    RACE = "race"
    TIMEOUT = "timeout"
    FINDING = "finding"
    MISMATCH = "mismatch"
    STRICT = "strict"
    ABNORMAL = "abnormal"


@dataclass(frozen=True, slots=True)
class ShardSpec:
    """All a worker needs to know of its shard: what the ledger keeps for it, so that no worker reads a whole plan."""

    run: str
    shard: str
    #: Name of the profile; its contents come from the worker's own disk.
    profile: str
    #: Commit to check out (40 hex digits).
    commit: str
    #: In the order they run.
    tasks: tuple[TestTask, ...]


@dataclass(frozen=True, slots=True)
class CaseResult:
    """One Go test, one SQL command or one finding. Streams while its task runs."""

    name: str
    status: CaseStatus
    seconds: float = 0.0
    #: What went wrong, as the tool said it; capped by the sender.
    message: str = ""
    kind: FailureKind | None = None
    #: Where: a path in the tree under test and a 1-based line, when known.
    file: str | None = None
    line: int | None = None
    #: SQL only.
    expected: str | None = None
    actual: str | None = None


@dataclass(frozen=True, slots=True)
class Stop:
    """How the end of a running task went, each in seconds after it was asked for."""

    #: The first signal was sent.
    signalled: float
    #: No process of the test was left.
    gone: float
    #: What it had used - a SQL server, a lock - was given back or removed.
    cleaned: float


@dataclass(frozen=True, slots=True)
class TaskResult:
    """How a task of a run ended (or stands)."""

    task: str
    state: TaskState
    attempt: int = 1
    seconds: float = 0.0
    #: Of ``seconds``, what making the shard ready took: the tree, a server. Its first task pays for it.
    setup: float = 0.0
    #: Cases by status.
    passed: int = 0
    failed: int = 0
    skipped: int = 0
    #: One line: why it is not passed.
    message: str = ""
    #: The first failures, capped: all of them are in the store.
    failures: tuple[CaseResult, ...] = ()
    #: Where it ran.
    host: str | None = None
    #: The command line to run this test by hand, when there is one.
    reproduce: str | None = None
    #: It failed first and passed when it was tried again on the same commit.
    flaky: bool = False
    #: Its failure blocks nothing: who owns that, until when, and why. ``None``: it does.
    quarantine: str | None = None
    #: When it was cancelled while it ran.
    stop: Stop | None = None

    @property
    def counts_as(self) -> TaskState:
        """Its state in the verdict of its run: a failure in quarantine blocks nothing."""
        return TaskState.PASSED if self.quarantine and self.state is TaskState.FAILED else self.state

    @property
    def unnamed(self) -> int:
        """Cases that failed beside those in :attr:`failures`."""
        return max(0, self.failed - len(self.failures))


@dataclass(frozen=True, slots=True)
class RunSummary:
    """What is told when a run ends: exactly one a run."""

    run: str
    state: RunState
    plan: str
    profile: str
    pr_number: int | None
    parent: str | None
    #: Unix seconds.
    created: float
    ended: float
    tasks: tuple[TaskResult, ...]
    #: Runner-seconds spent.
    cost: float
    #: Who asked for the end, and why, when it was cancelled.
    cancelled_by: str | None = None

    @property
    def seconds(self) -> float:
        """Wall time of the run."""
        return max(0.0, self.ended - self.created)

    def count(self, state: TaskState) -> int:
        """How many tasks ended in ``state``."""
        return sum(task.state is state for task in self.tasks)


def verdict(states: tuple[TaskState, ...], *, cancelled: bool = False) -> RunState:
    """The state of a run whose tasks ended so: cancelled before infrastructure before failed before passed."""
    if cancelled or TaskState.CANCELLED in states:
        return RunState.CANCELLED
    if TaskState.ERROR in states or TaskState.LOST in states:
        return RunState.ERROR
    return RunState.FAILED if TaskState.FAILED in states else RunState.PASSED
