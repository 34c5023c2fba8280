"""The data plane's one Celery task, and what the worker's main process does when a task's process dies."""

from __future__ import annotations

import ctypes
import functools
import logging
import signal
from collections.abc import Callable
from typing import Any

from celery import signals
from celery.backends.base import DisabledBackend
from celery.exceptions import TimeLimitExceeded, WorkerLostError

from orchestrator.domain.errors import BrokerError
from orchestrator.ledger.client import Ledger
from orchestrator.ledger.records import Delivery
from orchestrator.messaging import RUN_SHARD, App, parse_message_id
from workers.shard import Bench, run_shard

logger = logging.getLogger(__name__)

_PR_SET_PDEATHSIG = 1


def register(app: App, make_bench: Callable[[], Bench], make_ledger: Callable[[], Ledger]) -> list[object]:
    """Make ``app`` answer :data:`RUN_SHARD`, and the ledger hear of processes that die.

    ``make_bench`` is called once in each pool process, so that no connection is shared across a fork. Returns the
    signal receivers, which live as long as the caller keeps them.
    """
    bench = functools.cache(make_bench)
    ledger = functools.cache(make_ledger)

    # The ledger has what a shard came to, and counts the parts of the chord (ADR 12).
    @app.task(name=RUN_SHARD, backend=DisabledBackend(app))  # type: ignore[untyped-decorator]
    def run_shard_task(run: str, shard: str, delivery: int) -> dict[str, object]:
        return run_shard(bench(), Delivery(run, shard, delivery))

    def lost(task_id: str, exception: BaseException, **_: object) -> None:
        if isinstance(exception, (WorkerLostError, TimeLimitExceeded)):
            _expire(ledger(), task_id)

    def revoked(request: Any, terminated: bool, **_: object) -> None:  # noqa: ANN401 - Celery's request
        _revoke(ledger(), str(request.id), terminated=terminated)

    def forked(**_: object) -> None:
        # A pool process outlives a killed worker otherwise, and with it the test it runs.
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)

    signals.task_failure.connect(lost)
    signals.task_revoked.connect(revoked)
    signals.worker_process_init.connect(forked)
    return [lost, revoked, forked]


def _expire(ledger: Ledger, task_id: str) -> None:
    message = parse_message_id(task_id)
    if message is None:
        return
    try:
        ledger.expire(*message)
    except BrokerError as error:  # the lease ends by itself
        logger.warning("could not cut a lease short: %s", error.message)


def _revoke(ledger: Ledger, task_id: str, *, terminated: bool) -> None:
    """A revoke made by an operator, e.g. in Flower, is a cancel of the shard's tasks."""
    message = parse_message_id(task_id)
    if message is None:
        return
    run, shard, _ = message
    try:
        if not terminated and ledger.cancelled(run):
            return  # our own revoke, after the flag
        spec = ledger.spec(run, shard)
        if spec is not None:
            ledger.cancel(run, "revoked by an operator", [(task.id, shard) for task in spec.tasks], whole_run=False)
        if terminated:
            ledger.expire(*message)
    except BrokerError as error:
        logger.error("a revoke could not be recorded: %s", error.message)
