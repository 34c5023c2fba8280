"""Serve the REST API with its events and metrics, and take the callbacks of chats.

The OpenAPI document is at /openapi.json, metrics for Prometheus at /metrics. Callers need a token: `mo-testplan token`.
Put a TLS proxy in front. With WeCom, enter https://HOST/wecom/app as the application's address for messages, or
https://HOST/wecom/bot as the bot's. The secrets come from the environment variables that the profile names (wecom.app,
wecom.bot). An AI bot with a long connection needs no address: `control` connects to it.

WeCom waits no longer than a second for an answer, so what is asked is done in a second process, which this one keeps.
"""

from __future__ import annotations

import argparse
import contextlib
import logging
import os
import threading
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from orchestrator.cli import answering, edge, life
from orchestrator.cli.chat import make_office
from orchestrator.cli.github import GitHubIn
from orchestrator.cli.services import make_github, make_service
from orchestrator.commands.inbox import Inbox
from orchestrator.domain.errors import EXIT_PASSED, ToolMissingError
from orchestrator.domain.options import port
from orchestrator.domain.profile import Profile
from orchestrator.notify.telling import Teller
from orchestrator.notify.wecom.board import Board
from orchestrator.notify.wecom.callback import AppCallback
from orchestrator.notify.wecom.crypto import Cipher
from orchestrator.notify.wecom.hook import BotCallback
from orchestrator.notify.wecom.secrets import mask_logs
from orchestrator.settings import Settings, check_profile

if TYPE_CHECKING:
    from orchestrator.api.server import Callback

#: Seconds that a command may take which is under way when this process is told to end.
_PATIENCE = 20.0

logger = logging.getLogger(__name__)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of ``serve``."""
    parser.add_argument("--profile", default="matrixone", help="profile whose runs it serves (default matrixone)")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default 127.0.0.1)")
    parser.add_argument("--port", type=port, default=8600, help="port to listen on (default 8600)")
    parser.add_argument("--answers-only", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--until-eof", action="store_true", help=argparse.SUPPRESS)


def run(args: argparse.Namespace) -> int:
    """Serve until told to stop; what was accepted is done before the end, or by the next process."""
    config = edge.settings()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    profile = check_profile(args.profile, config)
    life.end_with_stdin(args.until_eof)
    if args.answers_only:
        return answering.run(profile, config)
    try:
        import uvicorn

        from orchestrator.api.metrics import Metrics
        from orchestrator.api.rest.app import make_api
        from orchestrator.api.server import routes
    except ModuleNotFoundError as error:
        raise ToolMissingError(
            f"serve needs the {error.name} package", "Install it with: pip install 'mo-testplan[api]'"
        ) from None
    service, callbacks, webhook = (
        make_service(profile, config),
        _callbacks(profile, config),
        GitHubIn(profile, config).webhook,
    )
    service.ledger.ping()
    for missing in passed_over(profile):
        logger.warning("%s", missing)
    mask_logs("uvicorn.access", "uvicorn.error")
    server = make_api(service, config.redis_url, routes(callbacks, Metrics(service), webhook))
    words = ["serve", "--profile", args.profile, "--answers-only"]
    with _answered(words) if callbacks or webhook else contextlib.nullcontext():
        _listen(uvicorn, server, args)
    return EXIT_PASSED


def _listen(uvicorn: Any, server: object, args: argparse.Namespace) -> None:  # noqa: ANN401 - imported late
    uvicorn.run(
        server,
        host=args.host,
        port=args.port,
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=3,  # event streams end only when their runs do
    )


@contextlib.contextmanager
def _answered(words: Sequence[str]) -> Iterator[None]:
    """Keep a process that does what is asked; one that ends by itself is followed by another."""
    stop = threading.Event()

    def keep() -> None:
        while not stop.is_set():
            service = life.Service(words, os.environ)
            while service.alive() and not stop.wait(0.2):
                pass
            if not stop.is_set():
                logger.error("the process that answers has ended: another one starts")
                stop.wait(1.0)
            service.stop(_PATIENCE)

    keeper = threading.Thread(target=keep, name="answers")
    keeper.start()
    try:
        yield
    finally:
        stop.set()
        keeper.join()


def passed_over(profile: Profile) -> Iterator[str]:
    """The addresses that this process was given a secret for and does not serve, each with what it lacks."""
    github, app, bot = profile.github, profile.wecom.app, profile.wecom.bot
    if os.environ.get(github.webhook_secret_env) and make_github(profile, os.environ) is None:
        lacks = f"github.repository in the profile, and {github.token_env} or the key of an App"
        yield f"/github/webhook is not served: it needs {lacks}"
    if os.environ.get(app.aes_key_env) and not answering.has_app(profile):
        yield f"/wecom/app is not served: it needs wecom.app.corp_id in the profile, and {app.secret_env}"
    if os.environ.get(bot.aes_key_env) and not answering.has_hook(profile):
        yield f"/wecom/bot is not served: it needs wecom.bot.id in the profile, and {bot.token_env}"


def _callbacks(profile: Profile, config: Settings) -> dict[str, Callback]:
    """The callback addresses of a profile whose secrets this process was given."""
    found: dict[str, Callback] = {}
    app, bot = profile.wecom.app, profile.wecom.bot
    if answering.has_app(profile):
        cipher = _cipher(app.token_env, app.aes_key_env, app.corp_id)
        found["/wecom/app"] = AppCallback(cipher, app.agent_id, Inbox(config.redis_url, "app").accept)
    if answering.has_hook(profile):
        cipher, board = _cipher(bot.token_env, bot.aes_key_env, ""), Board(config.redis_url)
        progress = Teller(make_office(profile, config), ()).progress_line
        found["/wecom/bot"] = BotCallback(cipher, board, Inbox(config.redis_url, "hook").accept, progress)
    return found


def _cipher(token_env: str, aes_key_env: str, receiver: str) -> Cipher:
    return Cipher(os.environ.get(token_env, ""), os.environ.get(aes_key_env, ""), receiver)
