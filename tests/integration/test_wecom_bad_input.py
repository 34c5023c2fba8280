"""What strangers and accidents send: to both callback addresses, through the desk, and back out."""

from __future__ import annotations

import base64
import json
import logging
import threading
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.applications import Starlette

from orchestrator.api.server import MAX_BODY, routes
from orchestrator.commands.desk import Desk
from orchestrator.commands.inbox import Inbox
from orchestrator.commands.model import Answer, Card, Incoming
from orchestrator.notify.base import RefusedError, RetryLaterError
from orchestrator.notify.outbox import drain
from orchestrator.notify.wecom.app import App
from orchestrator.notify.wecom.board import Board
from orchestrator.notify.wecom.callback import AppCallback, app_incoming, bot_incoming
from orchestrator.notify.wecom.cards import APP_STYLE, BOT_STYLE, template_card
from orchestrator.notify.wecom.crypto import Cipher
from orchestrator.notify.wecom.dialogue import Dialogue
from orchestrator.notify.wecom.envelope import write_xml
from orchestrator.notify.wecom.hook import BotCallback
from orchestrator.notify.wecom.standin.corp import Corp
from orchestrator.notify.wecom.standin.corpside import AES_KEY, TOKEN, CorpSide
from orchestrator.notify.wecom.standin.hookside import HookSide
from orchestrator.store import OutboxMessage
from tests.serving import serving
from tests.unit.commands.conftest import clone, office
from tests.waiting import until

__all__ = ["clone", "office"]  # fixtures

HOSTILE = (
    "$(touch /tmp/owned)", "`id`", "; rm -rf /", "' OR 1=1 --", "<@all>", "<font color=\"info\">x</font>", "[a](http://x)",
    "../../etc/passwd", "%s%n{0}{}", "\x1b[31m", "\u202e", "]]><x>", "&lt;", "\ud800", "a" * 5000, "", "\n\nrun 7; id",
    "--help",
)  # fmt: skip


class Served:
    """Both callback addresses of one server."""

    def __init__(self, url: str, corp: CorpSide, bot: HookSide, inboxes: dict[str, Inbox]) -> None:
        self.corp, self.bot, self.inboxes = corp, bot, inboxes
        corp.callback_url = f"{url}/wecom/app"
        bot.callback_url = f"{url}/wecom/bot"

    def taken(self) -> list[Incoming]:
        return [
            incoming
            for inbox in self.inboxes.values()
            for _, incoming in inbox.take("test", wait=0.01, count=1000)
            if incoming
        ]

    def sealed(self, kind: str, sealed: str, **query: str) -> int:
        """Post something sealed, with a signature that holds; the status."""
        side: CorpSide | HookSide = self.corp if kind == "app" else self.bot
        body = write_xml({"Encrypt": sealed}).encode() if kind == "app" else json.dumps({"encrypt": sealed}).encode()
        return self.raw(kind, body, **{**side.query(sealed), **query})

    def raw(self, kind: str, body: bytes, **query: str) -> int:
        url = self.corp.callback_url if kind == "app" else self.bot.callback_url
        return httpx.post(url, params=query, content=body, trust_env=False).status_code

    def plain(self, kind: str) -> tuple[Cipher, bytes]:
        """The cipher of an address, and a message for it."""
        if kind == "app":
            fields = self.corp.fields("dev", {"MsgType": "text", "Content": "runs", "MsgId": "1"})
            return self.corp.cipher, write_xml(fields).encode()
        body = {"msgid": "1", "from": {"userid": "dev"}, "msgtype": "text", "text": {"content": "runs"}}
        return self.bot.cipher, json.dumps(body).encode()


@pytest.fixture(scope="module")
def served(valkey_url: str) -> Iterator[Served]:
    corp = Corp(time.monotonic, members=frozenset({"dev"}))
    inboxes = {name: Inbox(valkey_url, name) for name in ("app", "hook")}
    app = AppCallback(Cipher(TOKEN, AES_KEY, corp.corp_id), corp.agent_id, inboxes["app"].accept)
    board = Board(valkey_url)
    bot = BotCallback(Cipher(TOKEN, AES_KEY, ""), board, inboxes["hook"].accept, lambda _: ("", True))
    asgi = Starlette(routes=routes({"/wecom/app": app, "/wecom/bot": bot}))
    with CorpSide(corp) as corpside, HookSide() as hookside, serving(asgi) as url:
        yield Served(url, corpside, hookside, inboxes)


@pytest.fixture(autouse=True)
def _fresh(served: Served) -> None:
    served.inboxes["app"].redis.flushall()
    served.taken()


both = pytest.mark.parametrize("kind", ["app", "bot"])


@both
def test_what_is_right_is_taken_and_the_same_request_again_is_not(served: Served, kind: str) -> None:
    cipher, plain = served.plain(kind)
    sealed = cipher.encrypt(plain)
    query = served.corp.query(sealed)
    for _ in range(3):
        assert served.sealed(kind, sealed, **query) == 200, "a repetition is no error, or WeCom would go on"
    assert len(served.taken()) == 1


@both
def test_a_wrong_signature_an_old_timestamp_and_a_wrong_receiver_are_refused(served: Served, kind: str) -> None:
    cipher, plain = served.plain(kind)
    sealed = cipher.encrypt(plain)
    assert served.sealed(kind, sealed, msg_signature="0" * 40) == 403
    old = str(int(time.time()) - 301)
    assert served.sealed(kind, sealed, timestamp=old, msg_signature=cipher.sign(old, "n", sealed), nonce="n") == 403
    assert served.sealed(kind, Cipher(TOKEN, AES_KEY, "other").encrypt(plain)) == 403
    assert served.sealed(kind, sealed, nonce="") == 400
    assert served.taken() == []


@both
def test_bad_padding_truncation_and_what_is_no_base64_are_refused(served: Served, kind: str) -> None:
    cipher, plain = served.plain(kind)
    raw = base64.b64decode(cipher.encrypt(plain))
    for damaged in (raw[:-1], raw[:-16], raw[:16], raw[:-16] + bytes(16), bytes([raw[0] ^ 1]) + raw[1:-1], b""):
        assert served.sealed(kind, base64.b64encode(damaged).decode() or "x") == 403
    for text in ("not base64!", "====", "%%%", "é", "A" * 43):
        assert served.sealed(kind, text) == 403
    assert served.taken() == []


@both
def test_bodies_that_are_too_big_or_of_the_wrong_kind_are_refused(served: Served, kind: str) -> None:
    query = served.corp.query("x")
    assert served.raw(kind, b"x" * (5 * MAX_BODY), **query) == 413
    bomb = b'<!DOCTYPE x [<!ENTITY a "aaaa">]><xml><Encrypt>&a;</Encrypt></xml>'
    for body in (b"", b"{", b"[]", b"7", b'{"encrypt": 7}', b"[" * 100_000, b"<xml>", bomb, b"\xff\xfe", b"null"):
        assert served.raw(kind, body, **query) == 403
    assert served.taken() == []


@pytest.mark.parametrize(
    "inner",
    [
        b"", b"[]", b"null", b"7", b'"x"', b"{", b"{}", b'{"msgtype": "stream"}', b'{"msgtype": "stream", "stream": 7}',
        b'{"msgtype": "stream", "stream": {"id": {"a": 1}}}', b'{"msgtype": "text"}', b'{"from": {"userid": "dev"}}',
        b'{"from": {"userid": "dev"}, "msgtype": "event", "event": {"eventtype": "template_card_event"}}',
        b'{"from": {"userid": "dev"}, "msgtype": "text", "text": {"content": {}}, "response_url": 7}',
    ],
)  # fmt: skip
def test_a_bots_message_that_makes_no_sense_is_no_error_of_ours(served: Served, inner: bytes) -> None:
    assert served.sealed("bot", served.bot.cipher.encrypt(inner)) in (200, 403)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    kind=st.sampled_from(["app", "bot"]),
    body=st.binary(max_size=300),
    inner=st.one_of(
        st.binary(max_size=200),
        st.recursive(
            st.none() | st.booleans() | st.text(max_size=20) | st.integers(),
            lambda inside: (
                st.lists(inside, max_size=3)
                | st.dictionaries(
                    st.sampled_from(["msgtype", "event", "text", "stream", "from", "userid", "id", "content", "chatid"])
                    | st.text(max_size=8),
                    inside,
                    max_size=5,
                )
            ),
            max_leaves=12,
        ).map(lambda value: json.dumps(value).encode()),
    ),
    signed=st.booleans(),
    query=st.dictionaries(st.sampled_from(["timestamp", "nonce", "echostr", "x"]), st.text(max_size=30), max_size=3),
)
def test_no_bytes_make_the_server_fail_or_tell_a_secret(
    served: Served, kind: str, body: bytes, inner: bytes, signed: bool, query: dict[str, str]
) -> None:
    cipher = served.corp.cipher if kind == "app" else served.bot.cipher
    said: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: said.append(record.getMessage())  # type: ignore[method-assign]
    logging.getLogger().addHandler(handler)
    try:
        if signed:
            status = served.sealed(kind, cipher.encrypt(inner))
        else:
            status = served.raw(kind, body, **{**served.corp.query("x"), **query})
        url = served.corp.callback_url if kind == "app" else served.bot.callback_url
        looked = httpx.get(url, params=query, trust_env=False).status_code
    finally:
        logging.getLogger().removeHandler(handler)
    assert status in (200, 400, 403)
    assert looked in (200, 400, 403)
    text = "\n".join(said)
    assert not any(secret in text for secret in (AES_KEY, TOKEN))


def incomings(text: str) -> Iterator[Incoming]:
    """``text`` in every field that a person, or who poses as WeCom's member, can choose."""
    head = {"FromUserName": "root", "MsgType": "text", "MsgId": "1", "Content": "runs"}
    click = {"FromUserName": "root", "MsgType": "event", "Event": "template_card_event", "CreateTime": "1"}
    bot = {"msgid": "1", "from": {"userid": "root"}, "msgtype": "text", "text": {"content": "runs"}}
    made = [app_incoming({**head, name: text}) for name in head]
    made += [app_incoming({**click, name: text}) for name in ("EventKey", "TaskId", "ResponseCode", "CreateTime")]
    made += [bot_incoming({**bot, "from": {"userid": text}}), bot_incoming({**bot, "text": {"content": text}})]
    made += [bot_incoming({**bot, "chattype": "group", "chatid": text}), bot_incoming({**bot, "msgid": text})]
    verbs = ("run", "cancel", "logs", "why", "quarantine", "drain", "subscribe", "confirm", "audit", "mute", "release")
    made += [Incoming("app", f"{verb}{text}", "root", text=f"{verb} {text} {text}") for verb in verbs]
    yield from (one for one in made if one is not None)


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_in_any_field_is_data_and_comes_back_harmless(office: Any, text: str) -> None:  # noqa: ANN401
    desk = Desk(office)
    for incoming in incomings(text):
        office.shelf.redis.delete(*office.shelf.redis.keys("*rate*") or ["x"])
        answer = desk.handle(incoming)
        shown = answer.text + json.dumps([template_card(answer.card, "t", style) for style in (APP_STYLE, BOT_STYLE)]
                                         if answer.card else "")  # fmt: skip
        assert "<@" not in shown
        assert "[a](" not in shown
        assert "\x1b" not in shown
    assert office.ledger.active() == []
    assert all(len(row.action) <= 300 for row in office.store.audit_log(1000))


def test_a_message_for_nobody_and_a_receiver_who_is_gone_are_refused_for_good() -> None:
    corp = Corp(time.monotonic, members=frozenset({"dev"}))
    with CorpSide(corp) as side:
        app = App(corp.corp_id, corp.agent_id, corp.secret, side.base_url)
        hello = {"msgtype": "markdown", "markdown": {"content": "hello"}}
        with pytest.raises(RefusedError, match="81013"):
            app.send("ghost", hello)
        with pytest.raises(RefusedError, match="no such member"):
            app.send("dev|ghost", hello)
        assert [shown.chat for shown in corp.shown] == ["dev"], "who is there was told"
        app.close()


class Away:
    """A chat that cannot be reached."""

    def reply(self, incoming: Incoming, answer: Answer) -> None:
        raise RetryLaterError("WeCom cannot be reached")


class Heard:
    """A channel that remembers."""

    limit = 2000

    def __init__(self) -> None:
        self.texts: list[str] = []

    def wait(self) -> float:
        return 0.0

    def deliver(self, payload: Any, key: str) -> None:  # noqa: ANN401 - JSON
        self.texts.append(payload["markdown"])


def test_an_answer_that_cannot_be_given_waits_in_the_outbox_in_order(office: Any, valkey_url: str) -> None:  # noqa: ANN401
    inbox, stop = Inbox(valkey_url, "app"), threading.Event()
    for number, text in enumerate(("whoami", "runs", "subscribe 7")):
        inbox.accept(Incoming("app", str(number), "vera", text=text))
    thread = threading.Thread(target=Dialogue(inbox, Desk(office), Away(), "w").serve, args=(stop,))
    thread.start()
    until(lambda: len(office.store.outbox()) == 3)
    stop.set()
    thread.join()
    assert inbox.waiting() == 0
    chat = Heard()
    drain(office.store, {"app:vera": chat})
    assert [text.split()[0] for text in chat.texts] == ["You", "No", "Subscribed:"]


def test_after_an_hour_away_everything_is_told_in_a_few_messages(office: Any) -> None:  # noqa: ANN401
    for number in range(500):
        payload = json.dumps({"markdown": f"long {number}", "line": f"> run {number}"})
        office.store.enqueue([OutboxMessage(f"r{number}", "wecom", "summary", payload, f"k{number}")], time.time())
    chat = Heard()
    while drain(office.store, {"wecom": chat}):
        pass
    told = [line for text in chat.texts for line in text.splitlines()]
    assert len(told) == 500
    assert len(chat.texts) <= 20, "no storm"


def test_a_card_in_words_says_what_the_card_says() -> None:
    from orchestrator.notify.wecom.cards import in_words

    words = in_words(Answer("text", Card("<@all> title", "really?", (("Tasks", "1/2"),))))
    assert words == "text\n**＜＠all＞ title**\n> Tasks 1/2\nreally?"
