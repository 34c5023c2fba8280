"""A project, its Redis and its services, against a stand-in, for as long as a measurement lasts."""

from __future__ import annotations

import contextlib
import os
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from orchestrator.cli.life import Service
from orchestrator.ledger.embedded import EmbeddedRedis
from orchestrator.notify.wecom.standin.botside import BotSide
from orchestrator.notify.wecom.standin.corpside import AES_KEY, TOKEN
from orchestrator.notify.wecom.standin.world import WeComWorld
from orchestrator.settings import Settings, settings_from, to_environment

ROOT = Path(__file__).resolve().parents[2]
PROFILE = """
name: load
rules: [{{prefix: a.go, unit_tests: [x]}}]
wecom:
  language: en
  base_url: {base}
  app: {{corp_id: {corp}, agent_id: {agent}}}
  bot: {{id: {bot}, url: '{url}'}}
"""


@dataclass
class Place:
    """Where it is measured."""

    folder: Path
    world: WeComWorld
    settings: Settings
    environ: dict[str, str]
    services: list[Service]

    def start(self, *words: str) -> Service:
        """One of our own commands, its log in the folder."""
        log = self.folder / f"{words[0]}{len(self.services)}.log"
        self.services.append(Service(words, self.environ, log))
        return self.services[-1]

    def logs(self) -> str:
        """What all services said."""
        return "\n".join(service.log.read_text(errors="replace") for service in self.services)


@contextlib.contextmanager
def place(members: Sequence[str], people: str) -> Iterator[Place]:
    """A clone with one pull request (number 7), an embedded Redis, a stand-in; ``people`` is the file's text."""
    with tempfile.TemporaryDirectory(prefix="mo-chat-") as name, contextlib.ExitStack() as stack:
        folder = Path(name)
        world = stack.enter_context(WeComWorld(members))
        redis = stack.enter_context(EmbeddedRedis(folder / "redis"))
        (folder / "config").mkdir()
        corp, bot = world.corp.corp, world.bot
        assert isinstance(bot, BotSide)
        text = PROFILE.format(base=world.base_url, corp=corp.corp_id, agent=corp.agent_id, bot=bot.bot_id, url=bot.url)
        (folder / "config" / "load.yaml").write_text(text)
        (folder / "config" / "people.yaml").write_text(people)
        clone(folder / "repo")
        said = {"STATE": folder / "state", "REPO": folder / "repo", "CONFIG_DIR": folder / "config"}
        named = {f"MO_TESTPLAN_{key}": str(value) for key, value in said.items()}
        settings = settings_from({**named, "MO_TESTPLAN_REDIS_URL": redis.url})
        (folder / "state").mkdir()
        secrets = {"KEY": world.robot.key, "APP_SECRET": corp.secret, "APP_TOKEN": TOKEN, "APP_AES_KEY": AES_KEY}
        secrets["BOT_SECRET"] = bot.secret
        environ = {name: value for name, value in os.environ.items() if not name.startswith("MO_TESTPLAN_")}
        environ |= {f"MO_TESTPLAN_WECOM_{key}": value for key, value in secrets.items()} | to_environment(settings)
        made = Place(folder, world, settings, environ, [])
        try:
            yield made
        finally:
            for service in made.services:
                service.stop()


def clone(folder: Path) -> None:
    """One commit on main, one on ``refs/pull/7/head``, by author@example.com."""
    folder.mkdir()
    env = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    who = ["-c", "user.name=t", "-c", "user.email=author@example.com", "-c", "commit.gpgsign=false"]

    def git(*words: str) -> None:
        subprocess.run(["git", *who, *words], cwd=folder, env=env, check=True, capture_output=True)

    git("init", "-qb", "main")
    for number in (1, 2):
        (folder / "a.go").write_text(f"package a\n\nfunc A() int {{ return {number} }}\n")
        (folder / "x").mkdir(exist_ok=True)
        (folder / "x" / "x_test.go").write_text("package x\n")
        git("add", "-A")
        git("commit", "-qm", str(number))
        if number == 1:
            git("checkout", "-qb", "pr")
    git("update-ref", "refs/pull/7/head", "pr")
    git("checkout", "-q", "main")
