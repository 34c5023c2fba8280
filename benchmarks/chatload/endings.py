"""Many runs that end within a minute, two control processes, and every channel that can be told."""

from __future__ import annotations

import contextlib
import re
import time
from typing import Any

from benchmarks.chatload.place import Place, place
from benchmarks.rig.waiting import seconds_until
from orchestrator.commands.shelf import Shelf, Subscription
from orchestrator.domain.run import TaskResult, TaskState
from orchestrator.ledger.client import Ledger
from orchestrator.ledger.records import Delivery
from orchestrator.messaging import ask_summary, make_app
from orchestrator.notify.wecom.standin.botside import BotSide
from orchestrator.runs import control
from orchestrator.service.pulls import plan_pull
from orchestrator.settings import check_profile

PEOPLE = """
people:
  - {userid: author, role: developer, emails: [author@example.com]}
chats:
  - {id: team}
"""
_RUN = re.compile(r"`(\d{4}-[0-9a-f]{8})`")


def measure(runs: int, seconds: float, patience: float) -> dict[str, Any]:
    """Figures of ``runs`` failing runs that end within ``seconds``; what is told is waited for ``patience`` seconds."""
    with place(["author"], PEOPLE) as here:
        for _ in range(2):
            here.start("control", "--profile", "load", "--until-eof")
        seconds_until(lambda: here.world.bot.connected, "the bot is connected", patience=60)
        here.world.bot.say("author", "whoami", "team")  # a bot may speak where somebody has spoken
        shelf = Shelf(here.settings.redis_url)
        shelf.subscribe(Subscription("bot:team"))
        shelf.close()
        ended, took = _end_runs(here, runs, seconds)
        began = time.monotonic()
        channels = ("robot", "bot", "app")
        with contextlib.suppress(TimeoutError):  # what is missing is counted below
            seconds_until(
                lambda: all(not ended - told(here, name) for name in channels),
                "every verdict is told",
                patience=patience,
            )
        missing = {f"missing_{name}": len(ended - told(here, name)) for name in channels}
        service, bot, corp = here.world.robot.service, here.world.bot, here.world.corp.corp
        assert isinstance(bot, BotSide)
        return {
            "runs": runs,
            "controls": len(here.services),
            "ended_within_s": round(took, 1),
            **missing,
            "messages_robot": len(service.received),
            "messages_bot": len(bot.shown),
            "messages_app": len(corp.shown),
            "over_limit": (service.attempts - len(service.received)) + bot.refused_by_rate + corp.dropped,
            "last_told_after_s": round(time.monotonic() - began, 1),
        }


def _end_runs(here: Place, runs: int, seconds: float) -> tuple[set[str], float]:
    """Start and end runs as a worker would, spread over ``seconds``."""
    profile = check_profile("load", here.settings)
    ledger, app, plan = Ledger(here.settings.redis_url), make_app(here.settings.redis_url), plan_pull(profile, 7)
    began, ended = time.monotonic(), set()
    for number in range(runs):
        time.sleep(max(0.0, began + number * seconds / runs - time.monotonic()))
        run = control.start(app, ledger, plan)
        for task in plan.tasks:
            delivery = Delivery(run, task.shard or "", 1)
            _, attempt = ledger.start(delivery, "bench", task.id, 20)
            result = TaskResult(task.id, TaskState.FAILED, attempt, failed=1, message="told to")
            ledger.finish(delivery, "bench", result)
        ask_summary(app, run)
        ended.add(run)
    took = time.monotonic() - began
    ledger.close()
    return ended, took


def told(here: Place, channel: str) -> set[str]:
    """Runs whose verdict a channel has shown."""
    world = here.world
    texts = {
        "robot": lambda: [message.content for message in world.robot.messages],
        "bot": lambda: [shown.content for shown in list(world.bot.shown)],
        "app": lambda: [shown.content for shown in list(world.corp.corp.shown)],
    }[channel]()
    return {run for text in texts for line in text.splitlines() if "failed" in line for run in _RUN.findall(line)} | {
        run for text in texts if text.startswith("**<font") for run in _RUN.findall(text)
    }
