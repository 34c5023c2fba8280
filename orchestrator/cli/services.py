"""The service of a profile on connections of its own, and who may use it."""

from __future__ import annotations

import time

from orchestrator.cli.kept import Kept
from orchestrator.domain.profile import Profile
from orchestrator.ledger.client import Ledger
from orchestrator.ledger.orders import Orders
from orchestrator.messaging import make_app
from orchestrator.service.caller import Caller
from orchestrator.service.service import Service
from orchestrator.service.tokens import tokens_from
from orchestrator.settings import Settings, read_tokens
from orchestrator.store import Store


def make_service(profile: Profile, config: Settings) -> Service:
    """Everything that REST, MCP, GitHub and the autopilot work with."""
    tokens = Kept(lambda: read_tokens(config), tokens_from)

    def caller(secret: str, origin: str) -> Caller | None:
        today = time.strftime("%Y-%m-%d", time.gmtime())
        return tokens().caller(secret, profile.name, origin, today)

    return Service(
        profile,
        Ledger(config.redis_url),
        Store(config.store_url),
        make_app(config.redis_url),
        Orders(config.redis_url),
        caller,
    )
