"""Commands that change something: they come here permitted and, where it is asked for, confirmed."""

from __future__ import annotations

import time

from orchestrator.commands.cards import run_card
from orchestrator.commands.grammar import Command, seconds
from orchestrator.commands.look import task_named
from orchestrator.commands.model import Answer, Card, Incoming
from orchestrator.commands.neutral import neutral
from orchestrator.commands.office import Office
from orchestrator.commands.shelf import Subscription
from orchestrator.domain.errors import UnknownRunError, UsageError, nearest
from orchestrator.domain.plan import TestPlan
from orchestrator.runs import control
from orchestrator.runs.queues import served
from orchestrator.service.pulls import plan_pull

_HOUR = "1h"


def run(office: Office, incoming: Incoming, command: Command) -> Answer:
    """Plan a pull request and start it."""
    number = int(command.arg(0))
    plan = plan_pull(office.profile, number, command.arg(1))
    if not plan.tasks:
        return Answer(f"PR {number}: {office.say('nothing')}. {neutral(plan.summary)}", target=str(number))
    return _started(office, incoming, plan, None)


def rerun(office: Office, incoming: Incoming, command: Command) -> Answer:
    """Run again: what failed, or all."""
    summary, plan = office.runs.find(command.arg(0))
    if not summary.state.final:
        raise UsageError(office.say("still", summary.run))
    failed = command.arg(1) == "failed"
    if failed and not any(task.state in control.RERUN for task in summary.tasks):
        raise UsageError(office.say("none_failed", summary.run))
    return _started(office, incoming, control.rerun_plan(plan, summary, failed=failed), summary.run)


def _started(office: Office, incoming: Incoming, plan: TestPlan, parent: str | None) -> Answer:
    name = control.start(office.app, office.ledger, plan, parent=parent, who=incoming.who)
    office.shelf.remember(name, incoming.place)
    summary, plan = office.runs.get(name)
    title = f"{office.say('started', neutral(incoming.user, 40))} {name}"
    return Answer(card=run_card(office, summary, plan, title), follow=name, target=name)


def cancel(office: Office, incoming: Incoming, command: Command) -> Answer:
    """End a run or one task of it; said again, it tells who did."""
    summary, plan = office.runs.find(command.arg(0))
    if summary.state.final:
        by = office.say("ended_by", neutral(summary.cancelled_by, 60)) if summary.cancelled_by else ""
        words = office.say("ended", summary.run, summary.state.value) + by
        return Answer(words, run_card(office, summary, plan), target=summary.run, result="ended already")
    tasks = [task_named(office, summary, command.arg(1))] if command.arg(1) else []
    if summary.cancelled_by and not tasks:
        words = office.say("cancelling", neutral(summary.cancelled_by, 60), office.say("all_of", summary.run))
        return Answer(card=Card(words, run=summary.run), target=summary.run, result="cancelled already")
    control.cancel(office.app, office.ledger, summary.run, incoming.who, tasks)
    what = office.say("task_of", summary.run, neutral(tasks[0], 80)) if tasks else office.say("all_of", summary.run)
    return Answer(
        card=Card(office.say("cancelling", neutral(incoming.user, 40), what), run=summary.run), target=summary.run
    )


def quarantine(office: Office, _incoming: Incoming, command: Command) -> Answer:
    """Not there yet: said, and on record."""
    return Answer(office.say("quarantine", neutral(command.arg(0), 100)), result="not supported")


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


def drain(office: Office, _incoming: Incoming, command: Command) -> Answer:
    """Let a worker take no new shards."""
    queues, wanted = served(office.app), command.arg(0)
    names = {name for workers in queues.values() for name in workers}
    found = [name for name in names if wanted in (name, name.partition("@")[0])]
    if len(found) != 1:
        raise UnknownRunError(office.say("no_host", wanted, nearest(wanted, names)))
    for queue, workers in queues.items():
        if found[0] in workers:
            office.app.control.cancel_consumer(queue, destination=found)
    return Answer(office.say("drained", found[0]), target=found[0])


def bound(office: Office, command: Command) -> str:
    """The run a question about ``command`` is bound to: checked before anybody is asked."""
    if command.verb.name != "cancel":
        return ""
    summary, _ = office.runs.find(command.arg(0))
    if command.arg(1):
        task_named(office, summary, command.arg(1))
    return summary.run
