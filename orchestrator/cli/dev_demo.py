"""The demo's project behind a chat: everything that a person needs to steer a real run from the stand-in's page."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from orchestrator.cli.demo.sample import SampleRepository
from orchestrator.cli.demo.stage import demo_environment, demo_settings, write_profile
from orchestrator.cli.life import Service, undisturbed
from orchestrator.cli.local import LocalStack
from orchestrator.notify.wecom.standin.botside import BotSide
from orchestrator.notify.wecom.standin.corpside import AES_KEY, TOKEN
from orchestrator.notify.wecom.standin.world import WeComWorld
from orchestrator.settings import to_environment
from workers.process import remove_tree
from workers.servers.owned import free_port

#: Who can write unless told otherwise; the first is an administrator, the last has no role.
MEMBERS = ("boss", "dev", "guest")
#: The pull request that breaks a function, and the one that repairs it.
BROKEN, FIXED = 1, 2
_PATIENCE = 600
_PEOPLE = """
people:
  - {{userid: {admin}, role: admin}}
  - {{userid: {developer}, role: developer}}
chats:
  - {{id: {group}}}
"""


@contextlib.contextmanager
def playground(world: WeComWorld, tell: Callable[[str], object]) -> Iterator[None]:
    """A repository with two pull requests, an embedded Redis, control, server and workers; gone afterwards."""
    with contextlib.ExitStack() as stack:
        folder = Path(tempfile.mkdtemp(prefix="mo-testplan-chat-"))
        stack.callback(_removed, folder)
        sample = SampleRepository(folder / "shop")
        sample.create()
        sample.open_pull_request()
        sample.number(BROKEN)
        sample.fix()
        sample.number(FIXED)
        profile, port = _profile(folder, world), free_port()
        world.serve_at(f"http://127.0.0.1:{port}")
        environ = demo_environment(folder, _secrets(world))
        local = stack.enter_context(LocalStack(demo_settings(folder), str(profile), workers=2, environ=environ))
        words = ["serve", "--profile", str(profile), "--port", str(port)]
        serve = Service(words, {**environ, **to_environment(local.settings)}, local.folder / "serve.log")
        local.services.append(serve)  # ends with the others
        tell("  starting a project, Redis, control, server and two workers …")
        local.wait_ready()
        tell(f"  ready:        write `run {BROKEN}` (it fails) or `run {FIXED}` (it passes), or `help`")
        stack.callback(tell, "  cleaning up …")
        yield


def _removed(folder: Path) -> None:
    with undisturbed():
        remove_tree(folder)


def _profile(folder: Path, world: WeComWorld) -> Path:
    corp, bot = world.corp.corp, world.bot
    wecom = {
        "base_url": world.base_url,
        "app": {"corp_id": corp.corp_id, "agent_id": corp.agent_id},
        "bot": {"id": bot.bot_id, **({"url": bot.url} if isinstance(bot, BotSide) else {})},
    }
    # Nobody waits for an exit code here, and a busy host must not make a test fail.
    path = write_profile(folder, wecom=wecom, unit_tests={"timeout": _PATIENCE}, bvt={"timeout": _PATIENCE})
    admin, developer = world.members[0], world.members[min(1, len(world.members) - 1)]
    people = _PEOPLE if admin != developer else _PEOPLE.replace("  - {{userid: {developer}, role: developer}}\n", "")
    (path.parent / "people.yaml").write_text(people.format(admin=admin, developer=developer, group=world.group))
    return path


def _secrets(world: WeComWorld) -> dict[str, str]:
    return {
        "MO_TESTPLAN_WECOM_KEY": world.robot.key,
        "MO_TESTPLAN_WECOM_APP_SECRET": world.corp.corp.secret,
        "MO_TESTPLAN_WECOM_APP_TOKEN": TOKEN,
        "MO_TESTPLAN_WECOM_APP_AES_KEY": AES_KEY,
        **bot_secrets(world),
    }


def bot_secrets(world: WeComWorld) -> dict[str, str]:
    """What the environment must say for the bot, in whichever mode it is."""
    if isinstance(world.bot, BotSide):
        return {"MO_TESTPLAN_WECOM_BOT_SECRET": world.bot.secret}
    return {"MO_TESTPLAN_WECOM_BOT_TOKEN": TOKEN, "MO_TESTPLAN_WECOM_BOT_AES_KEY": AES_KEY}
