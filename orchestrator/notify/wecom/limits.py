"""How many messages a robot may send: a rolling window, as the service counts it.

The robot takes 20 messages a minute and failed sends count too (developer.work.weixin.qq.com, document 91770).
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable

#: Added to the window, because the service's clock and ours tick apart.
_MARGIN = 0.5


class RollingWindow:
    """At most ``limit`` attempts in any ``seconds``. One sender a robot uses it from one thread at a time."""

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

    def note(self) -> None:
        """An attempt has ended, well or not.

        Its end counts, not its start: the service saw it no later than that, so its window ends no later than ours.
        """
        self._attempts.append(self._clock())

    def block(self, seconds: float) -> None:
        """The service said that the limit is reached, by whomever: be silent for ``seconds``."""
        self._blocked_until = max(self._blocked_until, self._clock() + seconds)
