"""The whole loop in a chat: a person writes and clicks, a real worker runs a real suite, a stand-in keeps the rules."""

from __future__ import annotations

import contextlib
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from orchestrator.domain.run import RunState
from orchestrator.ledger.client import Ledger
from orchestrator.messaging import make_app
from orchestrator.notify.wecom.standin.botside import BotSide
from orchestrator.notify.wecom.standin.corp import Corp
from orchestrator.notify.wecom.standin.corpside import AES_KEY, TOKEN, CorpSide
from orchestrator.notify.wecom.standin.shown import Shown
from orchestrator.store import Store
from tests.acceptance.project import make_project
from tests.acceptance.servers import free_port, redis_server, service, wait_until
from tests.require import require

PASS = "if It() != 2 { t.Fatal(It()) }"
#: Passes, fails or hangs as a file beside the test says, so that one pull request can do all three.
STEERED = """
word, _ := os.ReadFile("{switch}")
if string(word) == "hang" {{ time.Sleep(time.Hour) }}
if string(word) == "fail" {{ t.Fatal("told to") }}
"""
PEOPLE = """
people:
  - {userid: dev, role: developer}
  - {userid: boss, role: maintainer}
  - {userid: root, role: admin}
chats:
  - {id: team}
"""


class Chat:
    """One project with its services, and what people see."""

    def __init__(self, folder: Path, url: str, bot: BotSide, corp: CorpSide) -> None:
        self.switch = folder / "switch"
        self.switch.write_text("pass")
        bodies = {"a": PASS, "b": STEERED.format(switch=self.switch)}
        self.project, self.ledger = make_project(folder / "project", bodies), Ledger(url)
        self.project.git("update-ref", "refs/pull/7/head", "pr")
        self.bot, self.corp = bot, corp
        wecom = (
            f"wecom:\n  language: zh\n  base_url: {corp.base_url}\n"
            f"  app: {{corp_id: {corp.corp.corp_id}, agent_id: {corp.corp.agent_id}}}\n"
            f"  bot: {{id: {bot.bot_id}, url: '{bot.url}'}}\n"
        )
        with self.project.profile.open("a") as file:
            file.write(wecom)
        (self.project.profile.parent / "people.yaml").write_text(PEOPLE)
        self.project.environ |= {
            "MO_TESTPLAN_REDIS_URL": url,
            "PATH": _without_sandbox(folder / "bin"),  # the switch is outside of what a sandbox shows
            "MO_TESTPLAN_WECOM_BOT_SECRET": bot.secret,
            "MO_TESTPLAN_WECOM_APP_SECRET": corp.corp.secret,
            "MO_TESTPLAN_WECOM_APP_TOKEN": TOKEN,
            "MO_TESTPLAN_WECOM_APP_AES_KEY": AES_KEY,
        }

    def says(self, user: str, text: str) -> Shown:
        """Somebody writes in the group; the first thing that is answered."""
        before = len(self.bot.shown)
        self.bot.say(user, text, "team")
        return self._next(self.bot.shown, before)

    def tells(self, user: str, text: str) -> Shown:
        """Somebody writes to the application."""
        before = len(self.corp.corp.shown)
        assert self.corp.say(user, text) == 1
        return self._next(self.corp.corp.shown, before)

    def _next(self, shown: list[Shown], before: int) -> Shown:
        wait_until("an answer", lambda: len(shown) > before, 15)
        return shown[before]

    def clicked(self, click: Callable[[], object], card: Shown) -> float:
        """Seconds from a click to the card's change."""
        updates, began = card.updates, time.monotonic()
        click()
        while card.updates == updates:
            assert time.monotonic() - began < 10, "the card never changed"
            time.sleep(0.01)
        return time.monotonic() - began

    def run_of(self, card: Shown) -> str:
        return card.task_id.partition("@")[0]

    def ended(self, run: str) -> RunState:
        def over() -> bool:
            progress = self.ledger.progress(run)
            return progress is not None and progress.state.final

        wait_until(f"{run} ends", over, 60)
        progress = self.ledger.progress(run)
        assert progress is not None
        return progress.state

    def running(self, run: str) -> int:
        return sum(state.value == "running" for state in self.ledger.states(run).values())

    def verdicts(self, run: str) -> list[str]:
        return [
            m.content for m in (*self.bot.shown, *self.corp.corp.shown) if m.msgtype == "markdown" and run in m.content
        ]


@pytest.fixture
def chat(tmp_path: Path) -> Iterator[Chat]:
    require("redis", "go")
    members = frozenset({"dev", "boss", "root", "stranger"})
    (tmp_path / "redis").mkdir()
    with contextlib.ExitStack() as stack:
        url = stack.enter_context(redis_server(tmp_path / "redis"))
        bot = stack.enter_context(BotSide())
        corp = stack.enter_context(CorpSide(Corp(time.monotonic, members=members)))
        chat = Chat(tmp_path, url, bot, corp)
        env, logs, port = chat.project.environment(), chat.project.root, free_port()
        corp.callback_url = f"http://127.0.0.1:{port}/wecom/app"
        for words in (
            ["control", "--profile", "mini"],
            ["serve", "--profile", "mini", "--port", str(port)],
            ["worker", "--name", "one", "--unsafe-no-sandbox", "--concurrency", "2"],
        ):
            stack.enter_context(service(*words, env=env, log=logs / f"{words[0]}.log"))
        app = make_app(url)
        wait_until("services answer", lambda: len(app.control.ping(timeout=0.5) or []) == 2, 60)
        wait_until("the bot is connected", lambda: bot.connected, 20)
        wait_until("the server answers", lambda: _checks(corp), 20)
        yield chat


def _without_sandbox(folder: Path) -> str:
    """A PATH with git and Go and nothing else."""
    folder.mkdir()
    for name in ("git", "go"):
        (folder / name).symlink_to(Path(shutil.which(name) or name).resolve())
    return str(folder)


def _checks(corp: CorpSide) -> bool:
    try:
        return corp.check_address()
    except httpx.HTTPError:
        return False


def test_a_run_is_steered_from_the_group_by_words_and_buttons(chat: Chat) -> None:
    chat.switch.write_text("hang")
    card = chat.says("dev", "运行 7")
    run = chat.run_of(card)
    wait_until("it runs", lambda: chat.running(run) >= 1, 60)
    wait_until(
        "progress is told in place", lambda: any(run in m.content for m in chat.bot.shown if m.msgtype == "stream")
    )

    assert "没有权限" in chat.says("stranger", f"取消 {run}").content
    asked = chat.clicked(lambda: chat.bot.click("boss", card, "取消"), card)
    assert asked < 2
    chat.bot.click("dev", card, "确认")  # not who asked
    time.sleep(0.5)
    assert chat.running(run) >= 1
    done = chat.clicked(lambda: chat.bot.click("boss", card, "确认"), card)
    assert done < 2
    assert "boss" in card.content
    assert chat.ended(run) is RunState.CANCELLED

    chat.switch.write_text("fail")
    failed = chat.run_of(chat.says("dev", "运行 PR 7"))
    assert chat.ended(failed) is RunState.FAILED
    wait_until("the verdict is told", lambda: chat.verdicts(failed))
    assert "told to" in chat.says("dev", f"失败 {failed}").content

    chat.switch.write_text("pass")
    again = chat.run_of(chat.says("dev", f"重跑 {failed} 失败"))
    assert chat.ended(again) is RunState.PASSED
    assert list(chat.ledger.states(again)) == ["ut:b/..."], "only what failed"

    story = chat.says("root", "审计").content
    for words in (f"cancel {run}", f"rerun {failed} failed", "refused", "asked to confirm", "run 7"):
        assert words in story
    with Store(f"sqlite:///{chat.project.root}/state/history.sqlite") as store:
        assert {entry.who for entry in store.audit_log()} >= {"wecom:dev", "wecom:boss", "wecom:stranger"}


def test_a_run_is_cancelled_in_the_application_where_cards_really_change(chat: Chat) -> None:
    chat.switch.write_text("hang")
    card = chat.tells("dev", "run 7 ut")
    run = chat.run_of(card)
    wait_until("it runs", lambda: chat.running(run) >= 1, 60)
    assert "没有权限" in chat.tells("stranger", "runs").content
    assert chat.clicked(lambda: chat.corp.click("dev", card, "取消"), card) < 2
    confirm = card.buttons["确认"]
    assert chat.clicked(lambda: chat.corp.click("dev", card, "确认"), card) < 2
    assert chat.ended(run) is RunState.CANCELLED
    time.sleep(1.1)  # within the same second it would be the same click
    assert chat.clicked(lambda: chat.corp.click_key("dev", card, confirm), card) < 2, "a stale click says so"
    wait_until("the verdict is told", lambda: chat.verdicts(run))
