"""The heartbeat of a shard: renews its lease, carries results out, and learns of a cancel."""

from __future__ import annotations

import logging
import threading
from types import TracebackType

from orchestrator.domain.errors import BrokerError
from orchestrator.ledger.client import Ledger
from orchestrator.ledger.records import Beat, Delivery
from workers.sink import Sink

logger = logging.getLogger(__name__)

#: Seconds between beats: how soon a running task hears of a cancel.
INTERVAL = 0.25


class Heart:
    """Context manager around a shard; beats in a thread of its own while a task is set."""

    def __init__(self, ledger: Ledger, delivery: Delivery, owner: str, lease: float) -> None:
        self._ledger, self._delivery, self._owner, self._lease = ledger, delivery, owner, lease
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._beat_on, name="heart", daemon=True)
        self._lock = threading.Lock()
        self._task = ""
        self._sink: Sink | None = None
        #: The answer to the last beat for the current task.
        self.answer = Beat.OK

    def __enter__(self) -> Heart:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._end.set()
        self._thread.join(INTERVAL + 15)

    def begin(self, task: str, sink: Sink) -> None:
        """From now on beat for ``task`` and flush ``sink``."""
        with self._lock:
            self._task, self._sink, self.answer = task, sink, Beat.OK

    def rest(self) -> None:
        """The task is over; its sink is the caller's again."""
        with self._lock:
            self._task, self._sink = "", None

    def stopped(self) -> bool:
        """Whether the current task must end: it was cancelled, or the shard is somebody else's by now."""
        return self.answer is not Beat.OK

    def _beat_on(self) -> None:
        while not self._end.wait(INTERVAL):
            with self._lock:
                if not self._task:
                    continue
                try:
                    answer = self._ledger.beat(self._delivery, self._owner, self._task, self._lease)
                    if self.answer is Beat.OK:
                        self.answer = answer
                    if self._sink is not None:
                        self._sink.flush()
                except BrokerError as error:
                    # The test goes on: if the broker comes back within the lease nobody will have noticed.
                    logger.warning("no heartbeat: %s", error.message)
                except Exception:  # this thread must outlive a surprise: without it the task counts as lost
                    logger.exception("no heartbeat")
