"""The loop: plan → run → triage → run again what deserves it → verdict. It decides nothing that ``decide`` does not."""

from __future__ import annotations

import dataclasses
import functools
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
        #: Runs that any flight made for it, as far as this one knows.
        self._counted = 0
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
        self._counted = before.runs
        situation = Situation(plan_facts(plan), can_generate=self._crew.generate is not None, before=before)
        number = 1
        while True:
            step = Step(number, time.time(), situation, decide(situation, self._policy))
            if step.decision.action in ("verdict", "ask"):
                self._conclude(plan, step)
                return step.decision
            if step.decision.action == "generate" and self._crew.generate is not None:
                self._audit(step.decision, self._recorder.seal)
                self._recorder.step(step)
                situation = dataclasses.replace(situation, proposal=self._crew.generate(plan))
            else:
                part = _part(plan, step.decision)
                if (spent := self._outrun(situation, part)) is not None:
                    situation = dataclasses.replace(situation, before=spent)
                    continue
                self._audit(step.decision, self._recorder.seal)
                situation = self._after(situation, self._run(step, part))
            number += 1

    def _outrun(self, situation: Situation, part: TestPlan) -> Spent | None:
        """Take ``part`` from the budget of the change; where another flight has meanwhile, what others took by now."""
        took, runs, seconds = self._service.orders.fly(self._change, self._counted, part.cost.runner_seconds)
        self._counted = runs
        own = sum(run.estimated for run in situation.runs)
        return None if took else Spent(max(0, runs - len(situation.runs)), max(0.0, round(seconds - own, 3)))

    def _run(self, step: Step, part: TestPlan) -> RunFacts:
        """Carry a decision out; what came of it."""
        run = self._start(part, step)
        self._recorder.step(dataclasses.replace(step, run=run))
        ended = self._wait(run)
        confirmed = self._service.profile.dispatch.confirm_failures
        failed = functools.partial(self._service.reads.failed, ended)
        return run_facts(ended, _purpose(step.decision), part.cost.runner_seconds, confirmed=confirmed, failed=failed)

    def _conclude(self, plan: TestPlan, step: Step) -> None:
        """The end of a flight stands before anybody is asked for other words for it."""
        self.proposal = step.situation.proposal
        self._audit(step.decision, self._recorder.seal_with(step))
        self._recorder.step(step)
        if step.decision.action == "ask":
            self._ask(plan, step.decision)
        if self._crew.narrate is not None:
            self.words = self._crew.narrate(verdict_text(self._subject, step.decision, self.proposal))
            self._recorder.step(dataclasses.replace(step, number=step.number + 1, at=time.time(), words=self.words))

    def _start(self, plan: TestPlan, step: Step) -> str:
        decision, runs = step.decision, step.situation.runs
        order = Order(f"{decision.action}: {decision.reason}"[:500], f"{self._flight}:{step.number}")
        parent = runs[0].run if runs and decision.action == "again" else None
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

    def _audit(self, decision: Decision, seal: str) -> None:
        """Note a step, and the seal of the record by then: whoever changes the record later cannot change this."""
        words = f"{decision.action}: {decision.reason}"[:900] + f" [record {seal[:16]}]"
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
