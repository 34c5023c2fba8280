"""The loop: plan → run → triage → run again what deserves it → verdict. It decides nothing that ``decide`` does not."""

from __future__ import annotations

import dataclasses
import json
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from orchestrator.autopilot.decide import Decision, decide
from orchestrator.autopilot.facts import Proposal, Purpose, RunFacts, Situation, Spent, plan_facts, run_facts
from orchestrator.autopilot.judge import base_history
from orchestrator.autopilot.record import VERSION, Header, Recorder, Step
from orchestrator.autopilot.words import verdict_text
from orchestrator.domain.errors import InfrastructureError, MoTestplanError
from orchestrator.domain.plan import TestPlan
from orchestrator.domain.run import RunSummary, TaskState
from orchestrator.planner.codec import plan_id, subset
from orchestrator.service.caller import Caller, Order, Role
from orchestrator.service.service import Service
from orchestrator.store import OutboxMessage

#: Seconds between looks at a run whose events have gone quiet.
_LOOK = 2.0


@dataclass(frozen=True, slots=True)
class Crew:
    """What a pilot flies with beside the service."""

    #: Hears every step in words.
    say: Callable[[str], None]
    #: May raise when the stack has died.
    check: Callable[[], None] = lambda: None
    #: Writes the cases a change lacks.
    generate: Callable[[TestPlan], Proposal] | None = None
    #: Says in other words what the verdict is.
    narrate: Callable[[str], str] | None = None


class Pilot:
    """Flies one change."""

    def __init__(self, service: Service, subject: str, record: Path | None, crew: Crew) -> None:
        self._service, self._policy = service, service.profile.autopilot
        self._subject, self._crew = subject, crew
        self._caller = Caller("autopilot", "autopilot", Role.DEVELOPER)
        self._flight = secrets.token_hex(6)
        #: What the budget is for: the commit under test, whatever of it, or of its base, is run.
        self._change = ""
        self._recorder = Recorder(record, Header(VERSION, service.profile.name, subject, self._policy))
        #: The run that goes on, and at the end the cases that were proposed and a model's words.
        self.current: str | None = None
        self.proposal: Proposal | None = None
        self.words = ""

    def fly(self, plan: TestPlan) -> Decision:
        """Go on until there is a verdict or a question; that decision."""
        self._service.writes.keep(plan)
        self._change = f"{self._service.profile.name}:{plan.diff_summary.head_commit or plan.id}"
        before = Spent(*self._service.orders.flown(self._change))
        situation = Situation(plan_facts(plan), can_generate=self._crew.generate is not None, before=before)
        number = 0
        while True:
            number += 1
            decision = decide(situation, self._policy)
            if decision.action in ("verdict", "ask"):
                self.proposal = situation.proposal
                if self._crew.narrate is not None:
                    self.words = self._crew.narrate(verdict_text(self._subject, decision, self.proposal))
                self._recorder.step(Step(number, time.time(), situation, decision, words=self.words))
                self._audit(decision)
                if decision.action == "ask":
                    self._ask(plan, decision)
                return decision
            self._audit(decision)
            if decision.action == "generate" and self._crew.generate is not None:
                self._recorder.step(Step(number, time.time(), situation, decision))
                situation = dataclasses.replace(situation, proposal=self._crew.generate(plan))
                continue
            part = _part(plan, decision)
            run = self._start(part, decision, number, situation)
            self._recorder.step(Step(number, time.time(), situation, decision, run))
            ended = self._wait(run)
            confirmed = self._service.profile.dispatch.confirm_failures
            facts = run_facts(ended, _purpose(decision), part.cost.runner_seconds, confirmed=confirmed)
            situation = self._after(situation, facts)

    def _start(self, plan: TestPlan, decision: Decision, number: int, situation: Situation) -> str:
        order = Order(f"{decision.action}: {decision.reason}"[:500], f"{self._flight}:{number}")
        first = situation.runs[0].run if situation.runs else None
        parent = first if decision.action == "again" else None
        self._service.orders.fly(self._change, plan.cost.runner_seconds)
        run = self._service.writes.start(self._caller, order, plan, parent=parent).run
        if run is None:
            raise InfrastructureError("a run was decided that has nothing to run", "This is a bug: report the record.")
        self.current = run
        self._crew.say(f"run {run}: {decision.action} {len(plan.tasks)} tasks: {decision.reason}")
        return run

    def _wait(self, run: str) -> RunSummary:
        """Until the run has its summary, or longer than anybody wants to wait."""
        reads, after = self._service.reads, "0"
        deadline = time.monotonic() + self._policy.patience * 60
        while not reads.committed(run):
            self._crew.check()
            page = reads.events(run, after, wait=_LOOK)
            after = page.cursor
            if time.monotonic() > deadline:
                raise InfrastructureError(
                    f"run {run} has not ended within {self._policy.patience:.0f} minutes",
                    f"`mo-testplan status {run}` says what it waits for.",
                )
        self.current = None
        summary, _ = reads.find(run)
        counts = [f"{number} {state.value}" for state in TaskState if (number := summary.count(state))]
        self._crew.say(f"run {run}: {summary.state.value} ({', '.join(counts)})")
        return summary

    def _after(self, situation: Situation, facts: RunFacts) -> Situation:
        """What is known now: the run, and what history says of the base branch."""
        known = dict(situation.base_history or {})
        failed = {task.task for task in facts.tasks if task.state is TaskState.FAILED} - set(known)
        if failed and facts.purpose != "base":
            try:
                known |= base_history(self._service, failed)
            except MoTestplanError as error:
                self._crew.say(f"the base branch's history cannot be asked: {error.message}")
        return dataclasses.replace(situation, runs=(*situation.runs, facts), base_history=known)

    def _audit(self, decision: Decision) -> None:
        """Note a step, and the seal of the record so far: whoever changes the record later cannot change this."""
        words = f"{decision.action}: {decision.reason}"[:900] + f" [record {self._recorder.seal[:16]}]"
        self._service.store.audit(self._caller.name, "autopilot", decision.action, self._subject, words)

    def _ask(self, plan: TestPlan, decision: Decision) -> None:
        """Put the question into the outbox, once."""
        self._crew.say(f"asking: {decision.reason}")
        if self._policy.ask:
            text = json.dumps({"markdown": verdict_text(self._subject, decision)[:2000]}, ensure_ascii=False)
            key = f"autopilot:{self._flight}:{plan.id[:12]}"
            self._service.store.enqueue([OutboxMessage("", self._policy.ask, "question", text, key)], time.time())


def _purpose(decision: Decision) -> Purpose:
    return "base" if decision.action == "base" else "again" if decision.action == "again" else "run"


def _part(plan: TestPlan, decision: Decision) -> TestPlan:
    """What a decision runs: tasks of the plan, on its head or on its base."""
    part = subset(plan, decision.tasks)
    if decision.action != "base":
        return part
    change = part.diff_summary
    at_base = dataclasses.replace(
        change, head_commit=change.base_commit, head_branch=change.base_branch, pr_number=None, head_time=None
    )
    part = dataclasses.replace(part, diff_summary=at_base, created_at=None)
    return dataclasses.replace(part, id=plan_id(part))
