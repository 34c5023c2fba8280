"""The HTTP side of :class:`Corp`, and its callbacks: signed, encrypted, sent up to three times."""

from __future__ import annotations

import json
import secrets
import time
from types import TracebackType
from typing import Self

import httpx

from orchestrator.notify.wecom.crypto import Cipher
from orchestrator.notify.wecom.envelope import write_xml
from orchestrator.notify.wecom.standin.corp import Corp
from orchestrator.notify.wecom.standin.server import Reply, WeComStandIn
from orchestrator.notify.wecom.standin.shown import Shown

#: Sample secrets of the callback address.
TOKEN, AES_KEY = "QDG6eK", "jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C"
_PATIENCE, _DELIVERIES = 5.0, 3


class CorpSide:
    """``with`` serves a corp at :attr:`base_url`; ``callback_url`` is where its application listens."""

    def __init__(self, corp: Corp, callback_url: str = "") -> None:
        self.corp, self.callback_url = corp, callback_url
        self.cipher = Cipher(TOKEN, AES_KEY, corp.corp_id)
        self._server = WeComStandIn(routes=[self.route])
        self._client = httpx.Client(timeout=_PATIENCE, trust_env=False)

    def __enter__(self) -> Self:
        self._server.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.__exit__(kind, error, trace)
        self.close()

    def close(self) -> None:
        """Give the connections back; all there is to do for a side that another server serves."""
        self._client.close()

    def route(self, _method: str, path: str, query: dict[str, str], raw: bytes) -> Reply | None:
        """The corp's paths, for a server."""
        try:
            body = json.loads(raw or b"{}")
        except ValueError:
            body = {}
        answer = self.corp.answer(path, query, body if isinstance(body, dict) else {})
        return None if answer is None else Reply(json.dumps(answer, ensure_ascii=False).encode())

    @property
    def base_url(self) -> str:
        """What ``wecom.base_url`` of a profile should say."""
        return self._server.base_url

    def check_address(self) -> bool:
        """WeCom's check of the callback address: the exact plain text must come back within a second."""
        word = secrets.token_hex(10)
        sealed = self.cipher.encrypt(word.encode())
        answer = self._client.get(self.callback_url, params={**self.query(sealed), "echostr": sealed}, timeout=1.0)
        return answer.status_code == 200 and answer.content == word.encode()

    def say(self, user: str, text: str, msgid: str = "") -> int:
        """A member writes to the application; how many deliveries it took (0: never taken)."""
        fields = {"MsgType": "text", "Content": text, "MsgId": msgid or str(secrets.randbits(60))}
        return self.deliver(self.fields(user, fields))

    def click(self, user: str, card: Shown, words: str) -> int:
        """A member clicks the button with these words."""
        return self.click_key(user, card, card.buttons[words])

    def click_key(self, user: str, card: Shown, key: str) -> int:
        """A click as WeCom reports it, whatever the card shows."""
        code = self.corp.new_code(card, frozenset([user]))
        event = {"MsgType": "event", "Event": "template_card_event", "EventKey": key, "TaskId": card.task_id}
        return self.deliver(self.fields(user, {**event, "CardType": "button_interaction", "ResponseCode": code}))

    def fields(self, user: str, more: dict[str, str]) -> dict[str, str]:
        """The inner XML's fields."""
        head = {"ToUserName": self.corp.corp_id, "FromUserName": user, "CreateTime": str(int(time.time()))}
        return {**head, **more, "AgentID": str(self.corp.agent_id)}

    def deliver(self, fields: dict[str, str]) -> int:
        """Post a callback until it is taken, three times at most."""
        for delivery in range(1, _DELIVERIES + 1):
            try:
                if self.post(write_xml(fields).encode()).status_code == 200:
                    return delivery
            except httpx.HTTPError:
                time.sleep(0.2)
        return 0

    def post(self, plain: bytes) -> httpx.Response:
        """One delivery of an inner XML."""
        sealed = self.cipher.encrypt(plain)
        body = write_xml({"ToUserName": self.corp.corp_id, "Encrypt": sealed})
        return self._client.post(self.callback_url, params=self.query(sealed), content=body.encode())

    def query(self, sealed: str, timestamp: str = "") -> dict[str, str]:
        """The query of a signed request."""
        timestamp, nonce = timestamp or str(int(time.time())), secrets.token_hex(5)
        signature = self.cipher.sign(timestamp, nonce, sealed)
        return {"msg_signature": signature, "timestamp": timestamp, "nonce": nonce}
