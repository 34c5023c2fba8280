"""A plan becomes a Celery canvas: one flat chord of shards, a summary as its body.

The groups of the plan (UT, BVT, SCA, by category) are flattened into one header: nested groups lose their order and a
chord of chords hangs when an inner task raises. The chord is only one of four triggers of the summary: the ledger
decides.
"""

from __future__ import annotations

from collections.abc import Sequence

from orchestrator.domain.plan import TestPlan
from orchestrator.ledger.records import Delivery
from orchestrator.messaging import (
    RUN_SHARD,
    App,
    Signature,
    ask_summary,
    broker_reported,
    message_id,
    run_suite,
    summary_signature,
)

_LEVELS = 10


def deliveries(run: str, plan: TestPlan) -> list[Delivery]:
    """The first message of every shard that has something to run, longest first.

    A shard's level (0 is served first) grows with the logarithm of its position, so that a run of ten shards overtakes
    the tail of a run of a thousand.
    """
    idle = {task.id for task in plan.tasks if task.skip}
    shards = [shard for shard in plan.shards if not idle.issuperset(shard.tasks)]
    shards.sort(key=lambda shard: (-shard.est_duration, shard.id))
    return [
        Delivery(run, shard.id, 1, shard.queue, min(_LEVELS - 1, position.bit_length()))
        for position, shard in enumerate(shards)
    ]


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
        chord(header, app=app)(body.on_error(summary_signature(app, run)))


def send(app: App, delivery: Delivery) -> None:
    """Send one shard again, outside its chord; raises as :func:`submit`."""
    with broker_reported():
        _signature(app, delivery, delivery.queue.upper()).apply_async()


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
