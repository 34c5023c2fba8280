"""Orders: start, re-run, cancel. Guarded the same way for every caller.

The role is checked first, then reason and key; a dry run stops there and says what would happen. The claim accepts each
key once and takes the cost from the caller's budget in the same step, so a retried start is one run. What was done, and
what was refused, is in the audit log.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from orchestrator.domain.errors import (
    BrokerError,
    ConflictError,
    MoTestplanError,
    NotAllowedError,
    UnknownRunError,
    UsageError,
)
from orchestrator.domain.naming import tasks_named
from orchestrator.domain.plan import TestPlan
from orchestrator.domain.run import RunSummary
from orchestrator.ledger.orders import Claim, Claimed, Orders
from orchestrator.planner.codec import dumps, loads
from orchestrator.planner.verify import check
from orchestrator.runs import control
from orchestrator.service.caller import Caller, Order, Role
from orchestrator.service.reads import Reads

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Done:
    """What came of an order."""

    #: ``start``, ``rerun`` or ``cancel``.
    action: str
    #: The run; None in the dry run of a start, and when there was nothing to run.
    run: str | None
    #: Nothing was done: this is what would be.
    dry_run: bool
    #: The order had been carried out before: nothing was done again.
    repeated: bool
    #: What happens, in a sentence.
    effect: str
    plan: str | None
    #: Tasks it concerns.
    tasks: int
    #: Runner-seconds it is estimated to cost.
    cost: float


class Writes:
    """Orders about the runs of one profile. Safe to use from several threads.

    ``audited`` is False where whoever calls writes the audit log itself, as a chat's desk does.
    """

    def __init__(self, reads: Reads, orders: Orders, *, audited: bool = True) -> None:
        self._reads, self._orders, self._audited = reads, orders, audited

    def keep(self, plan: TestPlan) -> TestPlan:
        """Keep a plan for a week, so that it can be started by its id."""
        self._orders.keep_plan(plan.id, dumps(plan).decode())
        return plan

    def kept(self, plan: str) -> TestPlan:
        """A plan that was kept; :class:`UnknownRunError` for one that is not here."""
        text = self._orders.plan(plan) if len(plan) == 64 else None
        if text is None:
            raise UnknownRunError(f"no plan {plan[:80]!r} is kept here", "Make it again: plans are kept for a week.")
        return loads(text)

    def start(  # noqa: PLR0913 - what, and what it is known by
        self,
        caller: Caller,
        order: Order,
        plan: TestPlan | Callable[[], TestPlan],
        *,
        parent: str | None = None,
        named: str = "",
        asked: str = "",
    ) -> Done:
        """Start a plan, or the one that ``plan`` gives once the caller may; ``named`` is that one in the audit log.

        ``parent`` is the run it repeats a part of. With ``asked`` the order is known by that, and not by its plan: a
        change that is planned again may have another one by then, and a retry is the same run all the same.
        """

        def work() -> Done:
            run = self.begun(caller, order, asked) if asked and not order.dry_run else None
            if run is not None:
                return _repeated("start", run, self._reads.lookup.get(run)[1])
            made = plan if isinstance(plan, TestPlan) else plan()
            self._ours(made)
            return self._begin(caller, order, made, "start", parent, asked)

        return self._ordered(caller, order, "start", plan.id[:12] if isinstance(plan, TestPlan) else named, work)

    def begun(self, caller: Caller, order: Order, asked: str) -> str | None:
        """The run that this order started when this was asked for, if it did."""
        run = self._orders.run_of(caller.name, order.key, asked)
        return run if run and self._exists(run) else None

    def rerun(self, caller: Caller, order: Order, name: str, *, failed: bool, tasks: Sequence[str] = ()) -> Done:
        """Run again what failed (``failed``), some tasks, or all, on the same commit."""

        def work() -> Done:
            summary, plan = self._reads.find(name)
            if not order.dry_run and self._made(caller, order, summary, plan):
                return _repeated("rerun", summary.run, plan)
            if not summary.state.final:
                raise ConflictError(f"run {summary.run} still runs", "Wait for its end, or cancel it first.")
            again = control.rerun_plan(plan, summary, failed=failed, tasks=tasks)
            return self._begin(caller, order, again, "rerun", summary.run)

        return self._ordered(caller, order, "rerun", name, work)

    def _made(self, caller: Caller, order: Order, summary: RunSummary, plan: TestPlan) -> bool:
        """Whether the order made this run: a pull request's number means it from then on, and not its parent."""
        fingerprint = _fingerprint("rerun", plan.id, summary.parent or "")
        return bool(summary.parent) and self._orders.seen(Claim(caller.name, order.key, fingerprint, summary.run))

    def cancel(
        self, caller: Caller, order: Order, name: str, tasks: Sequence[str] = (), *, waiting: bool = False
    ) -> Done:
        """End a run, some of its tasks, or with ``waiting`` those that have not started.

        Who started a run may do it as a developer.
        """
        end = partial(self._cancel, caller, order, name, tasks, waiting=waiting)
        return self._ordered(caller, order, "cancel", name, end)

    def _cancel(self, caller: Caller, order: Order, name: str, tasks: Sequence[str], *, waiting: bool) -> Done:
        summary, plan = self._reads.find(name)
        if self._reads.lookup.started_by(summary.run) != caller.name:
            caller.needs(Role.MAINTAINER, "cancelling what another started")
        known = [task.id for task in plan.tasks]
        tasks = list(dict.fromkeys(task for one in tasks for task in tasks_named(one, known, f"run {summary.run}")))
        part = f"{len(tasks)} tasks of " if tasks else "what has not started of " if waiting else ""
        what = f"{part}run {summary.run}"
        done = Done("cancel", summary.run, order.dry_run, False, f"ends {what}", None, len(tasks or known), 0.0)
        action = "cancel what waits" if waiting else "cancel"
        claim = Claim(caller.name, order.key, _fingerprint(action, summary.run, *sorted(tasks)), summary.run)
        repeated = not order.dry_run and self._orders.seen(claim)
        if summary.state.final and not repeated:
            raise ConflictError(
                f"run {summary.run} has ended already: {summary.state.value}", "There is nothing left to cancel."
            )
        if not order.dry_run and not summary.state.final:  # said again, in case the first one was interrupted
            repeated = self._claim(claim)[0] is Claimed.AGAIN
            control.cancel(self._reads.app, self._reads.ledger, summary.run, caller.name, tasks, waiting=waiting)
        return dataclasses.replace(done, repeated=repeated)

    def _begin(  # noqa: PLR0913 - the parts of an order
        self, caller: Caller, order: Order, plan: TestPlan, action: str, parent: str | None, asked: str = ""
    ) -> Done:
        if not plan.tasks:
            return self._nothing(caller, order, plan, action, parent, asked)
        check(plan)
        control.commit_of(plan)
        price = plan.cost.runner_seconds
        effect = _effect(plan)
        done = Done(action, None, True, False, effect, plan.id, len(plan.tasks), price)
        claim = Claim(
            caller.name,
            order.key,
            _fingerprint(action, plan.id, parent or ""),
            control.new_run_id(),
            1,
            price,
            caller.budget.runs,
            None if caller.budget.runner_minutes is None else caller.budget.runner_minutes * 60,
            asked,
        )
        if order.dry_run:
            self._afford(claim)
            return done
        answer, run = self._claim(claim)
        if not run:
            return Done(action, None, False, True, "there was nothing to run when this was ordered", None, 0, 0.0)
        again = answer is Claimed.AGAIN and self._exists(run)
        if not again:
            again = not self._send(plan, parent, caller, run)
        return Done(action, run, False, again, effect, plan.id, len(plan.tasks), price)

    def _nothing(  # noqa: PLR0913 - the parts of an order
        self, caller: Caller, order: Order, plan: TestPlan, action: str, parent: str | None, asked: str
    ) -> Done:
        """An order of nothing: it costs nothing and makes no run, but its key is used."""
        answer = Claimed.NEW
        if not order.dry_run:
            known = _fingerprint(action, plan.id, parent or "")
            answer, run = self._claim(Claim(caller.name, order.key, known, "", asked=asked))
            if run and self._exists(run):  # a change that is planned again may have had something to run before
                return _repeated(action, run, self._reads.lookup.get(run)[1])
        effect = f"nothing to run: {plan.summary}"
        return Done(action, None, order.dry_run, answer is Claimed.AGAIN, effect, plan.id, 0, 0.0)

    def _send(self, plan: TestPlan, parent: str | None, caller: Caller, run: str) -> bool:
        """Start the run; False where two tries came at once, and the other one was first."""
        app, ledger = self._reads.app, self._reads.ledger
        try:
            control.start(app, ledger, plan, parent=parent, who=caller.name, run=run)
        except UsageError:
            if not self._exists(run):
                raise
            return False
        return True

    def _exists(self, run: str) -> bool:
        return self._reads.ledger.progress(run) is not None or self._reads.store.run(run) is not None

    def _ours(self, plan: TestPlan) -> None:
        if plan.profile != self._reads.project:
            raise UsageError(
                f"the plan was made with profile {plan.profile!r}, and this serves {self._reads.project!r}",
                "Make it here, or ask who serves that profile.",
            )

    def _afford(self, claim: Claim) -> None:
        runs, seconds = self._orders.spent(claim.caller)
        if claim.allowed_runs is not None and runs + claim.runs > claim.allowed_runs:
            raise _over(Claimed.RUNS, str(runs), claim)
        if claim.allowed_seconds is not None and seconds + claim.seconds > claim.allowed_seconds:
            raise _over(Claimed.SECONDS, str(seconds), claim)

    def _claim(self, claim: Claim) -> tuple[Claimed, str]:
        answer, value = self._orders.claim(claim)
        if answer is Claimed.OTHER:
            raise ConflictError(
                f"the key {claim.key!r} of {claim.caller} was used for another order",
                "A new order needs a new key; a retry must repeat the order exactly.",
            )
        if answer in (Claimed.RUNS, Claimed.SECONDS):
            raise _over(answer, value, claim)
        return answer, value

    def _ordered(self, caller: Caller, order: Order, action: str, target: str, work: Callable[[], Done]) -> Done:
        words = f"{action} (dry run)" if order.dry_run else action
        try:
            caller.needs(Role.DEVELOPER, action)
            order.check()
            done = work()
        except MoTestplanError as error:
            self._note(caller, words, target, f"refused: {error.message}")
            raise
        self._note(caller, words, done.run or target, f"{'repeated' if done.repeated else 'ok'}: {order.reason}")
        return done

    def _note(self, caller: Caller, action: str, target: str, result: str) -> None:
        if not self._audited:
            return
        try:
            self._reads.store.audit(caller.name, caller.origin, action, target, result[:1000])
            self._reads.ledger.note(target, caller.name, action, result[:300])
        except BrokerError as error:
            logger.warning("not noted in the run: %s", error.message)


def _repeated(action: str, run: str, plan: TestPlan) -> Done:
    """What is said of an order that was carried out before."""
    return Done(action, run, False, True, _effect(plan), plan.id, len(plan.tasks), plan.cost.runner_seconds)


def _over(answer: Claimed, used: str, claim: Claim) -> NotAllowedError:
    if answer is Claimed.RUNS:
        what = f"{used} of {claim.allowed_runs} runs are used"
    else:
        allowed = (claim.allowed_seconds or 0) / 60
        what = f"it needs {claim.seconds / 60:.1f} runner-minutes, and {float(used) / 60:.1f} of {allowed:.1f} are used"
    return NotAllowedError(
        f"today's budget of {claim.caller} does not cover it: {what}",
        "Run less of it (tasks, suite), wait for midnight UTC, or ask an administrator for more.",
    )


def _effect(plan: TestPlan) -> str:
    minutes = plan.cost.runner_seconds / 60
    return f"runs {len(plan.tasks)} tasks in {len(plan.shards)} shards, about {minutes:.1f} runner-minutes"


def _fingerprint(*parts: str) -> str:
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()
