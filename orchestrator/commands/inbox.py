"""Messages that were accepted and not yet acted on: durable, each once, whoever dies.

A callback must be answered within a second and may come three times. :meth:`Inbox.accept` notes the message and that
it was seen in one step; :meth:`Inbox.take` hands it to one worker, and to another one when the first went silent.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar, cast

from redis import ResponseError

from orchestrator.commands.model import Incoming
from orchestrator.domain.errors import UsageError
from orchestrator.domain.plain import from_json, to_plain
from orchestrator.ledger import keys
from orchestrator.ledger.connection import connect, every_method_reports_broker_errors

_SEEN_SECONDS = 3 * 3600
#: A worker that is silent for so long over one message has died.
_STALE_MS = 60_000
_GROUP = "desk"


class Keyed(Protocol):
    """A message: a dataclass of plain data."""

    @property
    def key(self) -> str:
        """The same for every delivery of the same message."""
        ...


T = TypeVar("T", bound=Keyed)


@every_method_reports_broker_errors
class Tray(Generic[T]):
    """The messages of one channel, dataclasses of one ``kind``."""

    def __init__(self, url: str, channel: str, kind: type[T], *, retries: int = 3) -> None:
        self.redis = connect(url, retries=retries)
        self.channel, self._kind = channel, kind
        self._stream = f"{keys.PREFIX}:chat:inbox:{channel}"
        self._accept = self.redis.register_script(Path(__file__).with_name("accept.lua").read_text("utf-8"))

    def accept(self, incoming: T) -> bool:
        """Note a message; False when it was noted before."""
        seen = f"{keys.PREFIX}:chat:in:{self.channel}:{incoming.key}"
        text = json.dumps(to_plain(incoming), ensure_ascii=False)
        return bool(self._accept(keys=[seen, self._stream], args=[_SEEN_SECONDS, text]))

    def take(self, worker: str, wait: float = 1.0, count: int = 16) -> list[tuple[str, T | None]]:
        """Up to ``count`` messages with their ids, waiting up to ``wait`` (< 5) seconds; None for an unreadable one."""
        try:
            rows = self._stale(worker, count) or self._new(worker, wait, count)
        except ResponseError as error:
            if "NOGROUP" not in str(error):
                raise
            self._make_group()
            return []
        return [(str(entry), _read(self._kind, fields)) for entry, fields in rows]

    def left_over(self, worker: str) -> list[tuple[str, T | None]]:
        """What a process that called itself ``worker`` took and died over: for the one that follows it."""
        streams = cast("Any", {self._stream: "0"})
        try:
            answer = cast("Any", self.redis.xreadgroup(_GROUP, worker, streams, count=1000))
        except ResponseError as error:
            if "NOGROUP" not in str(error):
                raise
            return []
        rows = answer[0][1] if answer else []
        return [(str(entry), _read(self._kind, fields)) for entry, fields in rows if fields]

    def done(self, entry: str) -> None:
        """A message was acted on."""
        pipe = self.redis.pipeline()
        pipe.xack(self._stream, _GROUP, entry)
        pipe.xdel(self._stream, entry)
        pipe.execute()

    def waiting(self) -> int:
        """Messages not yet acted on."""
        return int(self.redis.xlen(self._stream))

    def close(self) -> None:
        """Let the connections go."""
        self.redis.close()

    def _stale(self, worker: str, count: int) -> list[Any]:
        answer = cast("Any", self.redis.xautoclaim(self._stream, _GROUP, worker, _STALE_MS, "0-0", count=count))
        return [row for row in answer[1] if row[1]]

    def _new(self, worker: str, wait: float, count: int) -> list[Any]:
        streams = cast("Any", {self._stream: ">"})
        answer = cast(
            "Any", self.redis.xreadgroup(_GROUP, worker, streams, count=count, block=max(1, int(wait * 1000)))
        )
        return list(answer[0][1]) if answer else []

    def _make_group(self) -> None:
        try:
            self.redis.xgroup_create(self._stream, _GROUP, id="0", mkstream=True)
        except ResponseError as error:
            if "BUSYGROUP" not in str(error):
                raise


class Inbox(Tray[Incoming]):
    """The messages of a chat's channel: ``app``, ``bot`` or ``hook``."""

    def __init__(self, url: str, channel: str, *, retries: int = 3) -> None:
        super().__init__(url, channel, Incoming, retries=retries)


def _read(kind: type[T], fields: dict[str, str]) -> T | None:
    try:
        return from_json(kind, fields["incoming"], "incoming")
    except (UsageError, KeyError):
        return None
