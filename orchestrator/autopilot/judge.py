"""What the failures of one run mean, for whoever asks: the autopilot's triage without its flight."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from orchestrator.autopilot.facts import Situation, plan_facts, run_facts
from orchestrator.autopilot.triage import Cause, triage
from orchestrator.autopilot.words import MEANS, next_step
from orchestrator.domain.run import RunState, TaskState
from orchestrator.runs.baseline import baseline
from orchestrator.service.pulls import on_base_branch
from orchestrator.service.service import Service


@dataclass(frozen=True, slots=True)
class Judged:
    """What is thought of a task that did not simply pass."""

    task: str
    #: ``new`` (fails with the change, not on the base branch), ``known`` (there, too), ``flaky``, ``infrastructure``,
    #: ``quarantined``, or ``unknown`` (the base branch never ran it).
    cause: Cause
    #: The cause in words.
    means: str
    #: What was seen, a sentence each.
    evidence: tuple[str, ...]
    #: Of a new failure the cases that are new.
    cases: tuple[str, ...]
    #: What to do about it.
    next: str


@dataclass(frozen=True, slots=True)
class Triage:
    """Of a run, every task that did not simply pass."""

    run: str
    state: RunState
    #: Whether it has ended: until then tasks may follow.
    ended: bool
    findings: tuple[Judged, ...]


def base_history(service: Service, tasks: AbstractSet[str]) -> dict[str, tuple[str, ...]]:
    """Task → cases that fail on the base branch, by the history; a task that never ran there is absent."""
    on_base = functools.partial(on_base_branch, service.profile)
    found = baseline(service.store, service.profile.name, tasks, on_base)
    return {task: tuple(sorted(cases)) for task, cases in found.failing.items()}


def judge(service: Service, name: str) -> Triage:
    """Triage a run by its own results and the history of the base branch; nothing is run."""
    summary, plan = service.reads.find(name)
    confirmed, cases = service.profile.dispatch.confirm_failures, functools.partial(service.reads.failed, summary)
    facts = run_facts(summary, "run", plan.cost.runner_seconds, confirmed=confirmed, failed=cases)
    ended = dataclasses.replace(facts, tasks=tuple(task for task in facts.tasks if task.state.final))
    failed = {task.task for task in ended.tasks if task.state is TaskState.FAILED}
    history = base_history(service, failed) if failed else {}
    policy = dataclasses.replace(service.profile.autopilot, failures_seen=1)
    findings = triage(Situation(plan_facts(plan), (ended,), history), policy)
    seen = {task.task for task in ended.tasks}
    return Triage(
        summary.run,
        summary.state,
        summary.state.final,
        tuple(
            Judged(one.task, one.cause, MEANS[one.cause], one.evidence, one.cases, next_step(one))
            for one in findings
            if one.cause is not Cause.PASSED and one.task in seen
        ),
    )
