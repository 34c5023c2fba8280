"""An AI bot behind a URL over real HTTP: streams, clicks, later messages, and ids that must be resolved."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

import pytest
from starlette.applications import Starlette

from orchestrator.api.server import routes
from orchestrator.commands.inbox import Inbox
from orchestrator.commands.model import Answer, Button, Card, Incoming
from orchestrator.commands.people import People, Person
from orchestrator.commands.shelf import Shelf
from orchestrator.domain.errors import UsageError
from orchestrator.notify.base import RefusedError
from orchestrator.notify.wecom.app import App
from orchestrator.notify.wecom.board import Board
from orchestrator.notify.wecom.crypto import Cipher
from orchestrator.notify.wecom.hook import BotCallback, HookChats, HookReplier, ResponseUrls
from orchestrator.notify.wecom.identity import Identities
from orchestrator.notify.wecom.standin.corp import Corp
from orchestrator.notify.wecom.standin.corpside import AES_KEY, TOKEN, CorpSide
from orchestrator.notify.wecom.standin.hookside import HookSide
from orchestrator.notify.wecom.standin.world import WeComWorld
from tests.serving import patiently, serving
from tests.waiting import until

CARD = Card("run r-1", "", (), (Button("Cancel", "key-1"),), "r-1")


class Served:
    """A bot behind a URL; what it answers is up to the test."""

    def __init__(self, url: str, side: HookSide) -> None:
        self.side, self.board, self.inbox = side, Board(url), Inbox(url, "hook")
        self.urls = ResponseUrls(self.board, side.base_url)
        self.replier = HookReplier(self.board, self.urls)
        self.line, self.over = "1/3", False

    def taken(self) -> list[Incoming]:
        return [incoming for _, incoming in self.inbox.take("test", wait=0.01, count=100) if incoming]

    def answering(self, answer: Callable[[Incoming], Answer]) -> threading.Thread:
        """Answer the next message in a thread, as a dialogue would."""

        def work() -> None:
            incoming = until(self.taken)[0]
            self.replier.reply(incoming, answer(incoming))

        thread = threading.Thread(target=work, daemon=True)
        thread.start()
        return thread


@pytest.fixture
def served(valkey_url: str) -> Iterator[Served]:
    with HookSide(every=0.05) as side:
        served = Served(valkey_url, side)
        served.board.redis.flushall()
        served.taken()
        callback = BotCallback(
            Cipher(TOKEN, AES_KEY, ""), served.board, served.inbox.accept, lambda _: (served.line, served.over)
        )
        with serving(Starlette(routes=routes({"/wecom/bot": callback}))) as url:
            side.callback_url = f"{url}/wecom/bot"
            yield served
        served.urls.close()
        assert side.complaints == []


def test_the_address_passes_wecoms_check(served: Served) -> None:
    assert patiently(served.side.check_address)


def test_a_message_is_answered_by_a_stream_that_changes_in_place_and_a_card(served: Served) -> None:
    served.answering(lambda _: Answer("started", CARD, follow="r-1"))
    assert served.side.say("dev", "运行 7", "team")
    until(lambda: any(shown.msgtype == "template_card" for shown in served.side.shown))
    stream, card = served.side.shown
    until(lambda: stream.content == "started\n1/3")
    served.line, served.over = "3/3", True
    until(lambda: stream.body["finish"])
    assert stream.content == "started\n3/3"
    assert (stream.chat, card.chat, card.buttons) == ("group:team", "group:team", {"Cancel": "key-1"})


def test_a_click_replaces_its_card_within_its_own_request(served: Served) -> None:
    served.answering(lambda _: Answer("", CARD))
    served.side.say("dev", "状态 r-1")
    until(lambda: len(served.side.shown) == 2)
    card = served.side.shown[1]
    served.answering(lambda incoming: Answer(card=Card(f"{incoming.user} cancelled", run="r-1")))
    assert served.side.click("dev", card, "Cancel")
    assert card.content == "dev cancelled"


def test_an_answer_that_comes_too_late_for_its_click_is_said_by_the_response_url(served: Served) -> None:
    served.answering(lambda _: Answer("", CARD))
    served.side.say("dev", "状态 r-1")
    until(lambda: len(served.side.shown) == 2)
    card = served.side.shown[1]

    def slow(_: Incoming) -> Answer:
        time.sleep(1.5)  # WeCom waits no longer than a second
        return Answer(card=Card("dev cancelled", run="r-1"))

    served.answering(slow)
    assert not served.side.click("dev", card, "Cancel")
    until(lambda: len(served.side.shown) == 3)
    assert "dev cancelled" in served.side.shown[2].content


def test_a_world_whose_bot_is_behind_a_url_shows_its_answers_in_the_chat(served: Served) -> None:
    with WeComWorld(["dev"], hook=True) as world:
        with pytest.raises(UsageError, match="not connected"):
            world.say("group", "dev", "runs")
        world.serve_at(served.side.callback_url.removesuffix("/wecom/bot"))
        served.answering(lambda _: Answer("No runs yet", CARD))
        world.say("group", "dev", "runs")
        until(lambda: len(world.seen_by("dev")["group"]) == 4)
        rows = world.seen_by("dev")["group"]
        assert [row["who"] for row in rows] == ["dev", "dev", "bot", "bot"]
        until(lambda: "No runs yet" in str(world.seen_by("dev")["group"]))
        served.answering(lambda incoming: Answer(card=Card(f"{incoming.user} cancelled", run="r-1")))
        world.click("group", "dev", rows[3]["number"], "key-1")
        assert world.seen_by("dev")["group"][3]["title"] == "dev cancelled"
        assert isinstance(world.bot, HookSide)
        assert world.bot.complaints == []


def test_a_message_delivered_twice_is_one_message_and_the_same_answer(served: Served) -> None:
    first = served.side.say("dev", "runs", msgid="7")
    assert served.side.say("dev", "runs", msgid="7") == first
    assert len(served.taken()) == 1
    served.board.answer(first, "done", "", None)
    until(lambda: all(shown.body["finish"] for shown in served.side.shown))


def test_later_messages_leave_by_response_urls_each_once_and_then_none(served: Served) -> None:
    thread = served.answering(lambda _: Answer("ok"))
    served.side.say("dev", "runs", "team")
    thread.join(10)
    chat = HookChats(served.urls)("hook:team")
    assert chat is not None
    chat.deliver({"markdown": "**verdict**"}, "k")
    assert served.side.shown[-1].content == "**verdict**"
    with pytest.raises(RefusedError, match="last hour"):
        chat.deliver({"markdown": "again"}, "k2")
    assert HookChats(served.urls)("bot:team") is None


def test_a_response_url_of_another_host_is_never_called(served: Served) -> None:
    served.board.keep("team", "http://169.254.169.254/latest")
    with pytest.raises(RefusedError):
        served.urls.say("team", "secret")


def test_an_opaque_id_is_resolved_by_the_application_once_and_stays_opaque_otherwise(valkey_url: str) -> None:
    corp = Corp(time.monotonic, members=frozenset({"dev"}), open_userids={"woOPAQUE": "dev"})
    people = People(people=(Person(userid="dev"), Person(userid="other", open_userids=("woLISTED",))))
    shelf = Shelf(valkey_url)
    shelf.redis.flushall()
    with CorpSide(corp) as side:
        app = App(corp.corp_id, corp.agent_id, corp.secret, side.base_url)
        identities = Identities(app, shelf, lambda: people)
        for _ in range(3):
            found = identities(Incoming("bot", "k", "woOPAQUE", "team"))
            assert (found.user, found.opaque, found.chat) == ("dev", "woOPAQUE", "team")
            assert identities(Incoming("bot", "k", "woSTRANGER")).user == "woSTRANGER"
        assert identities(Incoming("bot", "k", "woLISTED")).opaque == "", "people.yaml knows this one"
        assert identities(Incoming("bot", "k", "woOPAQUE")).place == "bot:woOPAQUE", "the chat knows him by that id"
        assert corp.resolutions == 2
        corp.secret = "changed"
        corp.expire_tokens()
        assert identities(Incoming("bot", "k", "woNEW")).user == "woNEW", "an application in trouble resolves nobody"
        app.close()
    shelf.close()
