"""A worker host's voice: says every second what it does, hears what operators want, and does it.

It runs in a thread of the worker's main process. What it hears it applies with Celery's own remote control, sent to
itself, so that Flower and ``celery inspect`` show the same.
"""

from __future__ import annotations

import logging
import os
import shutil
import socket
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from orchestrator.domain.errors import BrokerError
from orchestrator.ledger.client import Ledger
from orchestrator.ledger.hosts import HostRecord, Want, Wanted
from orchestrator.messaging import App, parse_message_id

logger = logging.getLogger(__name__)

#: Seconds between beats: how soon a host hears of a drain.
INTERVAL = 1.0
#: Bytes of free disk below which a host takes nothing new, and above which it does again.
DISK_LOW, DISK_ENOUGH = 1 << 30, 2 << 30


@dataclass(frozen=True, slots=True)
class Consumer:
    """How the agent steers its worker."""

    #: Start and stop taking messages of queues.
    listen: Callable[[Iterable[str]], None]
    ignore: Callable[[Iterable[str]], None]
    #: ``run|shard|delivery`` and since when (Unix seconds) of what runs.
    running: Callable[[], list[tuple[str, float]]]
    #: End when nothing runs, and end now.
    stop: Callable[[], None]
    terminate: Callable[[], None]


class Agent:
    """One a worker. :meth:`tick` is a beat."""

    def __init__(self, ledger: Ledger, record: HostRecord, consumer: Consumer, folder: Path) -> None:
        self._ledger, self._record, self._consumer, self._folder = ledger, record, consumer, folder
        self._listening = True
        self._full = False
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._beat_on, name="agent", daemon=True)

    def started(self, **_: object) -> None:
        """The worker is ready (a receiver of Celery's signal): beat in a thread of its own until :meth:`close`."""
        self._thread.start()

    def close(self) -> None:
        """Say goodbye; a host that ends in order is not missed."""
        self._end.set()
        if self._thread.is_alive():
            self._thread.join(INTERVAL + 5)  # a last beat after the goodbye would bring the record back
        try:
            self._ledger.host_gone(self._record.name)
        except BrokerError as error:
            logger.warning("could not say goodbye: %s", error.message)

    def tick(self) -> Want:
        """Say how it stands; what is wanted of this host."""
        running = self._consumer.running()
        free = shutil.disk_usage(self._folder).free
        self._full = free < (DISK_ENOUGH if self._full else DISK_LOW)
        now = time.time()
        record = replace(
            self._record,
            running=tuple((_shard(name), round(now - since, 1)) for name, since in running),
            load=round(os.getloadavg()[0], 2),
            disk_free=free,
        )
        wanted, same_scheme = self._ledger.host_beat(record)
        state, why = self._judge(wanted, same_scheme=same_scheme)
        self._record = replace(record, state=state, why=why)
        self._take(state == "active")
        if wanted.want is Want.DRAIN and not running:
            self._consumer.stop()
        elif wanted.want is Want.REMOVE:
            self._consumer.terminate()
        return wanted.want

    def _judge(self, wanted: Wanted, *, same_scheme: bool) -> tuple[str, str]:
        """The state this host is in by now, and why it is not active."""
        if not same_scheme:
            return "foreign", "the ledger in this Redis has another scheme"
        if wanted.want is not Want.ACTIVE:
            return wanted.want.value, " ".join(filter(None, (wanted.who, wanted.why and f"({wanted.why})")))
        if self._full:
            return "full", f"less than {DISK_LOW >> 30} GiB free at {self._folder}"
        return "active", ""

    def _take(self, wanted: bool) -> None:
        if wanted != self._listening:
            (self._consumer.listen if wanted else self._consumer.ignore)(self._record.queues)
            logger.warning("%s", "takes work again" if wanted else f"takes nothing new: {self._record.why}")
            self._listening = wanted

    def _beat_on(self) -> None:
        while not self._end.is_set():
            try:
                if self.tick() is Want.REMOVE:
                    return
            except BrokerError as error:
                logger.warning("no beat: %s", error.message)
            except Exception:  # this thread must outlive a surprise: without it the host counts as silent
                logger.exception("no beat")
            self._end.wait(INTERVAL)


def consumer_of(app: App, name: str) -> Consumer:
    """How to steer the running worker called ``name`` from inside its main process."""
    from celery.worker import state

    def steer(command: Callable[..., object], queues: Iterable[str]) -> None:
        for queue in queues:
            command(queue, destination=[name], reply=True, timeout=2.0)

    def running() -> list[tuple[str, float]]:
        return [(str(request.id), request.time_start or time.time()) for request in list(state.active_requests)]

    def stop() -> None:
        state.should_stop = 0

    def terminate() -> None:
        state.should_terminate = 0

    control = app.control
    return Consumer(
        listen=lambda queues: steer(control.add_consumer, queues),
        ignore=lambda queues: steer(control.cancel_consumer, queues),
        running=running,
        stop=stop,
        terminate=terminate,
    )


def full_name(name: str) -> str:
    """The Celery name of a worker called ``name`` on this host."""
    return f"{name}@{socket.gethostname()}"


def _shard(message: str) -> str:
    parsed = parse_message_id(message)
    return f"{parsed[0]}|{parsed[1]}" if parsed else message
