"""What commands work with, handed to each of them."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from orchestrator.commands.model import Incoming
from orchestrator.commands.people import People
from orchestrator.commands.shelf import Shelf
from orchestrator.commands.words import Language, say, state
from orchestrator.domain.profile import Profile
from orchestrator.ledger.client import Ledger
from orchestrator.ledger.orders import Orders
from orchestrator.messaging import App
from orchestrator.service.lookup import Lookup
from orchestrator.service.reads import Reads
from orchestrator.service.writes import Writes
from orchestrator.settings import Settings

if TYPE_CHECKING:
    from orchestrator.store import Store


@dataclass(frozen=True)
class Office:
    """One profile's runs, and everything that knows of them."""

    profile: Profile
    ledger: Ledger
    store: Store
    app: App
    shelf: Shelf
    people: Callable[[], People]
    clock: Callable[[], float] = time.time
    #: Where this host keeps what it learned of tests, for plans.
    settings: Settings | None = None

    @cached_property
    def runs(self) -> Lookup:
        """The runs of this profile."""
        return Lookup(self.ledger, self.store, self.profile.name)

    @cached_property
    def writes(self) -> Writes:
        """Orders, as every other caller gives them; the desk itself keeps the audit log."""
        reads = Reads(self.ledger, self.store, self.app, self.profile.name)
        return Writes(reads, Orders(self.shelf.redis), audited=False)

    @property
    def language(self) -> Language:
        """The language of answers."""
        return self.profile.wecom.language

    def say(self, key: str, *parts: object) -> str:
        """Words in that language."""
        return say(self.language, key, *parts)

    def state(self, value: str) -> str:
        """The word for a state of a run or a task."""
        return state(self.language, value)

    def record(self, incoming: Incoming, action: str, target: str, result: str) -> None:
        """Put what was asked, by whom and what came of it, into the audit log and the run's own record."""
        origin = f"{incoming.place} as {incoming.opaque}" if incoming.opaque and incoming.group else incoming.place
        self.store.audit(incoming.who, origin, action, target, result, self.clock())
        if target and not target.isdecimal():
            self.ledger.note(target, incoming.who, action, result)
