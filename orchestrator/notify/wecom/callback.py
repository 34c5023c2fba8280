"""What WeCom posts to us, checked and understood (documents 90238, 90240 and 100719).

Signature first, then the timestamp, then the message; a message for somebody else is refused. Nothing here answers.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Mapping
from typing import Any

from orchestrator.commands.model import Incoming
from orchestrator.notify.wecom.crypto import BadCallbackError, Cipher
from orchestrator.notify.wecom.envelope import read_xml

#: Seconds that our clock and WeCom's may differ.
WINDOW = 300.0
_CLICKS = ("template_card_event", "template_card_menu_event")
_ID = 128


class AppCallback:
    """The callback address of a self-built application. ``accept`` notes a message durably and is quick."""

    def __init__(
        self,
        cipher: Cipher,
        agent_id: int,
        accept: Callable[[Incoming], object],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._cipher, self._agent, self._accept, self._clock = cipher, str(agent_id), accept, clock

    def echo(self, query: Mapping[str, str]) -> bytes:
        """The answer to WeCom's check of the address."""
        return opened(self._cipher, query, query.get("echostr", ""), self._clock())

    def receive(self, query: Mapping[str, str], body: bytes) -> bytes:
        """Note what a request asks for; the empty answer. :class:`BadCallbackError` for what is none."""
        outer = read_xml(body)
        fields = read_xml(opened(self._cipher, query, outer.get("Encrypt", ""), self._clock()))
        if fields.get("ToUserName") != self._cipher.receiver:
            raise BadCallbackError("a callback is for another corp")
        if fields.get("AgentID", self._agent) != self._agent:
            raise BadCallbackError("a callback is for another application")
        incoming = app_incoming(fields)
        if incoming is not None:
            self._accept(incoming)
        return b""


def opened(cipher: Cipher, query: Mapping[str, str], encrypted: str, now: float) -> bytes:
    """The message of a request, its signature, padding, receiver and timestamp checked."""
    timestamp, nonce = query.get("timestamp", ""), query.get("nonce", "")
    if not (encrypted and timestamp and nonce):
        raise BadCallbackError("a callback lacks timestamp, nonce or body")
    plain = cipher.open(query.get("msg_signature", ""), timestamp, nonce, encrypted)
    if not timestamp.isdecimal() or abs(int(timestamp[:12]) - now) > WINDOW:
        raise BadCallbackError("a callback's timestamp is more than five minutes off: compare the clocks")
    return plain


def app_incoming(fields: Mapping[str, str]) -> Incoming | None:
    """An application's text or click; two clicks may share a second, so a click's key names its button too."""
    user, kind = fields.get("FromUserName", ""), fields.get("MsgType", "")
    if not _is_id(user):
        return None
    if kind == "text" and fields.get("MsgId"):
        return Incoming("app", _key(fields["MsgId"]), user, text=fields.get("Content", ""))
    if kind == "event" and fields.get("Event") in _CLICKS:
        names = ("FromUserName", "CreateTime", "TaskId", "EventKey")
        reply = {"response_code": fields.get("ResponseCode", ""), "task_id": fields.get("TaskId", "")}
        key = _key(*(fields.get(name, "") for name in names))
        return Incoming("app", key, user, ticket=fields.get("EventKey", "")[:_ID], reply=reply)
    return None


def bot_incoming(body: Mapping[str, Any], req_id: str = "", channel: str = "bot") -> Incoming | None:
    """An AI bot's message or event; None for one that asks for nothing. ``channel`` ``hook``: it came by URL."""
    sender = body.get("from")
    user = sender.get("userid") if isinstance(sender, dict) else None
    group = body.get("chatid") if body.get("chattype") == "group" else ""
    if not isinstance(user, str) or not isinstance(group, str) or not _is_id(user) or (group and not _is_id(group)):
        return None
    kind, key = body.get("msgtype"), _key(str(body.get("msgid") or (req_id, body)))
    url = body.get("response_url")
    reply = {"req_id": req_id} if req_id else {"response_url": url[:2048]} if isinstance(url, str) else {}
    if kind == "text" and isinstance(body.get("text"), dict):
        return Incoming(channel, key, user, group, str(body["text"].get("content", "")), reply=reply)
    event = body.get("event")
    if kind == "event" and isinstance(event, dict) and event.get("eventtype") == "template_card_event":
        click = event.get("template_card_event")
        click = click if isinstance(click, dict) else event  # samples nest it, an SDK's types do not
        ticket = str(click.get("event_key") or click.get("eventkey") or "")[:_ID]
        reply["task_id"] = str(click.get("task_id") or click.get("taskid") or "")[:_ID]
        return Incoming(channel, key, user, group, ticket=ticket, reply=reply)
    return None


def _is_id(value: str) -> bool:
    return 0 < len(value) <= _ID and value.isprintable() and " " not in value


def _key(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode("utf-8", "replace")).hexdigest()[:32]
