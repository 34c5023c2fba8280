"""Serve the REST API with its events and metrics, and take the callbacks of chats.

The OpenAPI document is at /openapi.json, metrics for Prometheus at /metrics. Callers need a token: `mo-testplan token`.
With a WeCom application in the profile its callbacks are taken at /wecom/app; its secrets come from the environment
variables that the profile names. Put a TLS proxy in front. An AI bot needs no address: `control` connects to it.
"""

from __future__ import annotations

import argparse
import contextlib
import logging
import os
import threading
from collections.abc import Iterator

from orchestrator.cli import edge, life
from orchestrator.cli.chat import make_office, make_wecom_app, me
from orchestrator.cli.services import make_service
from orchestrator.commands.desk import Desk
from orchestrator.commands.inbox import Inbox
from orchestrator.domain.errors import EXIT_PASSED, ToolMissingError
from orchestrator.domain.profile import Profile
from orchestrator.notify.wecom.app import App
from orchestrator.notify.wecom.callback import AppCallback
from orchestrator.notify.wecom.crypto import Cipher
from orchestrator.notify.wecom.dialogue import Dialogue
from orchestrator.notify.wecom.repliers import AppReplier
from orchestrator.notify.wecom.secrets import mask_logs
from orchestrator.settings import Settings, check_profile


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of ``serve``."""
    parser.add_argument("--profile", default="matrixone", help="profile whose runs it serves (default matrixone)")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default 127.0.0.1)")
    parser.add_argument("--port", type=int, default=8600, help="port to listen on (default 8600)")
    parser.add_argument("--until-eof", action="store_true", help=argparse.SUPPRESS)


def run(args: argparse.Namespace) -> int:
    """Serve until told to stop; what was accepted is done before the end, or by the next process."""
    try:
        import uvicorn

        from orchestrator.api.metrics import Metrics
        from orchestrator.api.rest.app import make_api
        from orchestrator.api.server import routes
    except ModuleNotFoundError as error:
        raise ToolMissingError(
            f"serve needs the {error.name} package", "Install it with: pip install 'mo-testplan[api]'"
        ) from None
    config = edge.settings()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    profile = check_profile(args.profile, config)
    service, app = make_service(profile, config), make_wecom_app(profile, os.environ)
    service.ledger.ping()
    life.end_with_stdin(args.until_eof)
    inbox = Inbox(config.redis_url, "app")
    more = routes(_callback(profile) if app is not None else None, inbox.accept, Metrics(service))
    with _dialogue(profile, config, app) if app is not None else contextlib.nullcontext():
        mask_logs("uvicorn.access", "uvicorn.error")
        server = make_api(service, config.redis_url, more)
        uvicorn.run(
            server,
            host=args.host,
            port=args.port,
            log_config=None,
            access_log=False,
            timeout_graceful_shutdown=3,  # event streams end only when their runs do
        )
    return EXIT_PASSED


@contextlib.contextmanager
def _dialogue(profile: Profile, config: Settings, app: App) -> Iterator[None]:
    """Answer what the application's callbacks brought, in a thread, as long as the block lasts."""
    office, stop = make_office(profile, config), threading.Event()
    dialogue = Dialogue(Inbox(config.redis_url, "app"), Desk(office), AppReplier(app, office.shelf), me("serve"))
    work = threading.Thread(target=dialogue.serve, args=(stop,))
    work.start()
    try:
        yield
    finally:
        stop.set()
        work.join()


def _callback(profile: Profile) -> AppCallback:
    said = profile.wecom.app
    cipher = Cipher(os.environ.get(said.token_env, ""), os.environ.get(said.aes_key_env, ""), said.corp_id)
    return AppCallback(cipher, said.agent_id)
