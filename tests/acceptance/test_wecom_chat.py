"""The whole loop in a chat: a person writes and clicks, a real worker runs a real suite, a stand-in keeps the rules."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from benchmarks.rig.processes import lives
from orchestrator.domain.run import RunState
from orchestrator.ledger import keys
from orchestrator.ledger.client import Ledger
from orchestrator.messaging import make_app
from orchestrator.notify.wecom.standin.botside import BotSide
from orchestrator.notify.wecom.standin.corp import Corp
from orchestrator.notify.wecom.standin.corpside import AES_KEY, TOKEN, CorpSide
from orchestrator.notify.wecom.standin.shown import Shown
from orchestrator.store import Store
from tests.acceptance.project import make_project
from tests.acceptance.servers import path_without_sandbox, redis_server, service
from tests.postgres import new_database, postgres_server
from tests.require import require
from tests.waiting import until
from workers.servers.owned import free_port

PASS = "if It() != 2 { t.Fatal(It()) }"
#: Passes, fails or hangs as a file beside the test says, so that one pull request can do all three.
STEERED = """
word, _ := os.ReadFile("{switch}")
if string(word) == "hang" {{
	child := exec.Command("sh", "-c", "trap '' TERM; while :; do sleep 1; done")
	if err := child.Start(); err != nil {{ t.Fatal(err) }}
	os.WriteFile("{switch}.pids", []byte(fmt.Sprint(os.Getpid(), " ", child.Process.Pid)), 0o600)
	time.Sleep(time.Hour)
}}
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


PROGRESS = re.compile(r"`\d{4}-[0-9a-f]{8}`.* \d+/\d+: ")
#: Where measured seconds go, when somebody wants them: this tier waits for conditions and asserts no times.
FIGURES = os.environ.get("MO_TESTPLAN_FIGURES")


def figure(name: str, seconds: float) -> None:
    """Note what something took."""
    if FIGURES:
        path = Path(FIGURES)
        told = json.loads(path.read_text()) if path.exists() else {}
        path.write_text(json.dumps({**told, name: round(max(seconds, told.get(name, 0.0)), 3)}))


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
            "PATH": path_without_sandbox(folder / "bin"),  # the switch is outside of what a sandbox shows
            "MO_TESTPLAN_WECOM_BOT_SECRET": bot.secret,
            "MO_TESTPLAN_WECOM_APP_SECRET": corp.corp.secret,
            "MO_TESTPLAN_WECOM_APP_TOKEN": TOKEN,
            "MO_TESTPLAN_WECOM_APP_AES_KEY": AES_KEY,
        }

    def says(self, user: str, text: str) -> Shown:
        """Somebody writes in the group; the first thing that is answered, and not told by itself."""
        before = len(self.bot.shown)
        self.bot.say(user, text, "team")

        def answers(shown: Shown) -> bool:
            return shown.msgtype != "markdown" and not PROGRESS.match(shown.content)

        return self._next(self.bot.shown, before, answers)

    def tells(self, user: str, text: str) -> Shown:
        """Somebody writes to the application."""
        before = len(self.corp.corp.shown)
        assert self.corp.say(user, text) == 1
        return self._next(self.corp.corp.shown, before, lambda shown: shown.chat == user)

    def _next(self, shown: list[Shown], before: int, answers: Callable[[Shown], bool]) -> Shown:
        until(lambda: any(map(answers, shown[before:])), "an answer")
        return next(filter(answers, shown[before:]))

    def clicked(self, click: Callable[[], object], card: Shown) -> float:
        """Seconds from a click to the card's change."""
        updates, began = card.updates, time.monotonic()
        click()
        until(lambda: card.updates != updates, "the card changes")
        return time.monotonic() - began

    def tree(self) -> list[int]:
        """The processes of the test that hangs: the test itself, and a child that ignores TERM."""
        pids = self.switch.with_name("switch.pids")

        def both() -> list[str]:
            words = pids.read_text().split() if pids.exists() else []
            return words if len(words) == 2 else []

        found = until(both, "the test has started its child, and said which")
        pids.unlink()
        return [int(word) for word in found]

    def gone(self, pids: list[int], since: float) -> None:
        """Wait until all of a tree is dead; note how long after ``since`` that was."""
        until(lambda: not any(map(lives, pids)), f"{pids} are dead")
        figure("tree_dead", time.monotonic() - since)

    def run_of(self, card: Shown) -> str:
        return card.task_id.partition("@")[0]

    def ended(self, run: str) -> RunState:
        def over() -> bool:
            progress = self.ledger.progress(run)
            return progress is not None and progress.state.final

        until(over, f"{run} ends")
        progress = self.ledger.progress(run)
        assert progress is not None
        return progress.state

    def running(self, run: str) -> int:
        return sum(state.value == "running" for state in self.ledger.states(run).values())

    def verdicts(self, run: str) -> list[str]:
        return [
            m.content for m in (*self.bot.shown, *self.corp.corp.shown) if m.msgtype == "markdown" and run in m.content
        ]


@contextlib.contextmanager
def services(chat: Chat, url: str, *more: list[str]) -> Iterator[None]:
    """A control process, a server and a worker, and what else is named; ready."""
    env, logs, port = chat.project.environment(), chat.project.root, free_port()
    chat.corp.callback_url = f"http://127.0.0.1:{port}/wecom/app"
    started = [
        ["control", "--profile", "mini"],
        ["serve", "--profile", "mini", "--port", str(port)],
        ["worker", "--name", "one", "--unsafe-no-sandbox", "--concurrency", "2"],
        *more,
    ]
    with contextlib.ExitStack() as stack:
        for number, words in enumerate(started):
            stack.enter_context(service(*words, env=env, log=logs / f"{words[0]}{number}.log"))
        app = make_app(url)
        until(lambda: len(app.control.ping(timeout=0.5) or []) == len(started) - 1, "services answer")
        until(lambda: chat.bot.connected, "the bot is connected")
        until(lambda: _checks(chat.corp), "the server answers")
        yield


@pytest.fixture
def standing(tmp_path: Path) -> Iterator[tuple[Chat, str]]:
    """The project, the stand-ins and Redis; no service yet."""
    require("redis", "go")
    members = frozenset({"dev", "boss", "root", "stranger"})
    (tmp_path / "redis").mkdir()
    with contextlib.ExitStack() as stack:
        url = stack.enter_context(redis_server(tmp_path / "redis"))
        bot = stack.enter_context(BotSide())
        corp = stack.enter_context(CorpSide(Corp(time.monotonic, members=members)))
        yield Chat(tmp_path, url, bot, corp), url


@pytest.fixture
def chat(standing: tuple[Chat, str]) -> Iterator[Chat]:
    chat, url = standing
    with services(chat, url):
        yield chat


def _checks(corp: CorpSide) -> bool:
    try:
        return corp.check_address()
    except httpx.HTTPError:
        return False


def _stale(chat: Chat, card: Shown, key: str) -> bool:
    """Click what is no longer there; within the same second it would be the same click."""
    chat.corp.click_key("dev", card, key)
    return "失效" in card.content


def test_a_run_is_steered_from_the_group_by_words_and_buttons(chat: Chat) -> None:
    chat.switch.write_text("hang")
    card = chat.says("dev", "运行 7")
    run = chat.run_of(card)
    until(lambda: chat.running(run) >= 1, "it runs")
    tree = chat.tree()
    until(lambda: any(run in m.content for m in chat.bot.shown if m.msgtype == "stream"), "progress is told in place")

    assert "没有权限" in chat.says("stranger", f"取消 {run}").content
    figure("card_updated", chat.clicked(lambda: chat.bot.click("boss", card, "取消"), card))
    before = len(chat.bot.shown)
    chat.bot.click("dev", card, "确认")
    until(lambda: any("只有发起人" in m.content for m in chat.bot.shown[before:]), "who did not ask is refused")
    assert chat.running(run) >= 1
    began = time.monotonic()
    figure("card_updated", chat.clicked(lambda: chat.bot.click("boss", card, "确认"), card))
    chat.gone(tree, began)
    assert "boss" in card.content
    assert chat.ended(run) is RunState.CANCELLED

    chat.switch.write_text("fail")
    failed = chat.run_of(chat.says("dev", "运行 PR 7"))
    assert chat.ended(failed) is RunState.FAILED
    until(lambda: chat.verdicts(failed), "the verdict is told")
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
    until(lambda: chat.running(run) >= 1, "it runs")
    assert "没有权限" in chat.tells("stranger", "runs").content
    tree = chat.tree()
    figure("card_updated", chat.clicked(lambda: chat.corp.click("dev", card, "取消"), card))
    confirm, began = card.buttons["确认"], time.monotonic()
    figure("card_updated", chat.clicked(lambda: chat.corp.click("dev", card, "确认"), card))
    chat.gone(tree, began)
    assert chat.ended(run) is RunState.CANCELLED
    until(lambda: chat.verdicts(run), "the verdict is told")
    until(lambda: "已取消" in card.content and "详情" in card.buttons, "the card has its last state")
    until(lambda: _stale(chat, card, confirm), "a stale click says so")


def test_when_the_holder_of_the_bot_is_killed_another_control_holds_one_connection_again(
    standing: tuple[Chat, str],
) -> None:
    require("postgres")
    chat, url = standing
    with postgres_server() as server:
        chat.project.environ["MO_TESTPLAN_STORE_URL"] = new_database(server).replace(
            "postgresql:", "postgresql+psycopg:"
        )
        with services(chat, url, ["control", "--profile", "mini"]):
            assert "角色 admin" in chat.says("root", "我是谁").content
            assert (chat.bot.subscriptions, chat.bot.kicks) == (1, 0), "of two controls one holds the bot"
            leader = str(chat.ledger.redis.get(keys.LEADER))
            began = time.monotonic()
            os.kill(int(leader.removeprefix("control-").partition("@")[0]), signal.SIGKILL)
            until(lambda: not chat.bot.connected, "the connection is gone")
            until(lambda: chat.bot.connected, "the other one has connected")
            figure("bot_again", time.monotonic() - began)
            assert (chat.bot.subscriptions, chat.bot.kicks) == (2, 0), "once, and nobody was pushed out"
            assert str(chat.ledger.redis.get(keys.LEADER)) != leader
            chat.switch.write_text("pass")
            run = chat.run_of(chat.says("dev", "运行 7"))
            assert chat.ended(run) is RunState.PASSED
            until(lambda: len(chat.verdicts(run)) == 1, "the verdict is told once")
