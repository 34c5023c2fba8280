"""The server over real HTTP, against callbacks that are right, wrong, repeated and hostile."""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections.abc import Callable, Iterator

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.applications import Starlette

from orchestrator.api.server import MAX_BODY, routes
from orchestrator.commands.inbox import Inbox
from orchestrator.commands.model import Button, Card, Incoming
from orchestrator.domain.errors import BrokerError
from orchestrator.notify.wecom.app import App
from orchestrator.notify.wecom.callback import AppCallback
from orchestrator.notify.wecom.cards import APP_STYLE, template_card
from orchestrator.notify.wecom.crypto import Cipher
from orchestrator.notify.wecom.envelope import write_xml
from orchestrator.notify.wecom.standin.corp import Corp
from orchestrator.notify.wecom.standin.corpside import AES_KEY, TOKEN, CorpSide
from orchestrator.notify.wecom.standin.shown import Shown
from tests.serving import patiently, serving

BOMB = b'<!DOCTYPE x [<!ENTITY a "aaaa">]><xml><Encrypt>&a;</Encrypt></xml>'


class Served:
    """A server with its callbacks' sender; ``accept`` may be replaced."""

    def __init__(self, corp: CorpSide, inbox: Inbox) -> None:
        self.corp, self.inbox = corp, inbox
        self.accept: Callable[[Incoming], bool] = inbox.accept

    def taken(self) -> list[Incoming]:
        return [incoming for _, incoming in self.inbox.take("test", wait=0.01, count=1000) if incoming]


@pytest.fixture(scope="module")
def served(valkey_url: str) -> Iterator[Served]:
    corp = Corp(time.monotonic, members=frozenset({"dev"}))
    cipher = Cipher(TOKEN, AES_KEY, corp.corp_id)
    with CorpSide(corp) as side:
        served = Served(side, Inbox(valkey_url, "app"))
        callback = AppCallback(cipher, corp.agent_id, lambda incoming: served.accept(incoming))  # noqa: PLW0108 - replaced by a test
        asgi = Starlette(routes=routes({"/wecom/app": callback}))
        with serving(asgi) as url:
            side.callback_url = f"{url}/wecom/app"
            yield served


@pytest.fixture(autouse=True)
def _fresh(served: Served) -> None:
    served.inbox.redis.flushall()
    served.inbox.take("test", wait=0.01)


def test_the_address_passes_wecoms_check(served: Served) -> None:
    assert patiently(served.corp.check_address)


def test_a_message_is_taken_once_however_often_it_comes(served: Served) -> None:
    assert [served.corp.say("dev", "状态", msgid="77") for _ in range(3)] == [1, 1, 1]
    (taken,) = served.taken()
    assert (taken.user, taken.text) == ("dev", "状态")


def test_two_buttons_clicked_in_one_second_are_two_clicks_and_one_clicked_twice_is_one(served: Served) -> None:
    card = Shown("dev", "template_card", {}, "task")
    now = str(int(time.time()))
    for key in ("a", "b", "a"):
        fields = served.corp.fields("dev", {"MsgType": "event", "Event": "template_card_event", "EventKey": key})
        served.corp.deliver({**fields, "CreateTime": now, "TaskId": card.task_id})
    assert sorted(incoming.ticket for incoming in served.taken()) == ["a", "b"]


def _posted(served: Served, **query: str) -> int:
    corp = served.corp
    sealed = corp.cipher.encrypt(write_xml(corp.fields("dev", {"MsgType": "text", "MsgId": "1"})).encode())
    body = write_xml({"Encrypt": sealed})
    right = corp.query(sealed, query.pop("timestamp_to_sign", ""))
    return httpx.post(corp.callback_url, params={**right, **query}, content=body).status_code


@pytest.mark.parametrize("seconds", [-330, 330, 10**9])
def test_an_old_or_future_timestamp_is_refused(served: Served, seconds: int) -> None:
    assert _posted(served, timestamp_to_sign=str(int(time.time()) + seconds)) == 403
    assert served.taken() == []


def test_a_wrong_signature_and_missing_parameters_are_refused(served: Served) -> None:
    assert _posted(served, msg_signature="0" * 40) == 403
    assert _posted(served, nonce="") == 400
    assert _posted(served, timestamp="x") == 403
    assert httpx.get(served.corp.callback_url).status_code == 400
    assert served.taken() == []


def test_messages_for_others_are_refused(served: Served) -> None:
    corp = served.corp
    fields = corp.fields("dev", {"MsgType": "text", "Content": "x", "MsgId": "5"})
    assert corp.post(write_xml({**fields, "ToUserName": "other"}).encode()).status_code == 403
    assert corp.post(write_xml({**fields, "AgentID": "1"}).encode()).status_code == 403
    stranger = Cipher(TOKEN, AES_KEY, "other").encrypt(write_xml(fields).encode())
    body = write_xml({"Encrypt": stranger})
    assert httpx.post(corp.callback_url, params=corp.query(stranger), content=body).status_code == 403
    assert corp.post(BOMB).status_code == 403, "a bomb inside"
    assert httpx.post(corp.callback_url, params=corp.query("x"), content=BOMB).status_code == 403
    assert served.taken() == []


def test_a_body_beyond_the_cap_is_not_read(served: Served) -> None:
    def endless() -> Iterator[bytes]:
        for _ in range(5):
            yield b"x" * MAX_BODY

    url, query = served.corp.callback_url, served.corp.query("x")
    assert httpx.post(url, params=query, content=b"x" * (5 * MAX_BODY)).status_code == 413
    with contextlib.suppress(httpx.WriteError):  # the server may have closed before we are done
        assert httpx.post(url, params=query, content=endless()).status_code == 413


def test_what_cannot_be_noted_is_answered_so_that_it_comes_again(served: Served) -> None:
    def away(_incoming: Incoming) -> bool:
        raise BrokerError("Redis does not answer")

    served.accept = away
    try:
        assert served.corp.say("dev", "help", msgid="9") == 0
    finally:
        served.accept = served.inbox.accept
    assert served.corp.say("dev", "help", msgid="9") == 1


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=st.binary(max_size=300), plain=st.binary(max_size=300), signed=st.booleans())
def test_no_noise_breaks_the_server_or_leaks_a_secret(
    served: Served, caplog: pytest.LogCaptureFixture, body: bytes, plain: bytes, signed: bool
) -> None:
    caplog.set_level(logging.DEBUG)
    if signed:
        status = served.corp.post(plain).status_code
    else:
        query = served.corp.query("x")
        status = httpx.post(served.corp.callback_url, params=query, content=body).status_code
    assert status in (200, 403)
    assert AES_KEY not in caplog.text
    assert TOKEN not in caplog.text


def test_a_card_that_is_settled_shows_grey_words_in_the_place_of_its_buttons(served: Served) -> None:
    corp = served.corp.corp
    app = App(corp.corp_id, corp.agent_id, corp.secret, served.corp.base_url)
    asked = template_card(Card("cancel r-1", buttons=(Button("Confirm", "k"),)), "t-settled", APP_STYLE)
    code = app.send("dev", {"msgtype": "template_card", "template_card": asked})["response_code"]
    shown = corp.shown[-1]
    assert shown.buttons == {"Confirm": "k"}
    app.update(["dev"], code, Card("dev cancelled r-1", settled="Done"), "t-settled")
    assert (shown.content, shown.buttons, shown.body["replace_text"]) == ("dev cancelled r-1", {}, "Done")
    app.close()


def test_an_expired_token_is_replaced_once_and_fetched_by_one_thread(served: Served) -> None:
    corp = served.corp.corp
    before = corp.token_requests
    app = App(corp.corp_id, corp.agent_id, corp.secret, served.corp.base_url)
    hello = {"msgtype": "markdown", "markdown": {"content": "hello"}}
    threads = [threading.Thread(target=app.send, args=("dev", hello)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert corp.token_requests == before + 1
    corp.expire_tokens()
    app.send("dev", hello)
    assert corp.token_requests == before + 2
    app.close()
