"""Events of runs for many listeners at once: one connection each, no thread each."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, cast

import redis.asyncio
from redis.exceptions import RedisError

from orchestrator.domain.errors import BrokerError
from orchestrator.ledger import keys
from orchestrator.ledger.connection import socket_form
from orchestrator.ledger.records import Event, events_of

#: Seconds a listener waits before it says that it is still there.
QUIET = 10.0


class Feed:
    """The event streams of runs, for listeners in one event loop."""

    def __init__(self, url: str, most: int = 500) -> None:
        self._redis = redis.asyncio.Redis.from_url(
            socket_form(url),
            decode_responses=True,
            encoding_errors="replace",
            protocol=2,
            max_connections=most,
            socket_timeout=QUIET + 5.0,
        )

    async def follow(self, run: str, after: str) -> AsyncIterator[list[Event]]:
        """Events after stream id ``after``, as they come; an empty list after :data:`QUIET` seconds without one.

        Ends after the event ``ended``. Raises :class:`BrokerError` when Redis is away.
        """
        name = keys.part(run, "events")
        while True:
            try:
                answer = cast("Any", await self._redis.xread({name: after}, count=500, block=int(QUIET * 1000)))
            except (RedisError, OSError) as error:
                raise BrokerError(f"Redis does not answer: {error}", "Connect again with the last id.") from None
            found = events_of(answer[0][1] if answer else ())
            yield found
            if any(event.kind == "ended" for event in found):
                return
            after = found[-1].id if found else after

    async def close(self) -> None:
        """Let the connections go."""
        await self._redis.aclose()
