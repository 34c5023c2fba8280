"""The reaper on a real Redis: what silent workers took goes out again, complete runs get one summary."""

from __future__ import annotations

import dataclasses
import itertools
import json
import uuid
from collections.abc import Iterator
from pathlib import Path
from unittest.mock import Mock

import pytest

from orchestrator.domain.errors import UsageError
from orchestrator.domain.plan import Reason
from orchestrator.domain.profile import Dispatch
from orchestrator.domain.run import RunState, RunSummary, TaskResult, TaskState
from orchestrator.ledger import keys
from orchestrator.ledger.client import Ledger
from orchestrator.ledger.records import Delivery, Gate
from orchestrator.messaging import App, parse_message_id
from orchestrator.runs import control
from orchestrator.runs.reaper import MESSAGE_MARGIN, Reaper
from orchestrator.runs.summarize import summarize
from orchestrator.store import OutboxMessage, Store
from tests.factories import make_plan, make_task


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(f"sqlite:///{tmp_path / 'history.sqlite'}") as opened:
        yield opened


def reaper(ledger: Ledger, app: App, done: list[str], **dispatch: float) -> Reaper:
    """A control process that takes over from one that looked a moment ago."""
    made = Reaper(ledger, app, uuid.uuid4().hex, done.append, Dispatch(**{"lease": 5.0, **dispatch}))  # type: ignore[arg-type]
    ledger.redis.delete(keys.LEADER)
    ledger.tick(ledger.now())
    return made


def one_message(summary: RunSummary) -> list[OutboxMessage]:
    return [OutboxMessage(summary.run, "wecom", "summary", "{}", f"{summary.run}:summary:wecom")]


def finish(ledger: Ledger, delivery: Delivery, task: str, state: TaskState, owner: str = "w") -> str:
    gate, attempt = ledger.start(delivery, owner, task, 5)
    assert gate is Gate.OK
    return ledger.finish(delivery, owner, TaskResult(task, state, attempt))


def test_every_shard_is_sent_with_an_id_that_names_it_and_a_level_that_grows(ledger: Ledger, app: App) -> None:
    plan = make_plan([make_task(f"pkg/{n:02}", f"ut-{n:02}") for n in range(20)])
    run = control.start(app, ledger, plan)
    heads = [ledger.head("ut", level) for level in range(10)]
    assert [parse_message_id(head or "") for head in heads[1:3]] == [(run, "ut-00", 1), (run, "ut-01", 1)]
    assert [head is not None for head in heads] == [False] + [True] * 6 + [False] * 3
    assert ledger.queue_length("ut") == 20


def test_a_file_name_that_is_no_utf8_keeps_no_run_from_starting(ledger: Ledger, app: App) -> None:
    reason = Reason("rules", 1.0, "pkg/a/caf\udce9.go changed")
    task = dataclasses.replace(make_task(), reasons=(reason,))
    run = control.start(app, ledger, make_plan([task]), who="andr\udce9")
    gate, attempt, spec = ledger.take(Delivery(run, "ut-1", 1), "w", 5)
    assert (gate, attempt) == (Gate.OK, 1)
    assert spec is not None
    assert spec.tasks[0].reason == "pkg/a/caf?.go changed"


def test_a_plan_with_nothing_to_run_asks_for_its_summary_at_once(ledger: Ledger, app: App, store: Store) -> None:
    run = control.start(app, ledger, make_plan([make_task(skip=True)]))
    assert ledger.queue_length("control") == 1
    summary = summarize(ledger, store, run, one_message)
    assert summary is not None
    assert (summary.state, summary.count(TaskState.SKIPPED)) == (RunState.PASSED, 1)


def test_an_expired_lease_sends_the_shard_again_and_a_living_one_does_not(ledger: Ledger, app: App) -> None:
    run = control.start(app, ledger, make_plan())
    watcher = reaper(ledger, app, [])
    ledger.start(Delivery(run, "ut-1", 1), "w", "ut:pkg/a", 5)
    watcher.tick()
    assert ledger.queue_length("ut") == 1
    ledger.expire(run, "ut-1", 1)
    watcher.tick()
    assert ledger.queue_length("ut") == 2
    assert ledger.delivery(run, "ut-1") == Delivery(run, "ut-1", 2, "ut", 1)


def test_a_message_the_broker_lost_is_sent_again_but_one_that_waits_is_not(ledger: Ledger, app: App) -> None:
    run = control.start(app, ledger, make_plan())
    ledger.redis.zincrby("mtp1:queued", -2 * MESSAGE_MARGIN, f"{run}|ut-1")
    watcher = reaper(ledger, app, [])
    watcher.tick()
    assert ledger.queue_length("ut") == 1, "the message is at the head of its queue: no worker is free"
    ledger.redis.delete("ut\x06\x161")
    watcher.tick()
    assert ledger.queue_length("ut") == 1
    assert ledger.delivery(run, "ut-1") == Delivery(run, "ut-1", 2, "ut", 1)


@pytest.mark.parametrize("who", ["leader", "standby", "new"])
@pytest.mark.parametrize(("silent", "sent"), [(900.0, 1), (400.0, 2)])
def test_after_a_silence_no_lease_is_judged_for_the_length_of_one_whoever_leads_then(
    ledger: Ledger, app: App, monkeypatch: pytest.MonkeyPatch, who: str, silent: float, sent: int
) -> None:
    run = control.start(app, ledger, make_plan())
    watchers = {name: reaper(ledger, app, [], lease=1000.0) for name in ("leader", "standby", "new")}
    assert [watchers[name].tick() for name in ("leader", "standby")] == [True, False]
    ledger.start(Delivery(run, "ut-1", 1), "w", "ut:pkg/a", 5)
    ledger.expire(run, "ut-1", 1)
    later = ledger.now() + silent
    monkeypatch.setattr(ledger, "now", lambda: later)
    ledger.redis.delete(keys.LEADER)
    assert watchers[who].tick()
    assert ledger.queue_length("ut") == sent


def test_a_standby_that_heard_redis_all_along_judges_as_soon_as_it_leads(
    ledger: Ledger, app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = control.start(app, ledger, make_plan())
    standby = reaper(ledger, app, [], lease=1000.0)
    ledger.redis.set(keys.LEADER, "another")
    ledger.start(Delivery(run, "ut-1", 1), "w", "ut:pkg/a", 5)
    ledger.expire(run, "ut-1", 1)
    began = ledger.now()
    for seconds in (400.0, 800.0):
        monkeypatch.setattr(ledger, "now", lambda: began + seconds)  # noqa: B023 - read at once
        assert not standby.tick()
    ledger.redis.delete(keys.LEADER)
    assert standby.tick()
    assert ledger.queue_length("ut") == 2


def test_who_finds_runs_and_no_word_of_a_leader_waits_for_a_lease(ledger: Ledger, app: App) -> None:
    run = control.start(app, ledger, make_plan())
    watcher = reaper(ledger, app, [])
    ledger.redis.delete(keys.TICKED)
    ledger.start(Delivery(run, "ut-1", 1), "w", "ut:pkg/a", 5)
    ledger.expire(run, "ut-1", 1)
    assert watcher.tick()
    assert ledger.queue_length("ut") == 1


def test_what_a_forgotten_run_left_behind_is_taken_off_the_lists(ledger: Ledger, app: App) -> None:
    ledger.redis.zadd("mtp1:leases", {"gone|s": 1.0})
    ledger.redis.zadd("mtp1:queued", {"gone|s": 1.0})
    reaper(ledger, app, []).tick()
    assert (ledger.expired(), ledger.queued()) == ([], [])


def test_only_the_leader_acts(ledger: Ledger, app: App) -> None:
    first = reaper(ledger, app, [])
    assert first.tick()
    second = Reaper(ledger, app, "another", lambda _: None)
    assert not second.tick()


def test_a_complete_run_is_summarized_once_whoever_asks(ledger: Ledger, app: App, store: Store) -> None:
    run = control.start(app, ledger, make_plan([make_task("pkg/a"), make_task("pkg/b")]), who="li")
    delivery = Delivery(run, "ut-1", 1)
    assert summarize(ledger, store, run, one_message) is None
    finish(ledger, delivery, "ut:pkg/a", TaskState.PASSED)
    assert finish(ledger, delivery, "ut:pkg/b", TaskState.FAILED) == "complete"
    done: list[str] = []
    reaper(ledger, app, done).tick()
    assert done == [run]
    summaries = [summarize(ledger, store, run, one_message) for _ in range(3)]
    assert [summary is not None for summary in summaries] == [True, False, False]
    kept = store.summary(run)
    assert kept is not None
    assert (kept.state, kept.pr_number, len(kept.tasks)) == (RunState.FAILED, 7, 2)
    assert len(store.due(9e9, 10)) == 1


def test_a_summary_whose_writer_died_is_written_by_another_and_stored_once(
    ledger: Ledger, app: App, store: Store
) -> None:
    run = control.start(app, ledger, make_plan())
    finish(ledger, Delivery(run, "ut-1", 1), "ut:pkg/a", TaskState.PASSED)

    def dies(_: RunSummary) -> list[OutboxMessage]:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        summarize(ledger, store, run, dies)
    assert summarize(ledger, store, run, one_message) is None, "the permit of the dead one still holds"
    ledger.redis.hset(f"mtp1:run:{run}", "permit_until", 0)
    assert summarize(ledger, store, run, one_message) is not None
    assert len(store.due(9e9, 10)) == 1


def test_a_cancelled_run_says_who_and_asks_for_its_summary(ledger: Ledger, app: App, store: Store) -> None:
    run = control.start(app, ledger, make_plan())
    control.cancel(app, ledger, run, "li")
    assert ledger.queue_length("control") == 1
    summary = summarize(ledger, store, run, one_message)
    assert summary is not None
    assert (summary.state, summary.cancelled_by) == (RunState.CANCELLED, "li")


@pytest.mark.parametrize(
    ("states", "verdict"),
    [
        ((TaskState.PASSED, TaskState.SKIPPED), RunState.PASSED),
        ((TaskState.PASSED, TaskState.FAILED), RunState.FAILED),
        ((TaskState.FAILED, TaskState.ERROR), RunState.ERROR),
        ((TaskState.LOST, TaskState.PASSED), RunState.ERROR),
        ((TaskState.CANCELLED, TaskState.ERROR, TaskState.FAILED), RunState.CANCELLED),
        ((), RunState.PASSED),
    ],
)
def test_the_verdict_is_cancelled_before_infrastructure_before_failed(
    states: tuple[TaskState, ...], verdict: RunState
) -> None:
    from orchestrator.domain import run as nouns

    for order in itertools.permutations(states):
        assert nouns.verdict(order) is verdict


def test_a_rerun_of_what_failed_leaves_the_rest_out(ledger: Ledger, app: App, store: Store) -> None:
    plan = make_plan([make_task("pkg/a"), make_task("pkg/b"), make_task("pkg/c")])
    run = control.start(app, ledger, plan)
    delivery = Delivery(run, "ut-1", 1)
    for package, state in (("a", TaskState.PASSED), ("b", TaskState.FAILED), ("c", TaskState.ERROR)):
        finish(ledger, delivery, f"ut:pkg/{package}", state)
    summary = summarize(ledger, store, run, one_message)
    assert summary is not None
    again = control.rerun_plan(plan, summary, failed=True)
    assert [task.id for task in again.tasks] == ["ut:pkg/b", "ut:pkg/c"]
    assert again.id != plan.id


def test_trouble_with_one_run_holds_up_no_other(ledger: Ledger, app: App) -> None:
    runs = [control.start(app, ledger, make_plan([make_task(skip=True)])) for _ in range(3)]
    seen: list[str] = []

    def summarize_one(run: str) -> None:
        seen.append(run)
        if run != runs[-1]:
            raise RuntimeError("a bug") if run == runs[0] else UsageError("a damaged plan")

    Reaper(ledger, app, "me", summarize_one).tick()
    assert seen == runs


def test_a_foreign_message_at_the_head_of_a_queue_stops_nothing(ledger: Ledger, app: App) -> None:
    control.start(app, ledger, make_plan())
    ((run, shard, _),) = ledger.queued()
    ledger.redis.zincrby("mtp1:queued", -2 * MESSAGE_MARGIN, f"{run}|{shard}")
    deep, long = "[" * 100_000, json.dumps({"headers": {"id": f"{run}|{shard}|{'9' * 5000}"}})
    for raw in ("no json", "[]", "{}", '{"headers": null}', deep, long):
        ledger.redis.rpush("ut\x06\x161", raw)
        done: list[str] = []
        complete = control.start(app, ledger, make_plan([make_task(skip=True)]))
        assert reaper(ledger, app, done).tick()
        assert complete in done


def test_a_look_that_fails_holds_up_no_summary(ledger: Ledger, app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    complete = control.start(app, ledger, make_plan([make_task(skip=True)]))
    for look in ("expired", "queued"):
        monkeypatch.setattr(ledger, look, Mock(side_effect=KeyError("no such")))
    done: list[str] = []
    assert reaper(ledger, app, done).tick()
    assert done == [complete]


def test_a_cancel_that_was_stopped_half_way_is_finished(ledger: Ledger, app: App, store: Store) -> None:
    run = control.start(app, ledger, make_plan([make_task("pkg/a"), make_task("pkg/b")]))
    ledger.cancel(run, "li", [("ut:pkg/a", "ut-1")], whole_run=True)  # its first chunk
    reaper(ledger, app, []).tick()
    summary = summarize(ledger, store, run, one_message)
    assert summary is not None
    assert (summary.state, summary.count(TaskState.CANCELLED), summary.cancelled_by) == (RunState.CANCELLED, 2, "li")
