"""What `control` and `serve` make of a profile's repository at GitHub."""

from __future__ import annotations

import functools
import logging
import os
import threading
from collections.abc import Sequence

from orchestrator.cli.chat import me
from orchestrator.cli.services import make_github, make_service
from orchestrator.commands.inbox import Tray
from orchestrator.domain.errors import MoTestplanError
from orchestrator.domain.profile import Profile
from orchestrator.domain.run import RunSummary
from orchestrator.notify.base import Notifier
from orchestrator.notify.github.channel import GitHubChannel
from orchestrator.notify.github.desk import GitHubDesk
from orchestrator.notify.github.hook import Hook, Webhook
from orchestrator.notify.github.pulls import read_pull
from orchestrator.notify.github.telling import CHANNEL, GitHubTeller
from orchestrator.settings import Settings
from orchestrator.store import OutboxMessage

logger = logging.getLogger(__name__)


class GitHubOut:
    """What `control` tells: nothing where there is no repository, or no credentials for it."""

    def __init__(self, profile: Profile, config: Settings) -> None:
        client = make_github(profile, os.environ)
        self.channels: dict[str, Notifier] = {}
        if client is not None:
            self.channels[CHANNEL] = GitHubChannel(client, profile.name)
        self._teller = GitHubTeller(make_service(profile, config)) if client is not None else None

    def tick(self) -> None:
        """Tell of live runs."""
        if self._teller is not None:
            self._teller.tick()

    def verdict(self, summary: RunSummary) -> Sequence[OutboxMessage]:
        """What is told of a run that ended."""
        return self._teller.verdict(summary) if self._teller is not None else ()


class GitHubIn:
    """What `serve` takes: the webhook, and the work it sets going."""

    def __init__(self, profile: Profile, config: Settings) -> None:
        client, secret = make_github(profile, os.environ), os.environ.get(profile.github.webhook_secret_env)
        self.webhook: Webhook | None = None
        if client is not None and secret:
            self._tray = Tray(config.redis_url, "github", Hook)
            self._desk = GitHubDesk(make_service(profile, config), functools.partial(read_pull, client))
            self.webhook = Webhook(secret, profile.github.repository, self._tray.accept)

    def serve(self, stop: threading.Event) -> None:
        """Act on what came, one after the other, until ``stop``; orders are idempotent: a second try does no harm."""
        worker = me("github")
        while self.webhook is not None and not stop.is_set():
            try:
                for entry, hook in self._tray.take(worker, wait=0.5):
                    if hook is None or self._act(hook):
                        self._tray.done(entry)
            except MoTestplanError as error:
                logger.warning("webhooks: %s", error.message)
                stop.wait(1.0)

    def _act(self, hook: Hook) -> bool:
        """Whether it is done with; else it comes again, and does not hold up the others until then."""
        try:
            self._desk.act(hook)
        except MoTestplanError as error:
            logger.warning("delivery %s comes again: %s", hook.key, error.message)
            return False
        except Exception:  # nor must one that we stumble over
            logger.exception("delivery %s", hook.key)
        return True
