"""An AI bot in URL mode as WeCom serves it (documents 101033, 101027, 101031 and 101138), over real HTTP.

Official: JSON sealed with an empty receiver, a click sent once and dropped after five seconds, its card replaced only
with the same ``task_id``, a stream asked for until it is finished or six minutes old, ``response_url`` once within an
hour, markdown or (to one person) a card. Guesses: how often WeCom asks for a stream, and 42022 for a used address.
"""

from __future__ import annotations

import json
import random
import secrets
import threading
import time
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

import httpx

from orchestrator.notify.wecom.crypto import BadCallbackError, Cipher
from orchestrator.notify.wecom.standin.answers import Refusal, accepted, refused
from orchestrator.notify.wecom.standin.cards import check_button_card
from orchestrator.notify.wecom.standin.corpside import AES_KEY, TOKEN
from orchestrator.notify.wecom.standin.rules import parse
from orchestrator.notify.wecom.standin.server import Reply, WeComStandIn
from orchestrator.notify.wecom.standin.shapes import Json, mapping, string
from orchestrator.notify.wecom.standin.shown import Shown
from orchestrator.notify.wecom.text import size

_PATIENCE, _STREAM, _URL = 5.0, 360.0, 3600.0
_CONTENT = 20480
_PATH = "/cgi-bin/aibot/response"


@dataclass
class HookSide:
    """One bot and its chats. ``with`` serves its ``response_url``; ``callback_url`` is where the bot listens."""

    callback_url: str = ""
    #: The address of another server that has :meth:`route`; empty: one of its own.
    served_at: str = ""
    bot_id: str = "bot-standin"
    #: Seconds between two questions for a stream.
    every: float = 0.2
    shown: list[Shown] = field(default_factory=list)
    #: What the bot answered wrongly.
    complaints: list[str] = field(default_factory=list)
    _codes: dict[str, tuple[str, float]] = field(default_factory=dict)
    _tasks: set[str] = field(default_factory=set)
    _source: random.Random = field(default_factory=random.Random)
    _ended: threading.Event = field(default_factory=threading.Event)
    _threads: list[threading.Thread] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.cipher = Cipher(TOKEN, AES_KEY, "")
        self._client = httpx.Client(timeout=_PATIENCE, trust_env=False)
        self._server = WeComStandIn(routes=[self.route])

    def __enter__(self) -> Self:
        self._server.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        for thread in self._threads:
            thread.join()
        self._server.__exit__(kind, error, trace)
        self._client.close()

    @property
    def base_url(self) -> str:
        """What ``wecom.base_url`` of a profile should say."""
        return self.served_at or self._server.base_url

    @property
    def connected(self) -> bool:
        """Whether somebody answers at ``callback_url``, whatever it is."""
        try:
            self._client.get(self.callback_url)
        except httpx.HTTPError:
            return False
        return True

    def check_address(self) -> bool:
        """WeCom's check of the callback address: the exact plain text must come back within a second."""
        word = secrets.token_hex(10)
        sealed = self.cipher.encrypt(word.encode())
        answer = self._client.get(self.callback_url, params={**self.query(sealed), "echostr": sealed}, timeout=1.0)
        return answer.status_code == 200 and answer.content == word.encode()

    def say(self, user: str, text: str, group: str = "", msgid: str = "") -> str:
        """A person writes to the bot; the stream's id, empty when the bot does not answer."""
        content = f"@Bot {text}" if group else text
        body = {**self._head(user, group, msgid), "msgtype": "text", "text": {"content": content}}
        answer = self._called(body)
        if answer is None:
            return ""
        chat = f"group:{group}" if group else user
        return self._answered(chat, answer, body)

    def click(self, user: str, card: Shown, words: str) -> bool:
        """A person clicks the button with these words; whether the card was replaced."""
        group = card.chat.removeprefix("group:") if card.chat.startswith("group:") else ""
        return self.click_key(user, card, card.buttons[words], group)

    def click_key(self, user: str, card: Shown, key: str, group: str = "") -> bool:
        """A click as the service reports it, whatever the card shows. Sent once."""
        click = {"card_type": "button_interaction", "event_key": key, "task_id": card.task_id}
        event = {"eventtype": "template_card_event", "template_card_event": click}
        answer = self._called({**self._head(user, group, ""), "msgtype": "event", "event": event})
        if not answer:
            return False
        try:
            if answer.get("response_type") != "update_template_card":
                raise Refusal(40008, "a click is answered by update_template_card alone")
            shown = mapping(answer, "template_card")
            if check_button_card(shown) != card.task_id:
                raise Refusal(42016, "task_id differs from the event's")
        except Refusal as refusal:
            self.complaints.append(refusal.text)
            return False
        card.body, card.updates = shown, card.updates + 1
        return True

    def route(self, method: str, path: str, query: dict[str, str], raw: bytes) -> Reply | None:
        """``response_url``, for a server."""
        if (method, path) != ("POST", _PATH):
            return None
        try:
            chat, born = self._codes.pop(query.get("response_code", ""), ("", 0.0))
            if not chat or time.monotonic() - born > _URL:
                raise Refusal(42022, "response_code is used or unknown")
            self._respond(chat, parse(raw))
            answer = accepted()
        except Refusal as refusal:
            answer = refused(refusal, self._source)
        return Reply(json.dumps(answer).encode())

    def query(self, sealed: str) -> dict[str, str]:
        """The query of a signed request."""
        timestamp, nonce = str(int(time.time())), secrets.token_hex(5)
        signature = self.cipher.sign(timestamp, nonce, sealed)
        return {"msg_signature": signature, "timestamp": timestamp, "nonce": nonce}

    def post(self, body: Json) -> httpx.Response:
        """One request."""
        sealed = self.cipher.encrypt(json.dumps(body, ensure_ascii=False).encode())
        return self._client.post(self.callback_url, params=self.query(sealed), json={"encrypt": sealed})

    def _head(self, user: str, group: str, msgid: str) -> Json:
        code = f"{self._source.getrandbits(64):016x}"
        self._codes[code] = (f"group:{group}" if group else user, time.monotonic())
        where = {"chattype": "group", "chatid": group} if group else {"chattype": "single"}
        url = f"{self.base_url}{_PATH}?response_code={code}"
        msgid = msgid or f"msg-{self._source.getrandbits(64):x}"
        return {"msgid": msgid, "aibotid": self.bot_id, "from": {"userid": user}, **where, "response_url": url}

    def _called(self, body: Json) -> Json | None:
        """The passive answer to a request, opened; None when nobody answered."""
        try:
            reply = self.post(body)
        except httpx.HTTPError:
            return None
        if reply.status_code != 200:
            return None
        if not reply.content:
            return {}
        outer = reply.json()
        try:
            stamp, nonce = str(outer["timestamp"]), outer["nonce"]
            return dict(json.loads(self.cipher.open(outer["msgsignature"], stamp, nonce, outer["encrypt"])))
        except (BadCallbackError, ValueError, KeyError, TypeError) as error:
            self.complaints.append(f"a passive answer is damaged: {error}")
            return {}

    def _answered(self, chat: str, answer: Json, body: Json) -> str:
        """The first answer to a message: a stream, which is asked for until it is finished."""
        stream = answer.get("stream") or {}
        name = str(stream.get("id", ""))
        if answer.get("msgtype") != "stream" or not name:
            self.complaints.append("a message is answered by a stream with an id")
            return ""
        shown = Shown(chat, "stream", stream)
        self.shown.append(shown)
        if not stream.get("finish"):
            asking = threading.Thread(target=self._ask, args=(shown, name, body))
            self._threads.append(asking)
            asking.start()
        return name

    def _ask(self, shown: Shown, name: str, body: Json) -> None:
        deadline = time.monotonic() + _STREAM
        question = {**body, "msgtype": "stream", "stream": {"id": name}}
        question.pop("text", None)
        while time.monotonic() < deadline and not self._ended.wait(self.every):
            answer = self._called(question)
            if not answer:
                continue
            stream = mapping(answer, "stream")
            if size(string(stream, "content")) > _CONTENT or string(stream, "id") != name:
                self.complaints.append("a stream is too long, or another one")
            if stream != shown.body:
                shown.body, shown.updates = stream, shown.updates + 1
            if answer.get("msgtype") == "stream_with_template_card":
                self._card(shown.chat, mapping(answer, "template_card"))
            if stream.get("finish"):
                return

    def _card(self, chat: str, card: Json) -> None:
        try:
            task = check_button_card(card)
            if task in self._tasks:
                raise Refusal(42014, "task_id is not unique")
        except Refusal as refusal:
            self.complaints.append(refusal.text)
            return
        self._tasks.add(task)
        self.shown.append(Shown(chat, "template_card", card, task))

    def _respond(self, chat: str, body: Json) -> None:
        msgtype = string(body, "msgtype")
        part = mapping(body, msgtype)
        if msgtype == "template_card" and not chat.startswith("group:"):
            self._card(chat, part)
        elif msgtype != "markdown":
            raise Refusal(40008, "invalid message type")
        elif size(string(part, "content")) > _CONTENT:
            raise Refusal(40058, f"exceed max length {_CONTENT}")
        else:
            self.shown.append(Shown(chat, msgtype, part))
