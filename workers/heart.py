"""The heartbeat of a shard: renews its lease, carries results out, and learns when to stop.

A worker that cannot reach the ledger does not know whether it is alone: the broker may be away for everybody, and then
the test should go on, or only this host is cut off, and then another one has its shard by now. So it goes on for
``cut_off`` seconds and then ends its test: two executions overlap for ``cut_off`` less the lease at most.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from types import TracebackType

from orchestrator.domain.errors import BrokerError
from orchestrator.ledger.client import Ledger
from orchestrator.ledger.records import Beat, Delivery
from workers.sink import Sink

logger = logging.getLogger(__name__)

#: Seconds between beats: how soon a running task hears of a cancel.
INTERVAL = 0.25


class Heart:
    """Context manager around a shard; beats while a task is set."""

    def __init__(self, ledger: Ledger, delivery: Delivery, owner: str, lease: float, cut_off: float = 120.0) -> None:
        self._ledger, self._delivery, self._owner = ledger, delivery, owner
        self._lease, self._cut_off = lease, cut_off
        self._lock = threading.Lock()
        self._task = ""
        self._sink: Sink | None = None
        #: The answer to the last beat for the current task.
        self.answer = Beat.OK
        #: Whether ``answer`` is this host's own: the ledger could not be reached.
        self.cut_off = False
        self._answered = self._asked = time.monotonic()
        self._heard: float | None = None

    def __enter__(self) -> Heart:
        _beater.add(self)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        _beater.remove(self)

    def begin(self, task: str, sink: Sink) -> None:
        """From now on beat for ``task`` and flush ``sink``."""
        with self._lock:
            self._task, self._sink, self.answer = task, sink, Beat.OK
            self._answered, self._heard, self.cut_off = time.monotonic(), None, False

    def rest(self) -> None:
        """The task is over; its sink is the caller's again."""
        with self._lock:
            self._task, self._sink = "", None

    def stopped(self) -> bool:
        """Whether the current task must end: it was cancelled, or the shard is somebody else's by now.

        Whoever asks acts upon it: the first time it is true is when the test is told. Whether this host is cut off is
        judged here, too: the thread that beats may hang in a connection that nobody answers.
        """
        if self.answer is Beat.OK and self._task and time.monotonic() - self._answered > self._cut_off:
            logger.error("cut off from the ledger for %.0f s: this test ends", self._cut_off)
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
        """Seconds since the end was asked for, or since another worker took the shard."""
        return time.monotonic() - self._asked

    def beat(self) -> None:
        """Beat once, if a task is set."""
        with self._lock:
            if not self._task:
                return
            try:
                self._hear(*self._ledger.beat(self._delivery, self._owner, self._task, self._lease))
                if self._sink is not None:
                    self._sink.flush(self._ledger)
            except BrokerError as error:
                logger.warning("no heartbeat: %s", error.message)
            except Exception:  # the thread must outlive a surprise: without it the task counts as lost
                logger.exception("no heartbeat")

    def _hear(self, answer: Beat, seconds: float) -> None:
        self._answered = time.monotonic()
        if self.answer is Beat.OK and answer is not Beat.OK:
            self._asked = self._answered - seconds
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
