"""Take callbacks of a WeCom application, and do what people ask.

Put a TLS proxy in front and enter https://HOST/wecom/app as the application's address for messages. The secrets come
from the environment variables that the profile names (wecom.app). An AI bot needs no address: `control` connects to it.
"""

from __future__ import annotations

import argparse
import logging
import os
import threading

from orchestrator.api.server import make_server
from orchestrator.cli import edge, life
from orchestrator.cli.chat import make_office, make_wecom_app, me
from orchestrator.commands.desk import Desk
from orchestrator.commands.inbox import Inbox
from orchestrator.domain.errors import EXIT_PASSED, ToolMissingError, UsageError
from orchestrator.domain.profile import Profile
from orchestrator.notify.wecom.callback import AppCallback
from orchestrator.notify.wecom.crypto import Cipher
from orchestrator.notify.wecom.dialogue import Dialogue
from orchestrator.notify.wecom.limits import WindowClient
from orchestrator.notify.wecom.repliers import AppReplier
from orchestrator.notify.wecom.secrets import mask_logs
from orchestrator.settings import check_profile


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
    windows = WindowClient(config.redis_url)
    callback, app = _callback(profile), make_wecom_app(profile, os.environ, windows)
    if app is None:
        raise UsageError(
            f"profile {profile.name!r} has no WeCom application whose secret this process knows",
            f"Set wecom.app in the profile and {profile.wecom.app.secret_env} in the environment.",
        )
    life.end_with_stdin(args.until_eof)
    office, inbox = make_office(profile, config), Inbox(config.redis_url, "app")
    stop = threading.Event()
    dialogue = Dialogue(Inbox(config.redis_url, "app"), Desk(office), AppReplier(app, office.shelf), me("serve"))
    work = threading.Thread(target=dialogue.serve, args=(stop,))
    work.start()
    try:
        mask_logs("uvicorn.access", "uvicorn.error")
        server = make_server(callback, inbox.accept)
        uvicorn.run(server, host=args.host, port=args.port, log_config=None, access_log=False)
    finally:
        stop.set()
        work.join()
    return EXIT_PASSED


def _callback(profile: Profile) -> AppCallback:
    said = profile.wecom.app
    cipher = Cipher(os.environ.get(said.token_env, ""), os.environ.get(said.aes_key_env, ""), said.corp_id)
    return AppCallback(cipher, said.agent_id)
