"""The bot's connection over a real WebSocket: kept, lost, taken over, and talked through."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest

from orchestrator.notify.base import RefusedError, RetryLaterError
from orchestrator.notify.wecom.bot import BotChat, BotConnection
from orchestrator.notify.wecom.callback import bot_incoming
from orchestrator.notify.wecom.standin.botside import BotSide
from tests.waiting import until


@pytest.fixture
def side() -> Iterator[BotSide]:
    with BotSide() as side:
        yield side


class Client:
    def __init__(self, side: BotSide, **changes: Any) -> None:  # noqa: ANN401
        self.heard: list[tuple[Mapping[str, Any], str]] = []
        secret = changes.pop("secret", side.secret)
        self.bot = BotConnection(
            side.url, side.bot_id, secret, lambda body, req: self.heard.append((body, req)), **changes
        )
        self.stop = threading.Event()
        self.held: bool | None = None
        self.thread = threading.Thread(target=self._serve)
        self.thread.start()

    def _serve(self) -> None:
        self.held = self.bot.serve(self.stop)


@contextmanager
def client(side: BotSide, *, wait: bool = True, **changes: Any) -> Iterator[Client]:  # noqa: ANN401
    made = Client(side, **changes)
    try:
        if wait:
            until(lambda: made.bot.connected)
        yield made
    finally:
        made.stop.set()
        made.thread.join()


def test_what_people_write_is_heard_and_answered_on_its_own_request(side: BotSide) -> None:
    with client(side) as made:
        side.say("dev", "状态", "team")
        until(lambda: made.heard)
        incoming = bot_incoming(*made.heard[0])
        assert incoming is not None
        assert (incoming.user, incoming.group, incoming.text) == ("dev", "team", "@Bot 状态")
        stream = {"msgtype": "stream", "stream": {"id": "1", "finish": True, "content": "好"}}
        made.bot.call("aibot_respond_msg", stream, incoming.reply["req_id"])
        with pytest.raises(RefusedError, match="846605"):
            made.bot.call("aibot_respond_msg", stream, "unknown")
        BotChat(made.bot, "team").deliver({"markdown": "x\n" * 4000}, "key")
        assert [shown.chat for shown in side.shown] == ["group:team"] * 3, "two parts of at most 4096 bytes"
        with pytest.raises(RefusedError, match="93006"):
            BotChat(made.bot, "never-spoke").deliver({"markdown": "x"}, "key")


@pytest.mark.parametrize("abruptly", [False, True])
def test_it_comes_back_after_every_close_a_clean_one_too(side: BotSide, abruptly: bool) -> None:
    with client(side) as made:
        side.close_connection(abruptly=abruptly)
        assert until(lambda: side.subscriptions == 2 and made.bot.connected, "it is back")
        side.say("dev", "状态")
        assert until(lambda: made.heard, "it hears again")[0][0]["text"]["content"] == "状态"


def test_it_yields_to_another_process_instead_of_fighting(side: BotSide) -> None:
    with client(side) as old, client(side) as new:
        until(lambda: old.held is False)
        assert new.bot.connected
        assert (side.kicks, side.subscriptions) == (1, 2)


def test_a_wrong_secret_is_tried_rarely_and_never_logged(side: BotSide, caplog: pytest.LogCaptureFixture) -> None:
    with client(side, wait=False, secret="wrong-and-private"):
        until(lambda: "853000" in caplog.text)
        time.sleep(0.5)
        assert side.subscriptions == 1
    assert "wrong-and-private" not in caplog.text


def test_without_a_connection_a_message_waits(side: BotSide) -> None:
    bot = BotConnection(side.url, side.bot_id, side.secret, lambda *_: None)
    with pytest.raises(RetryLaterError):
        bot.call("aibot_send_msg", {})
    assert BotChat(bot, "team").wait() > 0


def test_it_pings(side: BotSide) -> None:
    with client(side, ping=0.05) as made:
        assert until(lambda: side.pings >= 3)
        assert made.bot.connected
        assert side.subscriptions == 1


@pytest.mark.parametrize(
    "body",
    [
        {}, {"from": 1}, {"from": {"userid": 5}}, {"from": {"userid": "a b"}}, {"from": {"userid": "u"}},
        {"from": {"userid": "u"}, "msgtype": "text", "text": 7},
        {"from": {"userid": "u"}, "msgtype": "event", "event": 1},
        {"from": {"userid": "u"}, "chattype": "group", "chatid": []},
    ],
)  # fmt: skip
def test_a_body_that_makes_no_sense_is_nothing(body: dict[str, Any]) -> None:
    assert bot_incoming(body) is None


def test_both_shapes_of_a_click_are_understood() -> None:
    nested = {"eventtype": "template_card_event", "template_card_event": {"event_key": "k", "task_id": "t"}}
    flat = {"eventtype": "template_card_event", "eventkey": "k", "taskid": "t"}
    for event in (nested, flat):
        incoming = bot_incoming({"from": {"userid": "u"}, "msgid": "1", "msgtype": "event", "event": event})
        assert incoming is not None
        assert (incoming.ticket, incoming.reply["task_id"]) == ("k", "t")
