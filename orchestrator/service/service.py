"""The one layer below REST, MCP, GitHub and the autopilot: plans, questions and orders of one profile."""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from orchestrator.domain.plain import to_plain
from orchestrator.domain.plan import TestPlan
from orchestrator.domain.profile import Profile
from orchestrator.ledger.client import Ledger
from orchestrator.ledger.orders import Orders
from orchestrator.messaging import App
from orchestrator.service.caller import Caller, Order
from orchestrator.service.change import Change, ReadPull, plan_change, words_of
from orchestrator.service.reads import Reads
from orchestrator.service.writes import Done, Writes
from orchestrator.settings import Settings

if TYPE_CHECKING:
    from orchestrator.store import Store


@dataclass(frozen=True)
class Service:
    """One profile, and everything that knows of it. Safe to use from several threads."""

    profile: Profile
    ledger: Ledger
    store: Store
    app: App
    orders: Orders
    #: Who holds a token, as said by ``tokens.yaml``; the second argument is the origin.
    caller: Callable[[str, str], Caller | None]
    #: Reads pull requests where they live; None: from the profile's clone.
    read_pull: ReadPull | None = None
    #: Where this host keeps what it learned of tests; None: plans know nothing of that.
    settings: Settings | None = None

    @cached_property
    def reads(self) -> Reads:
        """Questions."""
        return Reads(self.ledger, self.store, self.app, self.profile.name)

    @cached_property
    def writes(self) -> Writes:
        """Orders."""
        return Writes(self.reads, self.orders)

    def start(self, caller: Caller, order: Order, change: Change) -> Done:
        """Plan a change and start the plan. A retry is the same run, whatever has become of the change since."""
        asked = hashlib.sha256(json.dumps(to_plain(change), sort_keys=True).encode()).hexdigest()
        made = functools.partial(self.plan, change)
        return self.writes.start(caller, order, made, named=words_of(change), asked=asked)

    def plan(self, change: Change) -> TestPlan:
        """Plan a change and keep the plan for a week."""
        return self.writes.keep(plan_change(self.profile, change, self.read_pull, self.settings))
