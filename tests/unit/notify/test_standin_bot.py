"""The stand-in's bot and application enforce what the documents say, by a clock of the test's own."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from orchestrator.notify.wecom.standin.botside import BotSide
from orchestrator.notify.wecom.standin.corp import CODE_LIFE, PER_TOKEN, TOKEN_LIFE, Corp

MARKDOWN = {"msgtype": "markdown", "markdown": {"content": "x"}}
BUTTON = {"text": "Go", "key": "k", "style": 1}
CARD = {"card_type": "button_interaction", "main_title": {"title": "t"}, "task_id": "t1", "button_list": [BUTTON]}


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Client:
    """A bare client of the bot's connection."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self.events: list[dict[str, Any]] = []

    def code(self, command: str, body: Any, req_id: str = "r") -> int:  # noqa: ANN401 - JSON
        self.socket.send(json.dumps({"cmd": command, "headers": {"req_id": req_id}, "body": body}))
        while True:
            frame = json.loads(self.socket.recv(10))
            if "cmd" not in frame:
                assert frame["headers"]["req_id"] == req_id, "answers echo the request's id"
                return int(frame["errcode"])
            self.events.append(frame)

    def event(self) -> dict[str, Any]:
        return self.events.pop() if self.events else dict(json.loads(self.socket.recv(10)))


@contextmanager
def subscribed(side: BotSide) -> Iterator[Client]:
    with connect(side.url, proxy=None) as socket:
        client = Client(socket)
        assert client.code("aibot_subscribe", {"bot_id": side.bot_id, "secret": side.secret}) == 0
        yield client


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def side(clock: Clock) -> Iterator[BotSide]:
    with BotSide(clock=clock) as side:
        yield side


def test_nothing_is_taken_before_the_subscription_and_a_wrong_secret_is_853000(side: BotSide) -> None:
    with connect(side.url, proxy=None) as socket:
        client = Client(socket)
        assert client.code("aibot_send_msg", {"chatid": "dev", **MARKDOWN}) == 846609
        assert client.code("aibot_subscribe", {"bot_id": side.bot_id, "secret": "no"}) == 853000
        assert client.code("ping", {}) == 846609


def test_a_stream_changes_for_six_minutes_and_not_after_its_end(side: BotSide, clock: Clock) -> None:
    with subscribed(side) as client:
        side.say("dev", "hi")
        req = client.event()["headers"]["req_id"]

        def stream(name: str, finish: bool) -> int:
            body = {"msgtype": "stream", "stream": {"id": name, "finish": finish, "content": "x"}}
            return client.code("aibot_respond_msg", body, req)

        assert stream("a", False) == 0
        clock.now += 359
        assert stream("a", False) == 0
        clock.now += 2
        assert stream("a", True) == 846608
        assert stream("b", True) == 0
        assert stream("b", True) == 846608
        assert client.code("aibot_respond_msg", MARKDOWN, "unknown") == 846605


def test_updates_and_welcomes_belong_to_their_events_and_to_five_seconds(side: BotSide, clock: Clock) -> None:
    with subscribed(side) as client:
        side.say("dev", "hi")
        message = client.event()["headers"]["req_id"]
        assert client.code("aibot_send_msg", {"chatid": "dev", "msgtype": "template_card", "template_card": CARD}) == 0
        side.click("dev", side.shown[-1], "Go")
        click = client.event()["headers"]["req_id"]
        side.enter("dev")
        entered = client.event()["headers"]["req_id"]
        update = {"response_type": "update_template_card", "template_card": CARD}
        assert client.code("aibot_respond_update_msg", update, message) == 846605
        assert client.code("aibot_respond_update_msg", update, entered) == 846605
        assert client.code("aibot_respond_welcome_msg", MARKDOWN, click) == 846605
        other = {**update, "template_card": {**CARD, "task_id": "t2"}}
        assert client.code("aibot_respond_update_msg", other, click) == 42016
        assert client.code("aibot_respond_update_msg", update, click) == 0
        assert client.code("aibot_respond_welcome_msg", MARKDOWN, entered) == 0
        clock.now += 6
        assert client.code("aibot_respond_update_msg", update, click) == 846604
        assert client.code("aibot_respond_welcome_msg", MARKDOWN, entered) == 846604


def test_a_chat_gets_30_a_minute_and_1000_an_hour(side: BotSide, clock: Clock) -> None:
    with subscribed(side) as client:
        assert client.code("aibot_send_msg", {"chatid": "dev", **MARKDOWN}) == 93006, "nobody has spoken there"
        side.say("dev", "hi")
        codes = [client.code("aibot_send_msg", {"chatid": "dev", **MARKDOWN}) for _ in range(31)]
        assert codes == [0] * 30 + [45009]
        for _ in range(40):
            clock.now += 61
            codes += [client.code("aibot_send_msg", {"chatid": "dev", **MARKDOWN}) for _ in range(26)]
        assert codes.index(45009, 31) == 1000, "the hour is full, the one refused before included"


def test_a_silent_connection_is_closed(clock: Clock) -> None:
    with BotSide(clock=clock, idle=0.2) as side, subscribed(side) as client:
        with pytest.raises(ConnectionClosed):
            client.socket.recv(10)
        assert side.wait_for(lambda: not side.connected)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"chatid": "dev", "msgtype": "text", "text": {"content": "x"}}, 40008),
        ({"chatid": "dev", "msgtype": "markdown", "markdown": {"content": "x" * 20481}}, 40058),
        ({"chatid": "dev", "msgtype": "template_card", "template_card": {**CARD, "button_list": [BUTTON] * 7}}, 40058),
        ({"chatid": "dev", "msgtype": "template_card", "template_card": {**CARD, "task_id": "a b"}}, 42014),
        ({"chatid": "dev", "msgtype": "template_card", "template_card": {**CARD, "card_type": "text_notice"}}, 42045),
        ({"chatid": "dev", "msgtype": "template_card", "template_card": {**CARD, "button_list": [BUTTON] * 2}}, 42018),
    ],
)
def test_what_a_bot_may_not_say_is_refused_by_its_code(side: BotSide, body: dict[str, Any], code: int) -> None:
    with subscribed(side) as client:
        side.say("dev", "hi")
        assert client.code("aibot_send_msg", body) == code


@pytest.fixture
def corp(clock: Clock) -> Corp:
    return Corp(clock, members=frozenset({"dev", "ops"}))


def token(corp: Corp) -> str:
    answer = corp.answer("/cgi-bin/gettoken", {"corpid": corp.corp_id, "corpsecret": corp.secret}, {})
    assert answer is not None
    return str(answer["access_token"])


def send(corp: Corp, **body: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    said = {"agentid": corp.agent_id, "touser": "dev", "msgtype": "markdown", "markdown": {"content": "x"}, **body}
    answer = corp.answer("/cgi-bin/message/send", {"access_token": token(corp)}, said)
    assert answer is not None
    return answer


def test_tokens_are_the_same_until_they_end_and_cannot_be_asked_for_without_end(corp: Corp, clock: Clock) -> None:
    first = token(corp)
    assert token(corp) == first
    clock.now += TOKEN_LIFE
    assert token(corp) != first
    wrong = corp.answer("/cgi-bin/gettoken", {"corpid": "other", "corpsecret": corp.secret}, {})
    assert wrong is not None
    assert wrong["errcode"] == 40013
    codes = [corp.answer("/cgi-bin/gettoken", {"corpid": corp.corp_id}, {}) for _ in range(PER_TOKEN)]
    assert codes[-1] is not None
    assert codes[-1]["errcode"] == 45009
    clock.now += 61
    corp.trusted = False
    assert send_code(corp) == 60020


def send_code(corp: Corp) -> int:
    answer = corp.answer("/cgi-bin/message/send", {"access_token": "x"}, {})
    assert answer is not None
    return int(answer["errcode"])


def test_receivers_who_are_gone_are_told_apart_and_too_many_messages_vanish_silently(corp: Corp) -> None:
    assert send(corp, touser="Ghost|dev")["invaliduser"] == "ghost"
    assert send(corp, touser="Ghost")["errcode"] == 81013
    assert send(corp, touser="")["errcode"] == 82001
    assert send(corp, agentid=7)["errcode"] == 40056
    assert [send(corp)["errcode"] for _ in range(40)] == [0] * 40
    assert (len(corp.shown), corp.dropped) == (30, 11)


def test_the_same_body_is_delivered_once_when_that_is_asked_for(corp: Corp, clock: Clock) -> None:
    for _ in range(3):
        assert send(corp, enable_duplicate_check=1)["errcode"] == 0
    assert len(corp.shown) == 1
    clock.now += 1801
    send(corp, enable_duplicate_check=1)
    assert len(corp.shown) == 2


def test_a_response_code_changes_a_card_once_within_72_hours(corp: Corp, clock: Clock) -> None:
    def update(code: str, **more: Any) -> int:  # noqa: ANN401 - JSON
        body = {"agentid": corp.agent_id, "userids": ["dev"], "response_code": code, **more}
        answer = corp.answer("/cgi-bin/message/update_template_card", {"access_token": token(corp)}, body)
        assert answer is not None
        return int(answer["errcode"])

    first = send(corp, msgtype="template_card", template_card=CARD)["response_code"]
    assert send(corp, msgtype="template_card", template_card=CARD)["errcode"] == 42014, "a task id is unique"
    second = send(corp, msgtype="template_card", template_card={**CARD, "task_id": "t2"})["response_code"]
    assert update(first, button={"replace_name": "Done"}) == 0
    assert corp.shown[0].buttons == {}, "greyed"
    assert update(first, button={"replace_name": "Done"}) == 42022
    clock.now += CODE_LIFE + 1
    assert update(second, button={"replace_name": "Done"}) == 42022
