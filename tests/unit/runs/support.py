"""A shard on a worker: the real ledger, and suites that do what a test needs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from orchestrator.domain.plan import Suite as SuiteName
from orchestrator.domain.profile import Dispatch, Profile
from orchestrator.ledger.client import Ledger
from orchestrator.ledger.records import Delivery
from orchestrator.planner.codec import dumps
from orchestrator.runs import canvas, control
from tests.factories import make_plan, make_task
from workers.shard import Bench, run_shard
from workers.suites.base import Ending, Job


class Scripted:
    """A suite that does what it is told."""

    def __init__(self, act: Callable[[Job], Ending]) -> None:
        self.execute = act


def bench(ledger: Ledger, folder: Path, act: Callable[[Job], Ending], *, cut_off: float = 60) -> Bench:
    """A worker whose one suite is ``act``."""
    profile = Profile(name="demo", dispatch=Dispatch(lease=5, cut_off=cut_off))
    return Bench(
        ledger,
        folder,
        lambda *_: (folder, lambda: None),
        lambda _: profile,
        {SuiteName.UNIT_TEST: Scripted(act)},
        pause=0.0,
    )


def new_run(ledger: Ledger, packages: int = 2) -> Delivery:
    """A run of one shard: its first message."""
    plan = make_plan([make_task(f"pkg/{n}") for n in range(packages)])
    run = control.new_run_id()
    (first,) = canvas.deliveries(run, plan)
    specs = control.specs(run, plan, "1" * 40)
    tasks = [(task.id, task.shard or "", False) for task in plan.tasks]
    assert ledger.create(run, dumps(plan).decode(), {"profile": "demo"}, tasks, [(first, specs[0])])
    return first


def new_shards(ledger: Ledger, count: int) -> tuple[str, list[Delivery]]:
    """A run of so many shards of one task each: its id and first messages."""
    plan = make_plan([make_task(f"pkg/{n}", shard=f"ut-{n}") for n in range(count)])
    run = control.new_run_id()
    first = canvas.deliveries(run, plan)
    specs = {spec.shard: spec for spec in control.specs(run, plan, "1" * 40)}
    tasks = [(task.id, task.shard or "", False) for task in plan.tasks]
    assert ledger.create(run, "{}", {"profile": "demo"}, tasks, [(one, specs[one.shard]) for one in first])
    return run, first


def run_to_the_end(worker: Bench, delivery: Delivery) -> int:
    """Run a shard, and again whenever it is given back, as the reaper sends it; how many messages that took."""
    again: Delivery | None = delivery
    messages = 0
    while again is not None:
        run_shard(worker, again)
        messages += 1
        lost = (again.run, again.shard) in worker.ledger.expired()
        again = worker.ledger.reap(again, 3, started=True) if lost else None
    return messages
