"""Stand-ins for trying things out: `dev wecom` is a WeCom group robot on this machine."""

from __future__ import annotations

import argparse
import signal
import sys
import unicodedata
from types import FrameType

from orchestrator.domain.errors import EXIT_PASSED
from orchestrator.notify.wecom.standin import Received, WeComStandIn


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    kinds = parser.add_subparsers(dest="stand_in", required=True, metavar="STAND-IN")
    wecom = kinds.add_parser("wecom", help="a WeCom group robot that enforces the real one's rules")
    wecom.add_argument("--port", type=_port, default=0, help="where to listen on 127.0.0.1 (default: any free port)")
    wecom.add_argument("--key", help="the robot's key (default: a new one)")


def run(arguments: argparse.Namespace) -> int:
    """Stand in, printing every message, until Ctrl-C or a TERM signal."""
    signal.signal(signal.SIGTERM, _interrupted)
    shown = 0
    with WeComStandIn(port=arguments.port, key=arguments.key) as wecom:
        _tell(f"WeCom stand-in at {wecom.base_url} (Ctrl-C ends it)")
        _tell(f"  profile:      wecom: {{base_url: {wecom.base_url}}}")
        _tell(f"  environment:  export MO_TESTPLAN_WECOM_KEY={wecom.key}")
        try:
            while True:
                wecom.wait_for(shown + 1, timeout=0.5)
                for message in wecom.messages[shown:]:
                    shown += 1
                    print(rendered(message, shown), flush=True)  # noqa: T201 - the messages are the answer
        except KeyboardInterrupt:
            _tell(f"{shown} message(s)")
    return EXIT_PASSED


def rendered(message: Received, number: int) -> str:
    """A message for a terminal, with nothing in it that could steer one."""
    lines = [f"── message {number} ({message.msgtype})", *message.content.splitlines()]
    lines += [f"!! {warning}" for warning in message.warnings]
    return "\n".join("".join(c for c in line if unicodedata.category(c) not in ("Cc", "Cf", "Cs")) for line in lines)


def _port(word: str) -> int:
    if word.isdecimal() and int(word) <= 65535:
        return int(word)
    raise argparse.ArgumentTypeError(f"{word!r} is no port: a number from 0 to 65535")


def _interrupted(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _tell(text: str) -> None:
    print(text, file=sys.stderr, flush=True)  # noqa: T201 - words go to stderr
