"""The cards of runs: where one stands, and buttons for what can be done about it."""

from __future__ import annotations

from orchestrator.commands.model import Button, Card, Incoming
from orchestrator.commands.office import Office
from orchestrator.commands.shelf import CONFIRM, Ticket
from orchestrator.domain.plan import TestPlan
from orchestrator.domain.run import RunSummary, TaskState
from orchestrator.planner.summary import duration
from orchestrator.service.pulls import suites_of

_BAD = (TaskState.FAILED, TaskState.ERROR, TaskState.LOST)


def run_card(office: Office, summary: RunSummary, plan: TestPlan, title: str = "") -> Card:
    """The card of a run as it stands."""
    done = sum(task.state.final for task in summary.tasks)
    rows = [(office.say("tasks"), f"{done}/{len(summary.tasks)} ({suites_of(plan) or 0})")]
    counts = ((state, summary.count(state)) for state in (TaskState.RUNNING, *_BAD))
    rows += [(office.state(state.value), str(count)) for state, count in counts if count]
    price = plan.cost
    rows.append(
        (office.say("cost"), f"{duration(price.runner_seconds)}, {office.say('eta')} {duration(price.critical_path)}")
    )
    pull = f"PR {summary.pr_number} · " if summary.pr_number else ""
    name = title or f"{pull}{summary.run}: {office.state(summary.state.value)}"
    return Card(name, "", tuple(rows[:6]), _buttons(office, summary), summary.run)


def _buttons(office: Office, summary: RunSummary) -> tuple[Button, ...]:
    run = summary.run
    found = []
    if not summary.state.final:
        found.append(_button(office, "cancel", f"cancel {run}", run, danger=True))
    elif any(summary.count(state) for state in _BAD):
        found.append(_button(office, "rerun_failed", f"rerun {run} failed", run))
    found.append(_button(office, "details", f"status {run}", run))
    return tuple(found)


def _button(office: Office, words: str, command: str, run: str, *, danger: bool = False) -> Button:
    return Button(office.say(words), office.shelf.issue(Ticket(command, run=run)), danger)


def question(office: Office, incoming: Incoming, command: str, run: str) -> Card:
    """Asks whether it is meant; for the asker alone, for two minutes, once."""
    key = office.shelf.issue(Ticket(command, incoming.who, run, confirms=True), CONFIRM)
    text = office.say("ask", incoming.user, command, key)
    buttons = (
        Button(office.say("confirm"), key, danger=True),
        Button(office.say("keep"), f"no:{key}"),
    )
    return Card(command, text, (), buttons, run)
