"""The service of a profile on connections of its own, and who may use it."""

from __future__ import annotations

import functools
import os
import time
from collections.abc import Mapping

from orchestrator.cli.kept import Kept
from orchestrator.domain.profile import Profile
from orchestrator.ledger.client import Ledger
from orchestrator.ledger.orders import Orders
from orchestrator.messaging import make_app
from orchestrator.notify.github.auth import auth_from
from orchestrator.notify.github.client import GitHubClient
from orchestrator.notify.github.pulls import read_change
from orchestrator.service.caller import Caller
from orchestrator.service.service import Service
from orchestrator.service.tokens import tokens_from
from orchestrator.settings import Settings, read_tokens
from orchestrator.store import Store


def make_github(profile: Profile, environ: Mapping[str, str]) -> GitHubClient | None:
    """The profile's repository at GitHub, if this process was given credentials for it."""
    auth = auth_from(profile.github, environ)
    return GitHubClient(profile.github.repository, auth, profile.github.base_url) if auth is not None else None


def make_service(profile: Profile, config: Settings) -> Service:
    """Everything that REST, MCP, GitHub and the autopilot work with, on connections of its own."""
    github = make_github(profile, os.environ)
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
        functools.partial(read_change, github) if github is not None else None,
        config,
    )
