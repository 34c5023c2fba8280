"""What is to come of a run, and what happened to its tasks."""

from __future__ import annotations

import dataclasses

from orchestrator.domain.plan import TestPlan
from orchestrator.domain.run import TaskResult, TaskState
from orchestrator.ledger.client import Ledger
from orchestrator.ledger.records import Delivery, Gate
from orchestrator.messaging import App
from orchestrator.planner.codec import plan_id
from orchestrator.runs import control
from orchestrator.runs.outlook import outlook, timeline, waits
from tests.factories import make_plan, make_task


def shards(count: int, pull: int, seconds: float = 10.0) -> TestPlan:
    tasks = [dataclasses.replace(make_task(f"pkg/{n:02}", f"ut-{n:02}"), est_duration=seconds) for n in range(count)]
    plan = make_plan(tasks, pull=pull)
    return dataclasses.replace(plan, id=plan_id(plan))


def begin(ledger: Ledger, run: str, number: int) -> Delivery:
    delivery = ledger.delivery(run, f"ut-{number:02}")
    assert delivery is not None
    assert ledger.start(delivery, "h1:x", f"ut:pkg/{number:02}", 60)[0] is Gate.OK
    return delivery


def test_a_run_that_waits_is_told_who_is_ahead(ledger: Ledger, app: App) -> None:
    first = control.start(app, ledger, shards(6, pull=7))
    second = control.start(app, ledger, shards(2, pull=8))
    assert [(w.queue, w.waiting, w.ahead) for w in waits(ledger, first)] == [("ut", 6, 0)]
    (place,) = waits(ledger, second)
    assert (place.waiting, place.who[0].run, place.who[0].pull) == (2, first, 7)
    assert 0 < place.ahead == sum(one.shards for one in place.who) < 6, "a small run overtakes the tail of a big one"


def test_the_time_left_follows_estimates_workers_and_what_was_measured(ledger: Ledger, app: App) -> None:
    plan = shards(5, pull=7)
    run = control.start(app, ledger, plan)
    assert outlook(ledger, run, plan).seconds_left is None, "nobody serves it yet"
    one = begin(ledger, run, 0)
    begin(ledger, run, 1)
    left = outlook(ledger, run, plan).seconds_left
    assert left is not None
    assert 20 < left <= 30, "five shards of 10 s on two workers"
    ledger.finish(one, "h1:x", TaskResult("ut:pkg/00", TaskState.PASSED, 1, seconds=20.0))
    begin(ledger, run, 2)
    left = outlook(ledger, run, plan).seconds_left
    assert left is not None
    assert 30 < left <= 40, "two more on each of two workers, at half the speed"


def test_the_timeline_of_a_task_tells_attempts_hosts_and_reasons(ledger: Ledger, app: App) -> None:
    run = control.start(app, ledger, shards(1, pull=7))
    delivery = begin(ledger, run, 0)
    ledger.expire(run, "ut-00", 1)
    again = ledger.reap(delivery, 3, started=True)
    assert again is not None
    ledger.start(again, "h2:y", "ut:pkg/00", 60)
    ledger.finish(again, "h2:y", TaskResult("ut:pkg/00", TaskState.PASSED, 2))
    moments = timeline(ledger, run, "ut:pkg/00")
    assert [moment.words for moment in moments] == [
        "queued",
        "attempt 1 starts on h1",
        "attempt 1 ends on h1: its worker went silent; once more",
        "attempt 2 starts on h2",
        "passed on h2",
    ]
    assert all(moment.at >= 0 for moment in moments)
    assert timeline(ledger, "no-such", "ut:pkg/00") == []
