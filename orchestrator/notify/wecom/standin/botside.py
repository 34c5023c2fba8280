"""An AI bot's long connection as WeCom serves it (document 101463), over a real WebSocket on this machine.

Official: nothing before ``aibot_subscribe`` (846609), 853000 for a wrong secret, one connection a bot (the older one
gets ``disconnected_event`` and is closed), answers echo ``req_id``, updates and welcomes within five seconds of the
event, a stream that began six minutes ago cannot be changed (846608), 30 messages a minute and 1000 an hour and chat,
20480 bytes, sends only to chats that have spoken. Guesses: 93006 for a chat that has not, and that a connection without
a ping for :attr:`idle` seconds is closed.
"""

from __future__ import annotations

import json
import random
import socket as socket_module
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from orchestrator.notify.wecom.standin.answers import Refusal, accepted, refused
from orchestrator.notify.wecom.standin.cards import check_button_card
from orchestrator.notify.wecom.standin.server import cannot_open
from orchestrator.notify.wecom.standin.shapes import Json, mapping, string
from orchestrator.notify.wecom.standin.shown import Shown
from orchestrator.notify.wecom.text import size

if TYPE_CHECKING:
    from websockets.sync.server import Server, ServerConnection

_CONTENT, _UPDATE_SECONDS = 20480, 5.0
_PER_MINUTE, _PER_HOUR = 30, 1000


@dataclass(slots=True)
class _Heard:
    """A callback that was sent to the bot."""

    chat: str
    kind: str
    at: float
    shown: Shown | None = None


@dataclass
class BotSide:
    """One bot and its chats. ``with`` serves it at :attr:`url`."""

    bot_id: str = "bot-standin"
    secret: str = "bot-secret"  # noqa: S105 - a sample
    #: 0: any free one.
    port: int = 0
    #: What every window goes by.
    clock: Callable[[], float] = time.monotonic
    #: Seconds in which a stream may change, and without a ping after which a connection is closed.
    stream_window: float = 360.0
    idle: float = 100.0
    shown: list[Shown] = field(default_factory=list)
    subscriptions: int = 0
    refused_by_rate: int = 0
    kicks: int = 0
    pings: int = 0
    changed: threading.Condition = field(default_factory=threading.Condition)
    _heard: dict[str, _Heard] = field(default_factory=dict)
    _streams: dict[str, Shown] = field(default_factory=dict)
    _spoken: set[str] = field(default_factory=set)
    _rates: dict[str, deque[float]] = field(default_factory=dict)
    _tasks: set[str] = field(default_factory=set)
    _live: ServerConnection | None = None
    _server: Server | None = None
    source: random.Random = field(default_factory=random.Random)
    _began: dict[str, float] = field(default_factory=dict)

    def __enter__(self) -> Self:
        from websockets.sync.server import serve

        try:
            self._server = serve(self._connection, "127.0.0.1", self.port, ping_interval=None, close_timeout=1)
        except OSError as error:
            raise cannot_open(self.port, error) from None
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close_connection()
        if self._server is not None:
            self._server.shutdown()

    @property
    def url(self) -> str:
        """What ``wecom.bot.url`` of a profile should say."""
        assert self._server is not None  # noqa: S101 - inside of the block only
        return f"ws://127.0.0.1:{self._server.socket.getsockname()[1]}"

    @property
    def connected(self) -> bool:
        """Whether a bot is subscribed now."""
        return self._live is not None

    def close_connection(self, *, abruptly: bool = False) -> None:
        """End the live connection: cleanly (1000), or as a cable that is cut."""
        live = self._live
        if live is not None and abruptly:
            live.socket.shutdown(socket_module.SHUT_RDWR)
        elif live is not None:
            live.close(1000)

    def say(self, user: str, text: str, group: str = "") -> str:
        """A person writes to the bot; the message's id."""
        content = f"@Bot {text}" if group else text
        return self._callback("aibot_msg_callback", user, group, {"msgtype": "text", "text": {"content": content}})

    def enter(self, user: str) -> str:
        """A person opens the chat with the bot; the request to welcome him by."""
        event = {"eventtype": "enter_chat"}
        body = {"msgtype": "event", "create_time": int(time.time()), "event": event}
        return self._callback("aibot_event_callback", user, "", body)

    def click(self, user: str, card: Shown, words: str) -> str:
        """A person clicks the button with these words."""
        group = card.chat.removeprefix("group:") if card.chat.startswith("group:") else ""
        return self.click_key(user, card, card.buttons[words], group)

    def click_key(self, user: str, card: Shown, key: str, group: str = "") -> str:
        """A click as the service reports it, whatever the card shows."""
        click = {"card_type": "button_interaction", "event_key": key, "task_id": card.task_id}
        event = {"eventtype": "template_card_event", "template_card_event": click}
        body = {"msgtype": "event", "create_time": int(time.time()), "event": event}
        return self._callback("aibot_event_callback", user, group, body, card)

    def _callback(self, command: str, user: str, group: str, body: Json, card: Shown | None = None) -> str:
        chat = group or user
        with self.changed:
            self._spoken.add(chat)
            req_id, msgid = f"req-{self.source.getrandbits(64):x}", f"msg-{self.source.getrandbits(64):x}"
            self._heard[req_id] = _Heard(f"group:{group}" if group else user, command, self.clock(), card)
            live = self._live
        where = {"chattype": "group", "chatid": group} if group else {"chattype": "single"}
        full = {"msgid": msgid, "aibotid": self.bot_id, "from": {"userid": user}, **where, **body}
        if live is not None:
            live.send(json.dumps({"cmd": command, "headers": {"req_id": req_id}, "body": full}, ensure_ascii=False))
        return msgid

    def _connection(self, socket: ServerConnection) -> None:
        from websockets.exceptions import ConnectionClosed

        try:
            while True:
                frame = json.loads(socket.recv(self.idle))
                req_id = frame.get("headers", {}).get("req_id", "")
                with self.changed:
                    try:
                        self._act(socket, frame.get("cmd"), req_id, frame.get("body") or {})
                        answer = accepted()
                    except Refusal as refusal:
                        answer = refused(refusal, self.source)
                    self.changed.notify_all()
                socket.send(json.dumps({"headers": {"req_id": req_id}, **answer}))
        except (ConnectionClosed, OSError, ValueError):  # the caller is gone, silent, or speaks another language
            socket.close(1000)
        finally:
            if self._live is socket:
                self._live = None

    def _act(self, socket: ServerConnection, command: str, req_id: str, body: Json) -> None:
        if command == "aibot_subscribe":
            self._subscribe(socket, body)
            return
        if self._live is not socket:
            raise Refusal(846609, "aibot websocket not subscribed")
        if command == "ping":
            self.pings += 1
            return
        if command == "aibot_send_msg":
            self._send(body)
        elif command in ("aibot_respond_msg", "aibot_respond_update_msg", "aibot_respond_welcome_msg"):
            self._respond(command, req_id, body)
        else:
            raise Refusal(40058, "unknown cmd")

    def _subscribe(self, socket: ServerConnection, body: Json) -> None:
        self.subscriptions += 1
        if body.get("bot_id") != self.bot_id or body.get("secret") != self.secret:
            raise Refusal(853000, "invalid bot_id or secret")
        old, self._live = self._live, socket
        if old is not None and old is not socket:
            self.kicks += 1
            event = {"msgtype": "event", "event": {"eventtype": "disconnected_event"}}
            frame = {"cmd": "aibot_event_callback", "headers": {"req_id": "kick"}, "body": event}
            old.send(json.dumps(frame))
            threading.Thread(target=old.close, daemon=True).start()

    def _send(self, body: Json) -> None:
        chat = string(body, "chatid")
        if chat not in self._spoken:
            raise Refusal(93006, "chatid invalid")
        self._count(chat)
        heard = next((h for h in reversed(self._heard.values()) if h.chat.removeprefix("group:") == chat), None)
        self._show(heard.chat if heard else chat, body)

    def _show(self, chat: str, body: Json) -> None:
        msgtype = string(body, "msgtype")
        part = mapping(body, msgtype)
        if msgtype == "template_card":
            task = check_button_card(part)
            if task in self._tasks:
                raise Refusal(42014, "task_id is not unique")
            self._tasks.add(task)
            self.shown.append(Shown(chat, msgtype, part, task))
            return
        if msgtype != "markdown":
            raise Refusal(40008, "invalid message type")
        _check_content(part)
        self.shown.append(Shown(chat, msgtype, part))

    def _respond(self, command: str, req_id: str, body: Json) -> None:
        heard = self._heard.get(req_id)
        wanted = "aibot_msg_callback" if command == "aibot_respond_msg" else "aibot_event_callback"
        if heard is None or heard.kind != wanted:
            raise Refusal(846605, "invalid req_id")
        self._count(heard.chat.removeprefix("group:"))
        if wanted == "aibot_event_callback" and self.clock() - heard.at > _UPDATE_SECONDS:
            raise Refusal(846604, "reply window is over")
        if (heard.shown is not None) != (command == "aibot_respond_update_msg"):
            raise Refusal(846605, "invalid req_id: another kind of event")
        if heard.shown is not None:
            card = mapping(body, "template_card")
            if check_button_card(card) != heard.shown.task_id:
                raise Refusal(42016, "task_id differs from the event's")
            heard.shown.body = card
            heard.shown.updates += 1
            return
        if string(body, "msgtype") == "stream":
            self._stream(heard.chat, mapping(body, "stream"))
        else:
            self._show(heard.chat, body)

    def _stream(self, chat: str, stream: Json) -> None:
        _check_content(stream)
        began = self._began.setdefault(string(stream, "id"), self.clock())
        if self.clock() - began > self.stream_window:
            raise Refusal(846608, "stream message update expired, cannot update")
        shown = self._streams.get(string(stream, "id"))
        if shown is None:
            shown = self._streams[string(stream, "id")] = Shown(chat, "stream", stream)
            self.shown.append(shown)
        elif shown.body.get("finish"):
            raise Refusal(846608, "stream is finished")
        else:
            shown.body, shown.updates = stream, shown.updates + 1

    def _count(self, chat: str) -> None:
        sent, now = self._rates.setdefault(chat, deque()), self.clock()
        while sent and sent[0] <= now - 3600:
            sent.popleft()
        sent.append(now)
        if len(sent) > _PER_HOUR or sum(at > now - 60 for at in sent) > _PER_MINUTE:
            self.refused_by_rate += 1
            raise Refusal(45009, "api freq out of limit")

    def wait_for(self, holds: Any, timeout: float = 10.0) -> bool:  # noqa: ANN401 - a predicate of a test
        """Wait until ``holds()``; whether it did."""
        with self.changed:
            return bool(self.changed.wait_for(holds, timeout))


def _check_content(part: Json) -> None:
    if size(string(part, "content")) > _CONTENT:
        raise Refusal(40058, f"exceed max length {_CONTENT}")
