"""Watch workers and tasks in a browser: Flower on this system's broker.

Flower is a window, not the record: it forgets at a restart, the history does not. A revoke made there becomes a cancel.
"""

from __future__ import annotations

import argparse
import ipaddress
import os

from orchestrator.cli import edge
from orchestrator.domain.errors import EXIT_PASSED, ToolMissingError, UsageError
from orchestrator.domain.options import port
from orchestrator.messaging import make_app

#: ``user:password``; Flower's API answers 401 without one.
_AUTH = "MO_TESTPLAN_FLOWER_AUTH"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of ``flower``."""
    parser.add_argument("--address", default="127.0.0.1", help="address to listen on (default 127.0.0.1)")
    parser.add_argument("--port", type=port, default=5555, help="port to listen on (default 5555)")


def run(args: argparse.Namespace) -> int:
    """Serve until told to stop."""
    config = edge.settings()
    auth = os.environ.get(_AUTH, "")
    if not auth and not _is_loopback(args.address):
        raise UsageError(
            f"Flower on {args.address} would let anybody stop workers",
            f"Set {_AUTH}=user:password, or stay on 127.0.0.1.",
        )
    if not all(user and word for user, _, word in (pair.partition(":") for pair in auth.split(",") if auth)):
        raise UsageError(f"{_AUTH} names no user with a password", f"Write {_AUTH}=user:password.")
    try:
        import flower  # noqa: F401 - only to see whether it is there
    except ImportError:
        raise ToolMissingError("Flower is not installed", "Install it: pip install 'mo-testplan[flower]'.") from None
    if auth:
        os.environ["FLOWER_BASIC_AUTH"] = auth  # not an argument: those are visible to everybody on the host
    edge.say(f"Flower on http://{args.address}:{args.port}")
    make_app(config.redis_url).start(["flower", f"--address={args.address}", f"--port={args.port}"])
    return EXIT_PASSED


def _is_loopback(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return address == "localhost"
