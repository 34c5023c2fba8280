"""The HTTP side of :class:`Corp`, and its callbacks: signed, encrypted, sent up to three times."""

from __future__ import annotations

import json
import secrets
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self
from urllib.parse import parse_qs, urlsplit

import httpx

from orchestrator.notify.wecom.crypto import Cipher
from orchestrator.notify.wecom.envelope import read_xml, write_xml
from orchestrator.notify.wecom.standin.corp import Corp, Shown

#: Sample secrets of the callback address.
TOKEN, AES_KEY = "QDG6eK", "jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C"
_PATIENCE, _DELIVERIES = 5.0, 3


class CorpSide:
    """``with`` serves a corp at :attr:`base_url`; ``callback_url`` is where its application listens."""

    def __init__(self, corp: Corp, callback_url: str = "") -> None:
        self.corp, self.callback_url = corp, callback_url
        self.cipher = Cipher(TOKEN, AES_KEY, corp.corp_id)
        handler = type("Handler", (_Handler,), {"corp": corp})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._client = httpx.Client(timeout=_PATIENCE, trust_env=False)

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._client.close()

    @property
    def base_url(self) -> str:
        """What ``wecom.base_url`` of a profile should say."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def check_address(self) -> bool:
        """WeCom's check of the callback address: the exact plain text must come back."""
        word = secrets.token_hex(10)
        sealed = self.cipher.encrypt(word.encode())
        answer = self._client.get(self.callback_url, params={**self.query(sealed), "echostr": sealed})
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

    def passive(self, raw: bytes) -> dict[str, str]:
        """A passive reply, opened; its signature must hold."""
        outer = read_xml(raw)
        plain = self.cipher.open(outer["MsgSignature"], outer["TimeStamp"], outer["Nonce"], outer["Encrypt"])
        return read_xml(plain)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 30
    corp: Corp

    def do_GET(self) -> None:
        self._handle({})

    def do_POST(self) -> None:
        raw = self.rfile.read(min(int(self.headers.get("Content-Length", "0")), 1 << 20))
        try:
            body = json.loads(raw)
        except ValueError:
            body = {}
        self._handle(body if isinstance(body, dict) else {})

    def _handle(self, body: dict[str, object]) -> None:
        address = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(address.query).items()}
        answer = self.corp.answer(address.path, query, body)
        raw = json.dumps(answer or {}, ensure_ascii=False).encode()
        self.send_response(200 if answer is not None else 404)
        self.send_header("Content-Length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: addresses hold tokens."""
