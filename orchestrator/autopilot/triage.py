"""What each task's history in this flight means. A pure function of the facts: no clock, no model, no chance."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from orchestrator.autopilot.facts import RunFacts, Situation, TaskFacts
from orchestrator.domain.profile import Autopilot
from orchestrator.domain.run import TaskState

_INFRASTRUCTURE = (TaskState.ERROR, TaskState.LOST)


class Cause(StrEnum):
    """Why a task is not simply passed."""

    PASSED = "passed"
    #: Fails with the change and not without it.
    NEW = "new"
    #: Fails on the base branch, too.
    KNOWN = "known"
    #: Failed and passed on the same commit.
    FLAKY = "flaky"
    #: The answer could not be had.
    INFRASTRUCTURE = "infrastructure"
    #: A failure whose cause is not established yet, or could not be.
    UNKNOWN = "unknown"
    QUARANTINED = "quarantined"


@dataclass(frozen=True, slots=True)
class Finding:
    """What is thought of a task, and why."""

    task: str
    cause: Cause
    #: What was seen, a sentence each.
    evidence: tuple[str, ...]
    #: How often its failure was seen on the head, and how often infrastructure took it down.
    failures: int = 0
    losses: int = 0
    #: Cases that fail because of the change.
    cases: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    reproduce: str | None = None
    #: Whether it was judged on the base commit or by the base branch's history.
    judged: bool = False


def triage(situation: Situation, policy: Autopilot) -> tuple[Finding, ...]:
    """One finding a task of the plan, in the plan's order."""
    return tuple(_finding(task, situation, policy) for task in situation.plan.tasks)


def _finding(task: str, situation: Situation, policy: Autopilot) -> Finding:
    seen = [(run, facts) for run in situation.runs for facts in run.tasks if facts.task == task]
    head = [(run, facts) for run, facts in seen if run.purpose != "base"]
    base = [facts for run, facts in seen if run.purpose == "base" and facts.state not in _INFRASTRUCTURE]
    if not head:
        return Finding(task, Cause.UNKNOWN, ("it has not run yet",))
    evidence = [_sentence(run, facts) for run, facts in seen]
    failed = [run for run, facts in head if facts.state is TaskState.FAILED]
    failures = sum(2 if run.confirmed else 1 for run in failed)
    losses = sum(facts.state in _INFRASTRUCTURE for _, facts in head)
    hosts = tuple(dict.fromkeys(f.host for _, f in head if f.host and f.state in _INFRASTRUCTURE))
    last = head[-1][1]
    made = Finding(task, Cause.PASSED, tuple(evidence), failures, losses, hosts=hosts, reproduce=last.reproduce)
    if last.state in _INFRASTRUCTURE:
        return _with(made, Cause.INFRASTRUCTURE)
    if last.state is TaskState.FAILED:
        return _failed(made, last, base, situation, policy)
    if last.state is TaskState.CANCELLED:
        return _with(made, Cause.UNKNOWN)
    if failed or any(facts.flaky for _, facts in head):
        return _with(made, Cause.FLAKY)
    return made


def _failed(made: Finding, last: TaskFacts, base: list[TaskFacts], situation: Situation, policy: Autopilot) -> Finding:
    if last.quarantined:
        return _with(made, Cause.QUARANTINED)
    if made.failures < policy.failures_seen:
        return _with(made, Cause.UNKNOWN)
    history = (situation.base_history or {}).get(last.task)
    if base:
        failed = base[-1].state is TaskState.FAILED
        known, unnamed = set(base[-1].failing) if failed else set(), failed and base[-1].unnamed > 0
        whole = failed and not known and not unnamed
    elif history is not None:
        known, unnamed, whole = set(history), False, "" in history
    else:
        return _with(made, Cause.UNKNOWN)
    new = tuple(case for case in last.failing if case not in known)
    if whole or (last.failing and not new and not last.unnamed):
        return _with(made, Cause.KNOWN, judged=True)
    if unnamed or (last.unnamed and not new):  # what is not named may be known, or new
        return _with(made, Cause.UNKNOWN, judged=True)
    return _with(made, Cause.NEW, new, judged=True)


def _with(made: Finding, cause: Cause, cases: tuple[str, ...] = (), *, judged: bool = False) -> Finding:
    return Finding(
        made.task, cause, made.evidence, made.failures, made.losses, cases, made.hosts, made.reproduce, judged
    )


def _sentence(run: RunFacts, facts: TaskFacts) -> str:
    where = {"run": "the first run", "again": "a re-run", "base": "the base commit"}[run.purpose]
    tries = f", attempt {facts.attempt}" if facts.attempt > 1 else ""
    host = f" on {facts.host}" if facts.host else ""
    flaky = ", after it had failed in the same run" if facts.flaky else ""
    cases = f": {', '.join(facts.failing[:3])}" if facts.failing and facts.state is TaskState.FAILED else ""
    return f"{facts.state.value} in {where} {run.run}{host}{tries}{flaky}{cases}"
