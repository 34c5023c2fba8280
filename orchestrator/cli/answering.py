"""Does what came in by callbacks and webhooks, and answers it: the second process of `serve`."""

from __future__ import annotations

import contextlib
import os
import socket
import threading

from orchestrator.cli import life
from orchestrator.cli.chat import make_office, make_wecom_app
from orchestrator.cli.github import GitHubIn
from orchestrator.commands.desk import Desk
from orchestrator.commands.inbox import Inbox
from orchestrator.domain.errors import EXIT_PASSED
from orchestrator.domain.profile import Profile
from orchestrator.notify.wecom.board import Board
from orchestrator.notify.wecom.dialogue import Dialogue, Replier
from orchestrator.notify.wecom.hook import HookReplier, ResponseUrls
from orchestrator.notify.wecom.identity import Identities
from orchestrator.notify.wecom.limits import WindowClient
from orchestrator.notify.wecom.repliers import AppReplier
from orchestrator.settings import Settings

#: Added to its niceness: on a busy host the process that takes callbacks goes first.
_NICE = 5


def has_app(profile: Profile) -> bool:
    """Whether this process can speak for an application."""
    return bool(profile.wecom.app.corp_id and os.environ.get(profile.wecom.app.secret_env))


def has_hook(profile: Profile) -> bool:
    """Whether this process can speak for an AI bot behind a URL."""
    return bool(profile.wecom.bot.id and os.environ.get(profile.wecom.bot.token_env))


def run(profile: Profile, config: Settings) -> int:
    """Answer until told to stop, and end what was begun."""
    os.nice(_NICE)
    stop = threading.Event()
    work = [GitHubIn(profile, config).serve, *(dialogue.serve for dialogue in _dialogues(profile, config))]
    threads = [threading.Thread(target=serve, args=(stop,)) for serve in work]
    for thread in threads:
        thread.start()
    with contextlib.suppress(KeyboardInterrupt), life.ended_by_signals():
        stop.wait()
    stop.set()
    for thread in threads:
        thread.join()
    return EXIT_PASSED


def _keeper() -> str:
    """The process that keeps this one: the next one it starts goes on with what this one had in hand."""
    return f"{os.getppid()}@{socket.gethostname()}"


def _dialogues(profile: Profile, config: Settings) -> list[Dialogue]:
    office = make_office(profile, config)
    app = make_wecom_app(profile, os.environ, WindowClient(config.redis_url))
    repliers: dict[str, Replier] = {}
    if app is not None:
        repliers["app"] = AppReplier(app, office.shelf)
    if has_hook(profile):
        board = Board(config.redis_url)
        repliers["hook"] = HookReplier(board, ResponseUrls(board, profile.wecom.base_url))
    identities = Identities(app, office.shelf, office.people)
    return [
        Dialogue(Inbox(config.redis_url, channel), Desk(office), replier, f"serve-{channel}-{_keeper()}", identities)
        for channel, replier in repliers.items()
    ]
