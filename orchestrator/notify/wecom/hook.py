"""An AI bot behind a URL: requests in JSON, answers inside of them (documents 101033, 101027 and 101031)."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

import httpx

from orchestrator.commands.model import Answer, Incoming
from orchestrator.domain.errors import BrokerError
from orchestrator.notify.base import RefusedError, RetryLaterError
from orchestrator.notify.wecom.board import STREAM, Board
from orchestrator.notify.wecom.callback import bot_incoming, opened
from orchestrator.notify.wecom.cards import BOT_STYLE, in_words, template_card
from orchestrator.notify.wecom.codes import error_of
from orchestrator.notify.wecom.crypto import BadCallbackError, Cipher
from orchestrator.notify.wecom.repliers import new_task
from orchestrator.notify.wecom.robot import is_local
from orchestrator.notify.wecom.secrets import mask_logs, masked
from orchestrator.notify.wecom.text import MARKDOWN_LIMIT, clip, neutral

#: Seconds in which a click must be answered; WeCom wants an answer within one.
CLICK_SECONDS = 0.8
_CLICKS_WAITING = 16
_BYTES = 20480
_WAITING = "…"


class BotCallback:
    """The callback address of an AI bot.

    ``accept`` notes a message durably and is quick; False: it was noted before. ``progress`` gives a run's line and
    whether it has ended.
    """

    def __init__(
        self,
        cipher: Cipher,
        board: Board,
        accept: Callable[[Incoming], bool],
        progress: Callable[[str], tuple[str, bool]],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._cipher, self._board, self._clock = cipher, board, clock
        self._accept, self._progress = accept, progress
        self._waiting = threading.BoundedSemaphore(_CLICKS_WAITING)

    def echo(self, query: Mapping[str, str]) -> bytes:
        """The answer to WeCom's check of the address."""
        return opened(self._cipher, query, query.get("echostr", ""), self._clock())

    def receive(self, query: Mapping[str, str], body: bytes) -> bytes:
        """Note what a request asks for; the bytes to answer it with (empty: nothing to say)."""
        inner = _json(opened(self._cipher, query, str(_json(body).get("encrypt", "")), self._clock()))
        said = self._said(inner)
        return self._sealed(said, query.get("nonce", "")) if said is not None else b""

    def _said(self, inner: Mapping[str, Any]) -> dict[str, Any] | None:
        stream = inner.get("stream")
        if inner.get("msgtype") == "stream" and isinstance(stream, dict):
            return self._streamed(str(stream.get("id", ""))[:64])
        incoming = bot_incoming(inner, channel="hook")
        if incoming is None:
            return None
        if incoming.ticket:
            return self._clicked(incoming)
        self._board.open(incoming.key)
        self._accept(incoming)
        return _stream(incoming.key, _WAITING, finish=False)

    def _clicked(self, incoming: Incoming) -> dict[str, Any] | None:
        """The new card, if it is there in time; a flood of clicks must not hold up other requests."""
        if not self._accept(incoming):
            return None
        if not self._waiting.acquire(blocking=False):
            self._board.decline(incoming.key)
            return None
        try:
            return self._board.wait(incoming.key, CLICK_SECONDS)
        finally:
            self._waiting.release()

    def _streamed(self, stream: str) -> dict[str, Any]:
        """The answer as it stands: WeCom asks again until it is finished."""
        found = self._board.read(stream)
        line, ended = ("", True) if found.ready else (_WAITING, False)
        if found.follow:
            line, ended = self._progress(found.follow)
        text = clip("\n".join(filter(None, (found.text, line))), _BYTES) or _WAITING
        body = _stream(stream, text, finish=ended or found.age > STREAM - 60)
        if found.card is not None:
            return {**body, "msgtype": "stream_with_template_card", "template_card": found.card}
        return body

    def _sealed(self, said: Mapping[str, Any], nonce: str) -> bytes:
        sealed = self._cipher.encrypt(json.dumps(said, ensure_ascii=False).encode("utf-8", "replace"))
        now = int(self._clock())
        signature = self._cipher.sign(str(now), nonce, sealed)
        return json.dumps({"encrypt": sealed, "msgsignature": signature, "timestamp": now, "nonce": nonce}).encode()


def _stream(name: str, text: str, *, finish: bool) -> dict[str, Any]:
    return {"msgtype": "stream", "stream": {"id": name, "finish": finish, "content": text}}


def _json(raw: bytes) -> dict[str, Any]:
    try:
        found = json.loads(raw)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise BadCallbackError("a bot's callback is no JSON object")
    return found


class HookReplier:
    """Answers that wait for WeCom's next request, or leave by a message's ``response_url``."""

    def __init__(self, board: Board, urls: ResponseUrls) -> None:
        self._board, self._urls = board, urls

    def reply(self, incoming: Incoming, answer: Answer) -> None:
        """Say it: a clicked card is replaced while its request waits, a message is answered by its stream."""
        if url := incoming.reply.get("response_url", ""):
            self._board.keep(incoming.chat, url)
        if incoming.ticket:
            self._clicked(incoming, answer)
            return
        card = template_card(answer.card, new_task(answer.card.run), BOT_STYLE) if answer.card is not None else None
        self._board.answer(incoming.key, answer.text, answer.follow, card)

    def _clicked(self, incoming: Incoming, answer: Answer) -> None:
        words = in_words(answer)
        if answer.card is not None:
            card = template_card(answer.card, incoming.reply.get("task_id") or new_task(answer.card.run), BOT_STYLE)
            if self._board.offer(incoming.key, {"response_type": "update_template_card", "template_card": card}):
                words = answer.text
        if words:
            self._urls.say(incoming.chat, words)


class ResponseUrls:
    """Sends what nobody asked for any more, by the addresses that came with messages."""

    def __init__(self, board: Board, base_url: str) -> None:
        self._board, self._host = board, urlsplit(base_url)[:2]
        self._client = httpx.Client(timeout=httpx.Timeout(10.0, connect=5.0), trust_env=not is_local(base_url))
        mask_logs("httpx")

    def close(self) -> None:
        """Give the connections back."""
        self._client.close()

    def say(self, chat: str, text: str) -> None:
        """One message into ``chat``; :class:`RefusedError` when nobody has written there for an hour."""
        try:
            url = self._board.take(chat)
        except BrokerError as error:
            raise RetryLaterError(error.message, after=2.0) from None
        if not url or urlsplit(url)[:2] != self._host:
            raise RefusedError("a bot behind a URL may speak only where somebody wrote within the last hour")
        body = {"msgtype": "markdown", "markdown": {"content": clip(text, MARKDOWN_LIMIT)}}
        try:
            answer = self._client.post(url, json=body).json()
            code, said = answer["errcode"], str(answer.get("errmsg", ""))
        except (httpx.HTTPError, httpx.InvalidURL, ValueError, TypeError, KeyError) as error:
            self._board.keep(chat, url)  # whether it was used is not known: tried again, told twice at worst
            raise RetryLaterError(f"WeCom cannot be reached ({masked(str(error), url)})", tries=5) from None
        if code != 0:
            trouble = error_of(code if isinstance(code, int) else 40058, neutral(masked(said, url), 300))
            if isinstance(trouble, RetryLaterError) and trouble.tries is None:  # busy, or over a limit: it was not used
                self._board.keep(chat, url)
            raise trouble


class HookChat:
    """A chat of a bot behind a URL: a :class:`~orchestrator.notify.base.Notifier`."""

    limit = MARKDOWN_LIMIT

    def __init__(self, urls: ResponseUrls, chat: str) -> None:
        self._urls, self._chat = urls, chat

    def wait(self) -> float:
        """Always 0: each message has an address of its own."""
        return 0.0

    def deliver(self, payload: Mapping[str, Any], key: str) -> None:
        """Send ``payload["markdown"]``, cut to one message."""
        text = payload.get("markdown")
        if not isinstance(text, str) or not text.strip():
            raise RefusedError(f"message {key} has no text")
        self._urls.say(self._chat, text)


class HookChats:
    """Chats of a bot behind a URL: a finder for the outbox."""

    def __init__(self, urls: ResponseUrls) -> None:
        self._urls = urls

    def __call__(self, name: str) -> HookChat | None:
        """The notifier of ``hook:CHAT``."""
        kind, _, chat = name.partition(":")
        return HookChat(self._urls, chat) if kind == "hook" and chat else None
