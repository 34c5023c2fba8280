"""A plan becomes a Celery canvas: one flat chord of shards, a summary as its body.

The groups of the plan (UT, BVT, SCA, by category) are flattened into one header: nested groups lose their order and a
chord of chords hangs when an inner task raises. The ledger counts the chord's parts: who finishes the last task of the
run sends its body (ADR 12). That is only one of the triggers of the summary: the ledger decides.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from orchestrator.domain.plan import TestPlan
from orchestrator.ledger.records import Delivery
from orchestrator.messaging import (
    RUN_SHARD,
    App,
    Signature,
    ask_summary,
    broker_reported,
    know,
    message_id,
    run_suite,
    summary_signature,
)

LEVELS = 10


def level(turn: int, weight: float = 1.0) -> int:
    """The level of a shard whose turn in its queue is ``turn``, 0 being next: 1 to 9, the smaller the sooner.

    It grows with the logarithm of the turn over the run's weight, so that a run of ten shards overtakes the tail of a
    run of a thousand. Level 0 is for what has waited long (:mod:`orchestrator.runs.fairness`).
    """
    return min(LEVELS - 1, 1 + int(max(0, turn) / max(weight, 0.01)).bit_length())


def deliveries(run: str, plan: TestPlan, weight: float = 1.0) -> list[Delivery]:
    """The first message of every shard that has something to run, longest first; ``weight`` as :func:`level` has it."""
    idle = {task.id for task in plan.tasks if task.skip}
    shards = [shard for shard in plan.shards if not idle.issuperset(shard.tasks)]
    shards.sort(key=lambda shard: (-shard.est_duration, shard.id))
    turns = {queue: itertools.count() for queue in {shard.queue for shard in shards}}
    return [Delivery(run, shard.id, 1, shard.queue, level(next(turns[shard.queue]), weight)) for shard in shards]


def submit(app: App, run: str, plan: TestPlan, first: Sequence[Delivery]) -> None:
    """Send every shard of a run as one chord; :class:`BrokerError` when Redis takes no messages."""
    from celery import chord, group

    if not first:
        ask_summary(app, run)
        return
    body = summary_signature(app, run)
    suites = {shard.id: shard.suite.label for shard in plan.shards}
    header = group(_signature(app, delivery, suites[delivery.shard]) for delivery in first)
    with broker_reported():
        for delivery in first:
            know(app, delivery.queue)
        chord(header, app=app)(body)


def send(app: App, delivery: Delivery) -> None:
    """Send one shard again, outside its chord; raises as :func:`submit`."""
    with broker_reported():
        know(app, delivery.queue)
        _signature(app, delivery, delivery.queue.partition(".")[0].upper()).apply_async()


def _signature(app: App, delivery: Delivery, suite: str) -> Signature:
    return app.signature(
        RUN_SHARD,
        args=(delivery.run, delivery.shard, delivery.delivery),
        immutable=True,
        options={
            "queue": delivery.queue,
            "priority": delivery.priority,
            "task_id": message_id(delivery.run, delivery.shard, delivery.delivery),
            "stamped_headers": ["run", "suite", "run_suite"],
            "run": delivery.run,
            "suite": suite,
            "run_suite": run_suite(delivery.run, suite),
        },
    )
