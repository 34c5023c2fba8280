"""The heartbeat of a shard: renews its lease, carries results out, and learns when to stop.

A worker that cannot renew its lease ends its test before the lease ends, so that no two workers have it at once. Only
where the broker's host can be reached and refuses (:class:`BrokerDownError`) does it go on, for ``cut_off`` seconds:
then the broker is down for everybody, and nobody can be given the shard. What overlaps nevertheless (a host that slept,
a firewall that answers in the broker's name) is recorded by ``overlap.lua``.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from types import TracebackType

from orchestrator.domain.errors import BrokerDownError, BrokerError
from orchestrator.ledger.client import Ledger
from orchestrator.ledger.records import Beat, Delivery
from workers.sink import Sink

logger = logging.getLogger(__name__)

#: Seconds between beats: how soon a running task hears of a cancel.
INTERVAL = 0.25
#: Seconds before its lease ends at which a test that cannot renew it is told to end: it has a grace, then it is killed.
MARGIN = 1.0


class Heart:
    """Context manager around a shard; beats while a task is set."""

    def __init__(self, ledger: Ledger, delivery: Delivery, owner: str, lease: float, cut_off: float = 120.0) -> None:
        self._ledger, self._delivery, self._owner = ledger, delivery, owner
        self._lease, self._cut_off = lease, cut_off
        self._safe = lease - min(MARGIN, lease / 4)
        #: Whether the ledger was down for everybody when it was asked last.
        self._down = False
        self._lock = threading.Lock()
        self._task = ""
        self._sink: Sink | None = None
        #: The answer to the last beat for the current task.
        self.answer = Beat.OK
        #: Whether ``answer`` is this host's own: the ledger could not be reached.
        self.cut_off = False
        #: When the last beat that was answered was sent: the lease began no sooner.
        self._renewed = self._asked = time.monotonic()
        self._heard: float | None = None

    def __enter__(self) -> Heart:
        _beater.add(self)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        _beater.remove(self)

    def begin(self, task: str, sink: Sink, leased: float | None = None) -> None:
        """From now on beat for ``task`` and flush ``sink``; its lease was asked for at ``leased`` (monotonic clock)."""
        with self._lock:
            self._task, self._sink, self.answer = task, sink, Beat.OK
            self._renewed = time.monotonic() if leased is None else leased
            self._heard, self.cut_off, self._down = None, False, False

    def rest(self) -> None:
        """The task is over; its sink is the caller's again."""
        with self._lock:
            self._task, self._sink = "", None

    def stopped(self) -> bool:
        """Whether the current task must end: it was cancelled, or the shard is somebody else's by now.

        Whoever asks acts upon it: the first time it is true is when the test is told. Whether this host is cut off is
        judged here, too: the thread that beats may hang in a connection that nobody answers.
        """
        silent = time.monotonic() - self._renewed
        limit = self._cut_off if self._down else min(self._cut_off, self._safe)
        if self.answer is Beat.OK and self._task and silent > limit:
            logger.error("cut off from the ledger for %.0f s: this test ends", silent)
            self._asked, self.cut_off, self.answer = time.monotonic(), True, Beat.STALE
        if self.answer is Beat.OK:
            return False
        if self._heard is None:
            self._heard = time.monotonic()
        return True

    def signalled(self) -> float:
        """Seconds from when the end was asked for until the test was told."""
        return (self._heard or time.monotonic()) - self._asked

    def since_asked(self) -> float:
        """Seconds since the end was asked for."""
        return time.monotonic() - self._asked

    def beat(self) -> None:
        """Beat once, if a task is set."""
        with self._lock:
            if not self._task:
                return
            sent = time.monotonic()
            try:
                self._hear(sent, *self._ledger.beat(self._delivery, self._owner, self._task, self._lease))
                if self._sink is not None:
                    self._sink.flush(self._ledger)
            except BrokerError as error:
                self._down = isinstance(error, BrokerDownError)
                logger.warning("no heartbeat: %s", error.message)
            except Exception:  # the thread must outlive a surprise: without it the task counts as lost
                logger.exception("no heartbeat")

    def _hear(self, sent: float, answer: Beat, seconds: float) -> None:
        self._renewed, self._down = sent, False
        if self.answer is Beat.OK and answer is not Beat.OK:
            self._asked = time.monotonic() - seconds
            self.answer = answer


class _Beater:
    """The one thread of a process that beats for its shards: starting one a shard costs as much as a small test."""

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """Begin anew: threads do not survive a fork, and a pool process has shards of its own."""
        self._hearts: set[Heart] = set()
        self._lock = threading.Lock()
        self._wanted = threading.Event()
        self._thread: threading.Thread | None = None

    def add(self, heart: Heart) -> None:
        with self._lock:
            self._hearts.add(heart)
            self._wanted.set()
            if self._thread is None:
                self._thread = threading.Thread(target=self._beat_on, name="heart", daemon=True)
                self._thread.start()

    def remove(self, heart: Heart) -> None:
        with self._lock:
            self._hearts.discard(heart)
            if not self._hearts:
                self._wanted.clear()

    def _beat_on(self) -> None:
        while self._wanted.wait():
            time.sleep(INTERVAL)
            with self._lock:
                hearts = tuple(self._hearts)
            for heart in hearts:
                heart.beat()


_beater = _Beater()
os.register_at_fork(after_in_child=_beater.forget)
