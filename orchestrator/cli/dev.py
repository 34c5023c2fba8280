"""Stand-ins for trying things out: `dev wecom` is a WeCom on this machine, with its chat as a page of a browser."""

from __future__ import annotations

import argparse
import contextlib
import re
import sys
import unicodedata

from orchestrator.cli import dev_demo, life
from orchestrator.domain.errors import EXIT_PASSED
from orchestrator.domain.options import port
from orchestrator.notify.wecom.standin import Received
from orchestrator.notify.wecom.standin.botside import BotSide
from orchestrator.notify.wecom.standin.corpside import AES_KEY, TOKEN
from orchestrator.notify.wecom.standin.world import WeComWorld

_WORD = re.compile(r"[0-9A-Za-z._-]{1,40}")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    kinds = parser.add_subparsers(dest="stand_in", required=True, metavar="STAND-IN")
    wecom = kinds.add_parser("wecom", help="group robot, application and AI bot, with the chat in a browser")
    wecom.add_argument("--port", type=port, default=0, help="where to listen on 127.0.0.1 (default: any free port)")
    wecom.add_argument("--bot-port", type=port, default=0, help="the same for the bot's connection")
    wecom.add_argument("--key", help="the robot's key (default: a new one)")
    wecom.add_argument(
        "--members", type=_words, default=_words(",".join(dev_demo.MEMBERS)), metavar="ID,ID", help="who can write"
    )
    wecom.add_argument("--group", type=_word, default="team", metavar="ID", help="the group (default team)")
    wecom.add_argument(
        "--serve",
        default="http://127.0.0.1:8600",
        metavar="URL",
        help="where `mo-testplan serve` listens (default %(default)s)",
    )
    wecom.add_argument(
        "--bot-callback",
        action="store_true",
        help="a bot that calls `serve`; else `control` connects to it",
    )
    wecom.add_argument("--demo", action="store_true", help="with a project, workers and all: nothing to set up")


def run(arguments: argparse.Namespace) -> int:
    """Stand in, printing what the robot says, until Ctrl-C or a TERM signal."""
    with contextlib.suppress(KeyboardInterrupt), life.ended_by_signals(), contextlib.ExitStack() as stack:
        world = WeComWorld(
            arguments.members,
            arguments.group,
            port=arguments.port,
            bot_port=arguments.bot_port,
            key=arguments.key,
            serve_url=arguments.serve,
            hook=arguments.bot_callback,
        )
        stack.enter_context(world)
        stack.callback(lambda: _tell(f"{len(world.robot.messages)} message(s)"))
        _tell(f"WeCom stand-in at {world.base_url} (Ctrl-C ends it)")
        _tell(f"  chat:         open {world.base_url}/ in a browser")
        if arguments.demo:
            stack.enter_context(dev_demo.playground(world, _tell))
        else:
            _explain(world)
        _print_messages(world)
    return EXIT_PASSED


def _explain(world: WeComWorld) -> None:
    """What a profile, the environment and people.yaml must say to meet this stand-in."""
    corp, bot = world.corp.corp, world.bot
    url = f", url: '{bot.url}'" if isinstance(bot, BotSide) else ""
    secrets = " ".join(f"{name}={value}" for name, value in dev_demo.bot_secrets(world).items())
    lines = [
        f"  environment:  export MO_TESTPLAN_WECOM_KEY={world.robot.key}",
        f"                export MO_TESTPLAN_WECOM_APP_SECRET={corp.secret} MO_TESTPLAN_WECOM_APP_TOKEN={TOKEN}",
        f"                export MO_TESTPLAN_WECOM_APP_AES_KEY={AES_KEY}",
        f"                export {secrets}",
        f"  profile:      wecom: {{base_url: '{world.base_url}',",
        f"                  app: {{corp_id: {corp.corp_id}, agent_id: {corp.agent_id}}},",
        f"                  bot: {{id: {bot.bot_id}{url}}}}}",
        f"  people.yaml:  people: [{{userid: {world.members[0]}, role: admin}}]",
        f"                chats: [{{id: {world.group}}}]",
        "  then:         mo-testplan control, serve and worker with that profile",
    ]
    _tell("\n".join(lines))


def _print_messages(world: WeComWorld) -> None:
    shown = 0
    while True:
        world.robot.wait_for(shown + 1, timeout=0.5)
        for message in world.robot.messages[shown:]:
            shown += 1
            print(rendered(message, shown), flush=True)  # noqa: T201 - the messages are the answer


def rendered(message: Received, number: int) -> str:
    """A message for a terminal, with nothing in it that could steer one."""
    lines = [f"── message {number} ({message.msgtype})", *message.content.splitlines()]
    lines += [f"!! {warning}" for warning in message.warnings]
    return "\n".join("".join(c for c in line if unicodedata.category(c) not in ("Cc", "Cf", "Cs")) for line in lines)


def _word(text: str) -> str:
    if _WORD.fullmatch(text):
        return text
    raise argparse.ArgumentTypeError(f"{text!r} is no id: letters, digits, `.`, `_` and `-`")


def _words(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(_word(word) for word in text.split(",")))


def _tell(text: str) -> None:
    print(text, file=sys.stderr, flush=True)  # noqa: T201 - words go to stderr
