"""The contract between the Celery task and a suite.

A failing test is data: it is emitted as a :class:`CaseResult` and counted in the :class:`Ending`. An exception is
infrastructure: a suite raises :class:`InfrastructureError` when the answer could not be had.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from orchestrator.domain.plan import TestTask
from orchestrator.domain.profile import Profile
from orchestrator.domain.run import CaseResult, TaskState


@dataclass(frozen=True, slots=True)
class Job:
    """One attempt at one task, with all a suite may use."""

    run: str
    task: TestTask
    attempt: int
    profile: Profile
    #: The tree under test, checked out at the plan's head.
    workspace: Path
    #: A directory for logs and reports of this attempt; who writes there makes it. The worker writes there itself:
    #: untrusted code is given directories in it, never the whole.
    artifacts: Path
    #: A case ended; call as it happens.
    emit: Callable[[CaseResult], None]
    #: A line of the log, without its newline.
    log: Callable[[str], None]
    #: Whether the task was cancelled: checked by the process supervisor at least every 0.1 s.
    cancelled: Callable[[], bool]
    #: Servers and other things that outlive a task within its shard, by name; closed with the shard.
    resources: ShardResources


class ShardResources(Protocol):
    """Set-up shared by the tasks of one shard, e.g. a SQL server."""

    def get(self, name: str, make: Callable[[], Closable]) -> Closable:
        """The resource called ``name``, made on first use."""
        ...

    def drop(self, name: str) -> None:
        """Close the resource called ``name``, if there is one: who asks for it next has a new one."""
        ...


class Closable(Protocol):
    """Something with an end."""

    def close(self) -> None:
        """Release it; safe to call twice."""
        ...


@dataclass(frozen=True, slots=True)
class Ending:
    """How an attempt ended, as far as the suite can tell."""

    state: TaskState
    #: One line: why it is not passed.
    message: str = ""
    #: The command line to run it by hand.
    reproduce: str | None = None


class Suite(Protocol):
    """What a kind of task executes."""

    def execute(self, job: Job) -> Ending:
        """Run the task to its end, emitting cases; raise InfrastructureError when there is no answer."""
        ...
