"""What the autopilot knows: plain values, so that every decision can be made again from its record."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from orchestrator.domain.plan import TestPlan
from orchestrator.domain.run import CaseResult, CaseStatus, RunSummary, TaskResult, TaskState

#: Failing cases kept of a task.
_CASES = 1000

#: Why a run was made: the plan itself, some of its tasks again, or some of them on the base commit.
Purpose = Literal["run", "again", "base"]


@dataclass(frozen=True, slots=True)
class TaskFacts:
    """How a task ended in a run."""

    task: str
    state: TaskState
    attempt: int = 1
    #: It failed and then passed within the run.
    flaky: bool = False
    #: Its failure blocks nothing, because somebody owns it.
    quarantined: bool = False
    host: str | None = None
    #: Names of the cases that failed.
    failing: tuple[str, ...] = ()
    #: Further cases that failed, whose names are not kept.
    unnamed: int = 0
    message: str = ""
    reproduce: str | None = None


@dataclass(frozen=True, slots=True)
class RunFacts:
    """A run that has ended."""

    run: str
    purpose: Purpose
    tasks: tuple[TaskFacts, ...]
    #: Runner-seconds it was estimated to cost.
    estimated: float
    #: Whether somebody cancelled it.
    cancelled: bool = False
    #: Whether a failure in it was seen twice, because workers try what fails once more.
    confirmed: bool = False


@dataclass(frozen=True, slots=True)
class PlanFacts:
    """The plan, as far as decisions need it."""

    plan: str
    summary: str
    #: Task → estimated runner-seconds.
    tasks: dict[str, float]
    runner_seconds: float
    #: Whether the base commit is known, so that tasks can be run there.
    has_base: bool


@dataclass(frozen=True, slots=True)
class Proposal:
    """Cases that were written for the change: for a person to take, or not."""

    scripts: tuple[str, ...] = ()
    statements: int = 0
    #: What the change makes worth testing and neither the tree nor the scripts do.
    gaps: tuple[str, ...] = ()
    #: Why there are none.
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class Spent:
    """What other flights, earlier or beside it, took for the same commit: starting again renews no budget."""

    runs: int = 0
    #: Estimated runner-seconds.
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Situation:
    """All that is known when a decision is made."""

    plan: PlanFacts
    runs: tuple[RunFacts, ...] = ()
    #: Task → cases known to fail on the base branch, from history; a task that never ran there is absent.
    base_history: dict[str, tuple[str, ...]] | None = None
    #: Whether cases can be written for this change, and what came of it.
    can_generate: bool = False
    proposal: Proposal | None = None
    before: Spent = Spent()


def plan_facts(plan: TestPlan) -> PlanFacts:
    """Of a plan."""
    live = {task.id: task.est_duration for task in plan.tasks if not task.skip}
    change = plan.diff_summary
    return PlanFacts(plan.id, plan.summary, live, plan.cost.runner_seconds, bool(change.base_commit))


def run_facts(
    summary: RunSummary,
    purpose: Purpose,
    estimated: float,
    *,
    confirmed: bool,
    failed: Callable[[TaskResult], Sequence[CaseResult]] = lambda result: result.failures,
) -> RunFacts:
    """Of a run that has ended; ``failed`` gives all failed cases of a task that has more than its result keeps."""
    tasks = tuple(_task(task, failed(task) if task.unnamed else task.failures) for task in summary.tasks)
    return RunFacts(summary.run, purpose, tasks, round(estimated, 3), summary.cancelled_by is not None, confirmed)


def _task(result: TaskResult, cases: Sequence[CaseResult]) -> TaskFacts:
    bad = [case.name for case in cases if case.status in (CaseStatus.FAILED, CaseStatus.ERROR)]
    return TaskFacts(
        task=result.task,
        state=result.state,
        attempt=result.attempt,
        flaky=result.flaky,
        quarantined=result.quarantine is not None,
        host=result.host,
        failing=tuple(dict.fromkeys(bad[:_CASES])),
        unnamed=max(result.failed, len(bad)) - len(bad[:_CASES]),
        message=result.message.partition("\n")[0][:300],
        reproduce=result.reproduce,
    )
