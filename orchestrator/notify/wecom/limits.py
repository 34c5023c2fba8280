"""How many messages a channel may send: rolling windows, as the service counts them.

A robot takes 20 messages a minute and failed sends count too (developer.work.weixin.qq.com, document 91770); a chat of
a bot 30 a minute and 1000 an hour, replies included (101463); a member of an application as many (90236).
"""

from __future__ import annotations

import contextlib
import secrets
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Protocol, cast

from orchestrator.domain.errors import BrokerError
from orchestrator.ledger import keys
from orchestrator.ledger.connection import broker_errors, connect
from orchestrator.notify.base import RetryLaterError

#: Added to a window, because the service's clock and ours tick apart.
_MARGIN = 0.5
#: (messages, seconds) that a chat of a bot, or a member of an application, may get.
PER_CHAT = ((30, 60.0), (1000, 3600.0))


class Window(Protocol):
    """The limit of one channel."""

    def wait(self) -> float:
        """Seconds until the next attempt is allowed; 0 when it is now."""
        ...

    def slot(self) -> AbstractContextManager[None]:
        """One attempt, made inside of the block; :class:`RetryLaterError` when the window is full.

        Its end counts, not its start: the service saw it no later than that, so its window ends no later than ours.
        """
        ...

    def block(self, seconds: float) -> None:
        """The service said that the limit is reached, by whomever: be silent for ``seconds``."""
        ...


class RollingWindow:
    """At most ``limit`` attempts in any ``seconds``, of this process alone. Used from one thread at a time."""

    def __init__(self, limit: int = 20, seconds: float = 60.0, clock: Callable[[], float] = time.monotonic) -> None:
        self._limit = limit
        self._seconds = seconds + _MARGIN
        self._clock = clock
        self._attempts: deque[float] = deque()
        self._blocked_until = float("-inf")

    def wait(self) -> float:
        """Seconds until the next attempt is allowed; 0 when it is now."""
        now = self._clock()
        while self._attempts and self._attempts[0] <= now - self._seconds:
            self._attempts.popleft()
        oldest = self._attempts[-self._limit] + self._seconds if len(self._attempts) >= self._limit else now
        return max(0.0, oldest - now, self._blocked_until - now)

    @contextlib.contextmanager
    def slot(self) -> Iterator[None]:
        """One attempt, made inside of the block."""
        _must_not_wait(self.wait())
        try:
            yield
        finally:
            self._attempts.append(self._clock())

    def block(self, seconds: float) -> None:
        """Be silent for ``seconds``."""
        self._blocked_until = max(self._blocked_until, self._clock() + seconds)


class SharedWindow:
    """One window for all processes and threads that write to a channel: it is kept in Redis, by Redis' clock.

    Once half of it is used, :meth:`wait` spaces messages out; a :meth:`slot` may be taken all the same, which is how
    answers to people leave at once.
    ``limits`` are pairs of messages and seconds, all of which hold. ``client`` is shared by many windows.
    """

    def __init__(self, client: WindowClient, channel: str, limits: Sequence[tuple[int, float]]) -> None:
        self._client = client
        self._names = [f"{keys.PREFIX}:chat:window:{channel}", f"{keys.PREFIX}:chat:blocked:{channel}"]
        self._limits = [number for limit, seconds in limits for number in (limit, seconds + _MARGIN)]

    def wait(self) -> float:
        """Seconds until the next attempt should be made; 0 when it is now."""
        return self._client.take(self._names, "", self._limits)

    @contextlib.contextmanager
    def slot(self) -> Iterator[None]:
        """One attempt, made inside of the block. A process that dies in it has used its slot."""
        name = secrets.token_hex(8)
        try:
            wait = self._client.take(self._names, name, self._limits)
        except BrokerError as error:
            raise RetryLaterError(error.message, error.remedy, after=2.0) from None
        _must_not_wait(wait)
        try:
            yield
        finally:
            with contextlib.suppress(BrokerError):  # its start counts instead
                self._client.ended(self._names[0], name)

    def block(self, seconds: float) -> None:
        """Be silent for ``seconds``, everywhere."""
        self._client.block(self._names[1], seconds)


class WindowClient:
    """The connection of :class:`SharedWindow`; safe to use from several threads."""

    def __init__(self, url: str) -> None:
        self.redis = connect(url)
        self._take = self.redis.register_script(Path(__file__).with_name("window.lua").read_text("utf-8"))

    @broker_errors
    def take(self, names: Sequence[str], attempt: str, limits: Sequence[float]) -> float:
        """Seconds to wait; 0 when the slot was taken, or could be if ``attempt`` is empty."""
        return float(cast("str", self._take(keys=list(names), args=cast("Any", [attempt, *limits]))))

    @broker_errors
    def ended(self, name: str, attempt: str) -> None:
        """An attempt has ended, well or not."""
        seconds, micros = self.redis.time()
        self.redis.zadd(name, {attempt: seconds + micros / 1e6}, xx=True)

    @broker_errors
    def block(self, name: str, seconds: float) -> None:
        """Let nothing leave for so long."""
        self.redis.set(name, 1, px=int(seconds * 1000))


def _must_not_wait(seconds: float) -> None:
    if seconds > 0:
        raise RetryLaterError("the channel's messages of a minute are spent", after=seconds)


#: The window of a chat or member, by its id.
Windows = Callable[[str], Window]


def own_windows() -> Windows:
    """Windows of this process alone."""
    made: dict[str, RollingWindow] = {}
    limit, seconds = PER_CHAT[0]
    return lambda name: made.setdefault(name, RollingWindow(limit, seconds))


def shared_windows(client: WindowClient, channel: str) -> Windows:
    """Windows that all processes share; ``channel`` is ``app`` or ``bot``."""
    return lambda name: SharedWindow(client, f"{channel}:{name}", PER_CHAT)
