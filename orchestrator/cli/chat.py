"""What `control` and `serve` make of a profile's chats: offices, connections, and threads that keep at it."""

from __future__ import annotations

import logging
import os
import socket
import threading
from collections.abc import Callable, Mapping

from orchestrator.cli.kept import Kept
from orchestrator.commands.desk import Desk
from orchestrator.commands.inbox import Inbox
from orchestrator.commands.office import Office
from orchestrator.commands.people import people_from
from orchestrator.commands.shelf import Shelf
from orchestrator.domain.errors import MoTestplanError
from orchestrator.domain.profile import Profile
from orchestrator.ledger.client import Ledger
from orchestrator.messaging import make_app
from orchestrator.notify.base import Notifier
from orchestrator.notify.telling import Teller
from orchestrator.notify.wecom.app import App, Member
from orchestrator.notify.wecom.board import Board
from orchestrator.notify.wecom.bot import Body, BotChat, BotConnection
from orchestrator.notify.wecom.callback import bot_incoming
from orchestrator.notify.wecom.dialogue import Dialogue
from orchestrator.notify.wecom.hook import HookChats, ResponseUrls
from orchestrator.notify.wecom.identity import Identities
from orchestrator.notify.wecom.limits import WindowClient, shared_windows
from orchestrator.notify.wecom.repliers import BotReplier
from orchestrator.settings import Settings, read_people
from orchestrator.store import Store

logger = logging.getLogger(__name__)

#: The notifier of a channel by its name in the outbox; None for other channels.
Finder = Callable[[str], Notifier | None]

#: Seconds a process stays away from a bot that another one took over.
_YIELD = 60.0


def make_office(profile: Profile, config: Settings) -> Office:
    """Everything commands work with, on connections of its own."""
    return Office(
        profile,
        Ledger(config.redis_url),
        Store(config.store_url),
        make_app(config.redis_url),
        Shelf(config.redis_url),
        Kept(lambda: read_people(config), people_from),
        settings=config,
    )


def make_wecom_app(profile: Profile, environ: Mapping[str, str], windows: WindowClient) -> App | None:
    """The application of a profile whose secret this process was given."""
    said, secret = profile.wecom.app, environ.get(profile.wecom.app.secret_env)
    if not (said.corp_id and secret):
        return None
    return App(said.corp_id, said.agent_id, secret, profile.wecom.base_url, shared_windows(windows, "app"))


def me(role: str) -> str:
    """This process, among others."""
    return f"{role}-{os.getpid()}@{socket.gethostname()}"


def hook_chats(profile: Profile, config: Settings) -> HookChats:
    """The chats of a bot behind a URL."""
    return HookChats(ResponseUrls(Board(config.redis_url), profile.wecom.base_url))


class Members:
    """The application's chats, made as they are needed: a finder for the outbox."""

    def __init__(self, app: App, shelf: Shelf) -> None:
        self._app, self._shelf = app, shelf

    def __call__(self, name: str) -> Notifier | None:
        """The notifier of ``app:USER``."""
        kind, _, user = name.partition(":")
        return Member(self._app, user, self._shelf) if kind == "app" and user else None


class BotHolder:
    """Holds the bot's connection as long as ``leads()``: one of all control processes does."""

    def __init__(
        self, profile: Profile, config: Settings, secret: str, leads: Callable[[], bool], windows: WindowClient
    ) -> None:
        bot = profile.wecom.bot
        self._leads, self._office = leads, make_office(profile, config)
        self._inbox = Inbox(config.redis_url, "bot")
        limits = shared_windows(windows, "bot")
        self.connection = BotConnection(bot.url, bot.id, secret, self._receive, windows=limits)
        replier = BotReplier(self.connection, Teller(self._office, ()).progress_line)
        app = make_wecom_app(profile, os.environ, windows)
        identities = Identities(app, self._office.shelf, self._office.people)
        self._dialogue = Dialogue(self._inbox, Desk(self._office), replier, me("bot"), identities)

    def __call__(self, name: str) -> Notifier | None:
        """The notifier of ``bot:CHAT``, while the bot is ours: a finder for the outbox."""
        kind, _, chat = name.partition(":")
        ours = kind == "bot" and chat and self.connection.connected
        return BotChat(self.connection, chat) if ours else None

    def serve(self) -> None:
        """Hold it whenever this process leads, for ever."""
        idle = threading.Event()
        while True:
            if not self._leads():
                idle.wait(0.5)
                continue
            if not self._hold():
                idle.wait(_YIELD)

    def _hold(self) -> bool:
        """Hold it until somebody else leads; False when the bot was taken over."""
        stop = threading.Event()
        threads = [threading.Thread(target=work, args=(stop,), daemon=True) for work in (self._watch, self._dialogue_)]
        for thread in threads:
            thread.start()
        try:
            return self.connection.serve(stop)
        finally:
            stop.set()
            for thread in threads:
                thread.join()

    def _dialogue_(self, stop: threading.Event) -> None:
        self._dialogue.serve(stop)

    def _watch(self, stop: threading.Event) -> None:
        while not stop.wait(0.5):
            try:
                if not self._leads():
                    stop.set()
            except MoTestplanError as error:  # without Redis nobody else can lead either
                logger.warning("the bot's lease: %s", error.message)

    def _receive(self, body: Body, req_id: str) -> None:
        incoming = bot_incoming(body, req_id)
        if incoming is not None:
            try:
                self._inbox.accept(incoming)
            except MoTestplanError as error:
                logger.error("a message of the bot is lost: %s", error.message)
