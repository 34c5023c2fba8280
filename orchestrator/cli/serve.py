"""Take callbacks of a WeCom application or AI bot, and do what people ask.

Put a TLS proxy in front and enter https://HOST/wecom/app as the application's address for messages, or
https://HOST/wecom/bot as the bot's. The secrets come from the environment variables that the profile names (wecom.app,
wecom.bot). An AI bot with a long connection needs no address: `control` connects to it.
"""

from __future__ import annotations

import argparse
import logging
import os
import threading

from orchestrator.api.server import Callback, make_server
from orchestrator.cli import edge, life
from orchestrator.cli.chat import make_office, make_wecom_app, me
from orchestrator.commands.desk import Desk
from orchestrator.commands.inbox import Inbox
from orchestrator.domain.errors import EXIT_PASSED, ToolMissingError, UsageError
from orchestrator.domain.profile import Profile
from orchestrator.notify.telling import Teller
from orchestrator.notify.wecom.app import App
from orchestrator.notify.wecom.board import Board
from orchestrator.notify.wecom.callback import AppCallback
from orchestrator.notify.wecom.crypto import Cipher
from orchestrator.notify.wecom.dialogue import Dialogue, Replier
from orchestrator.notify.wecom.hook import BotCallback, HookReplier, ResponseUrls
from orchestrator.notify.wecom.identity import Identities
from orchestrator.notify.wecom.limits import WindowClient
from orchestrator.notify.wecom.repliers import AppReplier
from orchestrator.notify.wecom.secrets import mask_logs
from orchestrator.settings import Settings, check_profile


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of ``serve``."""
    parser.add_argument("--profile", default="matrixone", help="profile whose runs people steer (default matrixone)")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default 127.0.0.1)")
    parser.add_argument("--port", type=int, default=8600, help="port to listen on (default 8600)")
    parser.add_argument("--until-eof", action="store_true", help=argparse.SUPPRESS)


def run(args: argparse.Namespace) -> int:
    """Serve until told to stop; what was accepted is done before the end, or by the next process."""
    try:
        import uvicorn
    except ModuleNotFoundError:
        raise ToolMissingError(
            "serve needs the uvicorn package", "Install it with: pip install 'mo-testplan[wecom]'"
        ) from None
    config = edge.settings()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    profile = check_profile(args.profile, config)
    served = _Served(profile, config)
    if not served.callbacks:
        raise UsageError(
            f"profile {profile.name!r} has no WeCom application or bot whose secrets this process knows",
            f"Set wecom.app in the profile and {profile.wecom.app.secret_env} in the environment.",
        )
    life.end_with_stdin(args.until_eof)
    stop = threading.Event()
    threads = [threading.Thread(target=dialogue.serve, args=(stop,)) for dialogue in served.dialogues]
    for thread in threads:
        thread.start()
    try:
        mask_logs("uvicorn.access", "uvicorn.error")
        server = make_server(served.callbacks)
        uvicorn.run(server, host=args.host, port=args.port, log_config=None, access_log=False)
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    return EXIT_PASSED


class _Served:
    """The callback addresses of a profile, and who answers what comes in by them."""

    def __init__(self, profile: Profile, config: Settings) -> None:
        self.callbacks: dict[str, Callback] = {}
        self.dialogues: list[Dialogue] = []
        self._profile, self._config, self._office = profile, config, make_office(profile, config)
        self._app = make_wecom_app(profile, os.environ, WindowClient(config.redis_url))
        if self._app is not None:
            self._serve_app(self._app)
        if profile.wecom.bot.id and os.environ.get(profile.wecom.bot.token_env):
            self._serve_bot()

    def _serve_app(self, app: App) -> None:
        said = self._profile.wecom.app
        cipher = _cipher(said.token_env, said.aes_key_env, said.corp_id)
        accept = Inbox(self._config.redis_url, "app").accept
        self.callbacks["/wecom/app"] = AppCallback(cipher, said.agent_id, accept)
        self._answer("app", AppReplier(app, self._office.shelf))

    def _serve_bot(self) -> None:
        said, board = self._profile.wecom.bot, Board(self._config.redis_url)
        cipher = _cipher(said.token_env, said.aes_key_env, "")
        accept = Inbox(self._config.redis_url, "hook").accept
        progress = Teller(self._office, ()).progress_line
        self.callbacks["/wecom/bot"] = BotCallback(cipher, board, accept, progress)
        self._answer("hook", HookReplier(board, ResponseUrls(board, self._profile.wecom.base_url)))

    def _answer(self, channel: str, replier: Replier) -> None:
        identities = Identities(self._app, self._office.shelf, self._office.people)
        inbox = Inbox(self._config.redis_url, channel)
        self.dialogues.append(Dialogue(inbox, Desk(self._office), replier, me(f"serve-{channel}"), identities))


def _cipher(token_env: str, aes_key_env: str, receiver: str) -> Cipher:
    return Cipher(os.environ.get(token_env, ""), os.environ.get(aes_key_env, ""), receiver)
