"""What an AI bot behind a URL has to say: it may only answer when WeCom asks, so its answers wait in Redis.

A message is answered by a stream that WeCom asks for until it is finished (document 101031), a click by the new card
within the click's own request, and anything later by the message's ``response_url``, once and within an hour (101138).
Whoever runs the command and whoever takes WeCom's next request may be different processes.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import Any, cast

from orchestrator.ledger import keys
from orchestrator.ledger.connection import connect, every_method_reports_broker_errors

_BASE = f"{keys.PREFIX}:chat:hook"
#: Seconds: WeCom asks for six minutes, and takes a ``response_url`` for an hour.
STREAM, URL = 360, 3600
_CLICK = 10


@dataclass(frozen=True, slots=True)
class Stream:
    """An answer as far as it goes."""

    text: str = ""
    #: A run whose progress follows the text.
    follow: str = ""
    #: The JSON of a template card that nobody has seen yet.
    card: dict[str, Any] | None = None
    #: Whether there is an answer at all.
    ready: bool = False
    #: Seconds since the message came.
    age: float = 0.0


@every_method_reports_broker_errors
class Board:
    """One client; safe to use from several threads."""

    def __init__(self, url: str) -> None:
        self.redis = connect(url)

    # -- streams: the answers to messages ------------------------------------------------------------------------

    def open(self, stream: str) -> None:
        """A message came; its answer will be asked for."""
        name = f"{_BASE}:stream:{stream}"
        self.redis.hsetnx(name, "opened", str(time.time()))
        self.redis.expire(name, STREAM + 60)

    def answer(self, stream: str, text: str, follow: str, card: dict[str, Any] | None) -> None:
        """The answer of a message."""
        name, fields = f"{_BASE}:stream:{stream}", {"text": text, "follow": follow}
        if card is not None:
            fields["card"] = json.dumps(card, ensure_ascii=False)
        self.redis.hset(name, mapping=cast("Any", {**fields, "ready": "1"}))
        self.redis.expire(name, STREAM + 60)

    def read(self, stream: str) -> Stream:
        """The answer as it stands; its card for one reader only."""
        name = f"{_BASE}:stream:{stream}"
        row = cast("dict[str, str]", self.redis.hgetall(name))
        card = row.get("card")
        if card and not self.redis.hdel(name, "card"):
            card = None
        age = time.time() - float(row.get("opened", 0))
        return Stream(
            row.get("text", ""), row.get("follow", ""), json.loads(card) if card else None, bool(row.get("ready")), age
        )

    # -- clicks: answered within their own request ---------------------------------------------------------------

    def offer(self, click: str, body: dict[str, Any]) -> bool:
        """Hand the answer of a click to the request that waits for it; False when it waits no longer."""
        if not self._first(click, "offered"):
            return False
        name = f"{_BASE}:click:{click}"
        self.redis.rpush(name, json.dumps(body, ensure_ascii=False))
        self.redis.expire(name, _CLICK)
        return True

    def wait(self, click: str, seconds: float) -> dict[str, Any] | None:
        """The answer of a click, if it comes within ``seconds`` (< 5); if not, it will not be taken any more."""
        name = f"{_BASE}:click:{click}"
        row = cast("Any", self.redis.blpop([name], timeout=seconds))
        if row is None and not self.decline(click):
            row = cast("Any", self.redis.blpop([name], timeout=0.5))
        return dict(json.loads(row[1])) if row else None

    def decline(self, click: str) -> bool:
        """Wait no longer; False when the answer is there already."""
        return self._first(click, "declined")

    def _first(self, click: str, word: str) -> bool:
        return bool(self.redis.set(f"{_BASE}:claim:{click}", word, nx=True, ex=_CLICK))

    # -- response_urls: one more message a chat ------------------------------------------------------------------

    def keep(self, chat: str, url: str) -> None:
        """A way to say one thing in ``chat`` within an hour. It is a credential."""
        name = f"{_BASE}:urls:{chat}"
        self.redis.zadd(name, {url: time.time()})
        self.redis.expire(name, URL)

    def take(self, chat: str) -> str:
        """The oldest way that still works; empty when there is none."""
        name = f"{_BASE}:urls:{chat}"
        self.redis.zremrangebyscore(name, "-inf", time.time() - URL + 60)
        row = cast("Any", self.redis.zpopmin(name))
        return str(row[0][0]) if row else ""
