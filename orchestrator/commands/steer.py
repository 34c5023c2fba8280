"""Commands that change something: they come here permitted and, where it is asked for, confirmed."""

from __future__ import annotations

import hashlib
import time

from orchestrator.commands.cards import run_card
from orchestrator.commands.grammar import Command, seconds
from orchestrator.commands.look import tasks_named
from orchestrator.commands.model import Answer, Card, Incoming
from orchestrator.commands.neutral import neutral
from orchestrator.commands.office import Office
from orchestrator.commands.shelf import Subscription
from orchestrator.domain.errors import UnknownRunError, UsageError, nearest
from orchestrator.domain.plan import TestPlan
from orchestrator.domain.quarantine import Quarantine
from orchestrator.ledger.hosts import Want, Wanted
from orchestrator.runs import control
from orchestrator.runs.hosts import named
from orchestrator.service.caller import Caller, Order, Role
from orchestrator.service.pulls import plan_pull

_HOUR = "1h"


def run(office: Office, incoming: Incoming, command: Command) -> Answer:
    """Plan a pull request and start it."""
    if begun := _begun(office, incoming):
        return _started(office, incoming, begun)
    number = int(command.arg(0))
    plan = plan_pull(office.profile, number, command.arg(1), office.settings)
    if not plan.tasks:
        return Answer(f"PR {number}: {office.say('nothing')}. {neutral(plan.summary)}", target=str(number))
    return _start(office, incoming, plan, None)


def rerun(office: Office, incoming: Incoming, command: Command) -> Answer:
    """Run again: what failed, or all."""
    if begun := _begun(office, incoming):
        return _started(office, incoming, begun)
    summary, plan = office.runs.find(command.arg(0))
    if not summary.state.final:
        raise UsageError(office.say("still", summary.run))
    failed = command.arg(1) == "failed"
    if failed and not any(task.state in control.RERUN for task in summary.tasks):
        raise UsageError(office.say("none_failed", summary.run))
    return _start(office, incoming, control.rerun_plan(plan, summary, failed=failed), summary.run)


def _begun(office: Office, incoming: Incoming) -> str | None:
    """The run that a message started when it came before, whatever its pull request has become since."""
    caller, order = _order(incoming)
    return office.writes.begun(caller, order, order.key)


def _start(office: Office, incoming: Incoming, plan: TestPlan, parent: str | None) -> Answer:
    caller, order = _order(incoming)
    name = office.writes.start(caller, order, plan, parent=parent, asked=order.key).run or ""
    return _started(office, incoming, name)


def _started(office: Office, incoming: Incoming, name: str) -> Answer:
    office.shelf.remember(name, incoming.place)
    summary, plan = office.runs.get(name)
    title = f"{office.say('started', neutral(incoming.user, 40))} {name}"
    return Answer(card=run_card(office, summary, plan, title), follow=name, target=name)


def _order(incoming: Incoming) -> tuple[Caller, Order]:
    """The desk has permitted it; a message that comes twice is one order."""
    key = hashlib.sha256(f"{incoming.channel}:{incoming.key}".encode("utf-8", "replace")).hexdigest()
    return Caller(incoming.who, incoming.place, Role.MAINTAINER), Order("asked in a chat", key)


def cancel(office: Office, incoming: Incoming, command: Command) -> Answer:
    """End a run or one task of it; said again, it tells who did."""
    summary, plan = office.runs.find(command.arg(0))
    if summary.state.final:
        by = office.say("ended_by", neutral(summary.cancelled_by, 60)) if summary.cancelled_by else ""
        words = office.say("ended", summary.run, office.state(summary.state.value)) + by
        return Answer(words, run_card(office, summary, plan), target=summary.run, result="ended already")
    tasks = tasks_named(office, summary, command.arg(1)) if command.arg(1) else []
    if summary.cancelled_by and not tasks:
        words = office.say("cancelling", neutral(summary.cancelled_by, 60), office.say("all_of", summary.run))
        return Answer(
            card=Card(words, run=summary.run, settled=office.say("done")),
            target=summary.run,
            result="cancelled already",
        )
    office.writes.cancel(*_order(incoming), summary.run, tasks)
    named_ones = neutral(", ".join(tasks), 80)
    what = office.say("task_of", summary.run, named_ones) if tasks else office.say("all_of", summary.run)
    words = office.say("cancelling", neutral(incoming.user, 40), what)
    return Answer(card=Card(words, run=summary.run, settled=office.say("done")), target=summary.run)


def quarantine(office: Office, incoming: Incoming, command: Command) -> Answer:
    """Let a test block nobody for a while; who asks owns it."""
    entry = Quarantine(command.arg(0), incoming.user, office.clock() + seconds(command.arg(1)))
    office.store.quarantine(office.profile.name, entry)
    return Answer(office.say("quarantined", neutral(entry.test, 100), neutral(entry.words, 100)), result=entry.words)


def release(office: Office, _incoming: Incoming, command: Command) -> Answer:
    """Let a test block again before its time."""
    wanted, profile = command.arg(0), office.profile.name
    if not office.store.release_quarantine(profile, wanted):
        known = [entry.test for entry in office.store.quarantines(profile, at=office.clock())]
        raise UnknownRunError(office.say("not_quarantined", neutral(wanted, 100)), nearest(wanted, known))
    return Answer(office.say("released", neutral(wanted, 100)))


def subscribe(office: Office, incoming: Incoming, command: Command) -> Answer:
    """Tell this place of all runs, or those of one pull request."""
    scope = command.arg(0) or "all"
    office.shelf.subscribe(Subscription(incoming.place, scope))
    return Answer(office.say("subscribed", office.say("scope_all") if scope == "all" else f"PR {scope}"))


def unsubscribe(office: Office, incoming: Incoming, _command: Command) -> Answer:
    """Tell this place nothing more."""
    return Answer(office.say("unsubscribed", office.shelf.unsubscribe(incoming.place)))


def mute(office: Office, incoming: Incoming, command: Command) -> Answer:
    """Be silent here for a while."""
    until = office.clock() + seconds(command.arg(0) or _HOUR)
    if not office.shelf.mute(incoming.place, until):
        return Answer(office.say("not_subscribed"))
    return Answer(office.say("muted", time.strftime("%m-%d %H:%M", time.gmtime(until))))


def drain(office: Office, incoming: Incoming, command: Command) -> Answer:
    """Let a host finish what it runs, take nothing new, and end."""
    host = named(office.ledger.hosts(), command.arg(0))
    office.ledger.want(host.name, Wanted(Want.DRAIN, incoming.who, office.say("asked_in_chat")))
    held = len(host.record.running) if host.record is not None else 0
    return Answer(office.say("drained", neutral(host.name, 60), held), target=host.name)


def bound(office: Office, command: Command) -> str:
    """The run a question about ``command`` is bound to. What it concerns is looked for before anybody is asked."""
    if command.verb.name == "drain":
        named(office.ledger.hosts(), command.arg(0))
    if command.verb.name != "cancel":
        return ""
    summary, _ = office.runs.find(command.arg(0))
    if command.arg(1):
        tasks_named(office, summary, command.arg(1))
    return summary.run
