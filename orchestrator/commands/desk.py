"""The desk: every message and click passes it, permitted or refused, and leaves its mark in the audit log."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Callable

from orchestrator.commands import look, steer
from orchestrator.commands.cards import question
from orchestrator.commands.grammar import Command, NotUnderstoodError, parse
from orchestrator.commands.model import Answer, Card, Incoming
from orchestrator.commands.neutral import neutral
from orchestrator.commands.office import Office
from orchestrator.commands.permit import refusal
from orchestrator.commands.shelf import Ticket
from orchestrator.domain.errors import MoTestplanError
from orchestrator.service.caller import Role

#: Commands a person may give in a minute.
PER_MINUTE = 20

Action = Callable[[Office, Incoming, Command], Answer]
ACTIONS: dict[str, Action] = {
    "help": look.help_,
    "whoami": look.whoami,
    "status": look.status,
    "runs": look.runs,
    "plan": look.plan,
    "failures": look.failures,
    "why": look.why,
    "logs": look.logs,
    "hosts": look.hosts,
    "audit": look.audit,
    "run": steer.run,
    "rerun": steer.rerun,
    "cancel": steer.cancel,
    "quarantine": steer.quarantine,
    "quarantined": look.quarantined,
    "release": steer.release,
    "subscribe": steer.subscribe,
    "unsubscribe": steer.unsubscribe,
    "mute": steer.mute,
    "drain": steer.drain,
}

logger = logging.getLogger(__name__)


class Desk:
    """Answers one message at a time; may be used from several threads."""

    def __init__(self, office: Office) -> None:
        self.office = office

    def handle(self, incoming: Incoming) -> Answer:
        """Do what is asked, if it may be; the answer to give. Raises nothing a message could cause."""
        try:
            over = self.office.shelf.spend(incoming.who, PER_MINUTE)
            if over:
                return self._flood(incoming, first=over == 1)
            if incoming.ticket:
                return self._clicked(incoming, incoming.ticket)
            return self._written(incoming)
        except MoTestplanError as error:
            return self._trouble(incoming, neutral(incoming.text, 80) or "click", error)

    def _flood(self, incoming: Incoming, *, first: bool) -> Answer:
        if not first:
            return Answer()
        self.office.record(incoming, "flood", "", "refused: too fast")
        return Answer(self.office.say("flood", PER_MINUTE), result="refused")

    def _written(self, incoming: Incoming) -> Answer:
        try:
            command = parse(incoming.text)
        except NotUnderstoodError as error:
            near = " / ".join(f"`{usage}`" for usage in error.nearest)
            if self.office.people().role(incoming, self.office.profile.name) is Role.NONE:
                return self._refuse(incoming, neutral(incoming.text, 80), refusal(self.office, incoming, parse("runs")))
            self.office.record(incoming, neutral(incoming.text, 80), "", "not understood")
            return Answer(self.office.say("unknown", neutral(error.message, 60), near), result="not understood")
        if command.verb.name in ("confirm", "abort"):
            prefix = "no:" if command.verb.name == "abort" else ""
            return self._clicked(incoming, prefix + command.arg(0))
        return self._permitted(incoming, command)

    def _clicked(self, incoming: Incoming, key: str) -> Answer:
        """A button, or its code written down: a ticket says what; the clicker's own right says whether."""
        office, no = self.office, key.startswith("no:")
        ticket = office.shelf.look(key.removeprefix("no:"))
        if ticket is None:
            return self._stale(incoming, "click", "")
        if ticket.asker and ticket.asker != incoming.who:
            office.record(incoming, ticket.command, ticket.run, "refused: asked by another")
            return Answer(office.say("not_yours"), result="refused")
        if ticket.confirms and not office.shelf.use_up(key.removeprefix("no:")):
            return self._stale(incoming, ticket.command, ticket.run)
        if no:
            return self._left_alone(incoming, ticket)
        return self._permitted(incoming, parse(ticket.command), confirmed=ticket.confirms)

    def _stale(self, incoming: Incoming, action: str, run: str) -> Answer:
        """The button was clicked before, or is too old."""
        self.office.record(incoming, action, run, "refused: stale")
        words = self.office.say("stale")
        return Answer(words, Card(words, run=run, settled=self.office.say("done")), result="stale")

    def _left_alone(self, incoming: Incoming, ticket: Ticket) -> Answer:
        self.office.record(incoming, ticket.command, ticket.run, "aborted")
        words = self.office.say("aborted", ticket.command)
        return Answer(card=Card(words, run=ticket.run, settled=self.office.say("done")), result="aborted")

    def _permitted(self, incoming: Incoming, command: Command, *, confirmed: bool = False) -> Answer:
        why_not = refusal(self.office, incoming, command)
        if why_not:
            return self._refuse(incoming, str(command), why_not, command.arg(0))
        try:
            if command.verb.asks and not confirmed:
                return self._ask(incoming, command)
            answer = ACTIONS[command.verb.name](self.office, incoming, command)
        except MoTestplanError as error:
            return self._trouble(incoming, str(command), error)
        self.office.record(incoming, str(command), answer.target, answer.result)
        return answer

    def _ask(self, incoming: Incoming, command: Command) -> Answer:
        run = steer.bound(self.office, command)
        if run:
            command = dataclasses.replace(command, args=(run, *command.args[1:]))
        card = question(self.office, incoming, str(command), run)
        self.office.record(incoming, str(command), run, "asked to confirm")
        return Answer(card=card, target=run, result="asked")

    def _refuse(self, incoming: Incoming, action: str, words: str, target: str = "") -> Answer:
        self.office.record(incoming, action, target, "refused")
        return Answer(words, result="refused")

    def _trouble(self, incoming: Incoming, action: str, error: MoTestplanError) -> Answer:
        logger.warning("%s: %s: %s", incoming.who, action, error.message)
        try:
            self.office.record(incoming, action, "", f"error: {error.message}")
        except MoTestplanError as worse:  # the log itself cannot be written: the asker still gets his answer
            logger.error("the audit log cannot be written: %s", worse.message)
        words = " ".join(filter(None, (neutral(error.sentence, 300), neutral(error.remedy, 300))))
        return Answer(self.office.say("trouble", words), result="error")
