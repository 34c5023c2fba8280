"""The ledger's promises, on a real server."""

from __future__ import annotations

import json
import uuid

import pytest

from orchestrator.domain.errors import BrokerError, UsageError
from orchestrator.domain.run import CaseResult, CaseStatus, RunState, ShardSpec, TaskResult, TaskState
from orchestrator.ledger import keys
from orchestrator.ledger.client import RESULT_LIMIT, Ledger, _short
from orchestrator.ledger.connection import masked
from orchestrator.ledger.records import Beat, Delivery, Gate
from tests.waiting import until

LEASE = 20.0


@pytest.fixture
def ledger(valkey_url: str) -> Ledger:
    return Ledger(valkey_url)


def shard(run: str, name: str) -> tuple[Delivery, ShardSpec]:
    return Delivery(run, name, 1, "ut", 3), ShardSpec(run, name, "p", "0" * 40, ())


def new_run(ledger: Ledger, tasks: int = 2, shards: int = 1) -> str:
    run = uuid.uuid4().hex
    rows = [(f"t{n}", f"s{n % shards}", False) for n in range(tasks)]
    assert ledger.create(run, "{}", {"profile": "p"}, rows, [shard(run, f"s{n}") for n in range(shards)])
    return run


def finish(ledger: Ledger, run: str, task: str, state: TaskState = TaskState.PASSED, owner: str = "w") -> str:
    result = TaskResult(task, state, attempt=1, seconds=1.5, passed=3, failed=1)
    return ledger.finish(Delivery(run, "s0", 1), owner, result)


def test_a_run_is_created_once(ledger: Ledger) -> None:
    run = new_run(ledger)
    assert not ledger.create(run, "other", {}, [], [])
    assert ledger.plan(run) == "{}"
    assert ledger.spec(run, "s0") == shard(run, "s0")[1]
    progress = ledger.progress(run)
    assert progress is not None
    assert (progress.total, progress.tasks[TaskState.PENDING], progress.state) == (2, 2, RunState.RUNNING)


def test_a_started_task_is_refused_to_a_second_worker_and_to_a_copy_of_the_message(ledger: Ledger) -> None:
    run = new_run(ledger)
    first = Delivery(run, "s0", 1)
    assert ledger.start(first, "w", "t0", LEASE) == (Gate.OK, 1)
    assert ledger.start(first, "other", "t0", LEASE)[0] is Gate.DUPLICATE
    assert ledger.start(first, "other", "t1", LEASE)[0] is Gate.DUPLICATE
    assert ledger.start(Delivery(run, "s0", 2), "other", "t1", LEASE)[0] is Gate.STALE


def test_who_asks_again_for_the_task_it_has_is_told_the_same_and_nothing_is_counted_twice(ledger: Ledger) -> None:
    run = new_run(ledger)
    delivery = Delivery(run, "s0", 1)
    for _ in range(2):
        assert ledger.start(delivery, "w", "t0", LEASE) == (Gate.OK, 1)
    ledger.cancel(run, "li", [("t0", "s0")])
    assert ledger.start(delivery, "w", "t0", LEASE) == (Gate.OK, 1), "it had begun: its next beat tells of the end"
    progress = ledger.progress(run)
    assert progress is not None
    assert (progress.tasks[TaskState.PENDING], progress.tasks[TaskState.RUNNING]) == (1, 1)
    assert [event.kind for event in ledger.events(run)].count("started") == 1


def test_the_first_finish_wins_and_the_last_task_completes_the_run(ledger: Ledger) -> None:
    run = new_run(ledger)
    delivery = Delivery(run, "s0", 1)
    ledger.start(delivery, "w", "t0", LEASE)
    assert finish(ledger, run, "t0") == "ok"
    assert finish(ledger, run, "t0", TaskState.FAILED) == "stale"
    ledger.start(delivery, "w", "t1", LEASE)
    assert finish(ledger, run, "t1", TaskState.FAILED) == "complete"
    progress = ledger.progress(run)
    assert progress is not None
    assert progress.complete
    assert (progress.tasks[TaskState.PASSED], progress.tasks[TaskState.FAILED]) == (1, 1)
    assert (progress.cases_passed, progress.cases_failed, progress.cost) == (6, 2, 3.0)
    assert ledger.results(run)["t1"].state is TaskState.FAILED


def test_who_says_again_how_it_ended_is_told_the_same_and_counts_once(ledger: Ledger) -> None:
    run = new_run(ledger)
    delivery = Delivery(run, "s0", 1)
    for task, answer in (("t0", "ok"), ("t1", "complete")):
        ledger.start(delivery, "w", task, LEASE)
        assert [finish(ledger, run, task) for _ in range(2)] == [answer] * 2
        assert finish(ledger, run, task, owner="another") == "stale"
    progress = ledger.progress(run)
    assert progress is not None
    assert (progress.tasks[TaskState.PASSED], progress.cases_passed, progress.cost) == (2, 6, 3.0)


def test_who_says_again_that_a_try_is_not_final_is_told_the_same(ledger: Ledger) -> None:
    run = new_run(ledger, tasks=1)
    delivery = Delivery(run, "s0", 1)

    def say(state: TaskState, attempt: int) -> str:
        result = TaskResult("t0", state, attempt=attempt, seconds=1.5)
        return ledger.finish(delivery, "w", result, attempts=3, confirm=True)

    for attempt, state in enumerate((TaskState.FAILED, TaskState.ERROR), 1):
        assert ledger.start(delivery, "w", "t0", LEASE) == (Gate.OK, attempt)
        assert [say(state, attempt) for _ in range(2)] == ["again"] * 2
        assert say(TaskState.PASSED, attempt) == "stale"
    assert ledger.start(delivery, "w", "t0", LEASE) == (Gate.OK, 3)
    assert [say(TaskState.ERROR, 3) for _ in range(2)] == ["complete"] * 2
    assert ledger.states(run) == {"t0": TaskState.FAILED}, "the failure stands"


def test_nothing_starts_after_a_cancel_and_what_runs_is_told_at_its_next_beat(ledger: Ledger) -> None:
    run = new_run(ledger, tasks=3)
    delivery = Delivery(run, "s0", 1)
    ledger.start(delivery, "w", "t0", LEASE)
    assert ledger.beat(delivery, "w", "t0", LEASE) == (Beat.OK, 0.0)
    assert not ledger.cancel(run, "li", [("t0", "s0"), ("t1", "s0"), ("t2", "s0")], whole_run=True)
    assert ledger.beat(delivery, "w", "t0", LEASE)[0] is Beat.CANCELLED
    assert ledger.start(delivery, "w", "t1", LEASE)[0] is Gate.CANCELLED
    assert finish(ledger, run, "t0", TaskState.CANCELLED) == "complete"
    progress = ledger.progress(run)
    assert progress is not None
    assert (progress.tasks[TaskState.CANCELLED], progress.cancelled_by) == (3, "li")


def test_one_task_can_be_cancelled_while_the_others_go_on(ledger: Ledger) -> None:
    run = new_run(ledger)
    ledger.cancel(run, "li", [("t0", "s0")], whole_run=False)
    delivery = Delivery(run, "s0", 1)
    assert ledger.start(delivery, "w", "t0", LEASE)[0] is Gate.CANCELLED
    assert ledger.start(delivery, "w", "t1", LEASE)[0] is Gate.OK


def test_a_silent_worker_loses_its_shard_and_its_late_result_does_not_count(ledger: Ledger) -> None:
    run = new_run(ledger)
    delivery = Delivery(run, "s0", 1)
    ledger.start(delivery, "w", "t0", LEASE)
    assert ledger.reap(delivery, 3, started=True) is None, "the lease still holds"
    assert ledger.expire(run, "s0", 1)
    assert (run, "s0") in ledger.expired()
    again = ledger.reap(delivery, 3, started=True)
    assert again == Delivery(run, "s0", 2, "ut", 3)
    assert ledger.beat(delivery, "w", "t0", LEASE)[0] is Beat.STALE
    assert finish(ledger, run, "t0") == "stale"
    assert ledger.start(again, "v", "t0", LEASE) == (Gate.OK, 2)


def test_a_task_that_takes_every_worker_down_ends_as_lost(ledger: Ledger) -> None:
    run = new_run(ledger, tasks=1)
    delivery: Delivery | None = Delivery(run, "s0", 1)
    for attempt in (1, 2):
        assert delivery is not None
        assert ledger.start(delivery, f"w{attempt}", "t0", LEASE) == (Gate.OK, attempt)
        ledger.expire(run, "s0", delivery.delivery)
        delivery = ledger.reap(delivery, 2, started=True)
    assert delivery is None
    assert ledger.states(run) == {"t0": TaskState.LOST}


def test_a_lost_message_is_sent_again_but_not_once_its_shard_has_started(ledger: Ledger) -> None:
    run = new_run(ledger)
    again = ledger.reap(Delivery(run, "s0", 1), 3, started=False)
    assert again is not None
    assert again.delivery == 2
    ledger.start(again, "w", "t0", LEASE)
    assert ledger.reap(again, 3, started=False) is None


def test_only_one_caller_may_commit_and_a_closed_run_leaves_in_a_day(ledger: Ledger) -> None:
    run = new_run(ledger, tasks=1)
    assert ledger.commit(run, "a") == "open"
    ledger.start(Delivery(run, "s0", 1), "w", "t0", LEASE)
    finish(ledger, run, "t0")
    assert ledger.commit(run, "a") == "ok"
    assert ledger.commit(run, "b") == "taken"
    ledger.close_run(run, RunState.PASSED)
    assert ledger.commit(run, "b") == "done"
    assert run not in ledger.active()
    ttl = ledger.redis.ttl(keys.run(run))
    assert isinstance(ttl, int)
    assert 0 < ttl <= 24 * 3600


def test_skipped_tasks_never_wait_for_a_worker(ledger: Ledger) -> None:
    run = uuid.uuid4().hex
    ledger.create(run, "{}", {}, [("t0", "s0", True)], [shard(run, "s0")])
    progress = ledger.progress(run)
    assert progress is not None
    assert progress.complete
    assert not [row for row in ledger.queued() if row[0] == run]


def test_failures_reach_watchers_as_events_and_every_case_reaches_the_stream(ledger: Ledger) -> None:
    run = new_run(ledger)
    ledger.start(Delivery(run, "s0", 1), "w", "t0", LEASE)
    bad = CaseResult("TestA", CaseStatus.FAILED, message="坏")
    ledger.append_cases(run, "t0", 1, [CaseResult("TestB", CaseStatus.PASSED), bad])
    assert len(ledger.read_cases(run, "0")) == 2
    failures = [event for event in ledger.events(run) if event.kind == "failure"]
    assert len(failures) == 1
    assert "坏" in failures[0].fields["case"]


def test_cases_that_are_sent_again_because_an_answer_was_lost_are_there_once(ledger: Ledger) -> None:
    run = new_run(ledger)
    ledger.start(Delivery(run, "s0", 1), "w", "t0", LEASE)
    cases = [CaseResult(f"Test{n}", CaseStatus.PASSED if n else CaseStatus.FAILED) for n in range(1203)]
    ledger.append_cases(run, "t0", 1, cases[:2])
    ledger.append_cases(run, "t0", 1, cases[:2])  # as the client does by itself
    ledger.append_cases(run, "t0", 1, cases)  # and a worker, with what has come since
    ledger.append_cases(run, "t0", 1, cases[-1:], before=1202)
    ledger.append_cases(run, "t0", 2, cases[:1])
    rows = [(row["attempt"], json.loads(row["case"])["name"]) for _, row in ledger.read_cases(run, "0", count=5000)]
    assert rows == [*(("1", case.name) for case in cases), ("2", "Test0")]
    assert sum(event.kind == "failure" for event in ledger.events(run)) == 2
    assert 0 < ledger.redis.ttl(keys.part(run, "told")) <= ledger.redis.ttl(keys.part(run, "cases"))


def test_cancelling_ten_thousand_tasks_ends_them_all(ledger: Ledger) -> None:
    run = new_run(ledger, tasks=10_000, shards=100)
    assert ledger.cancel(run, "li", [(f"t{n}", f"s{n % 100}") for n in range(10_000)], whole_run=True)
    progress = ledger.progress(run)
    assert progress is not None
    assert progress.tasks[TaskState.CANCELLED] == 10_000


def test_only_one_control_process_leads(ledger: Ledger) -> None:
    ledger.redis.delete(keys.LEADER)
    assert ledger.lead("a", 5)
    assert not ledger.lead("b", 5)
    assert ledger.lead("a", 5)


def test_control_processes_keep_one_history(ledger: Ledger) -> None:
    assert ledger.keep_history("a", 5) == ledger.keep_history("a", 5) == "a"
    assert ledger.keep_history("b", 5) == "a"
    assert ledger.keep_history("a", 0.01) == "a"
    until(lambda: ledger.keep_history("b", 5) == "b", "the word of one that is gone is forgotten")


def test_a_broker_that_is_away_is_said_so_with_a_remedy() -> None:
    with pytest.raises(BrokerError, match="MO_TESTPLAN_REDIS_URL"):
        Ledger("redis://127.0.0.1:1/0", retries=0).ping()
    with pytest.raises(BrokerError, match="not a Redis address"):
        Ledger("http://x")


def test_a_password_is_never_shown() -> None:
    assert masked("redis://me:secret@h:1/0") == "redis://me:***@h:1/0"


def test_payloads_have_limits(ledger: Ledger) -> None:
    with pytest.raises(UsageError, match="33 MiB"):
        ledger.create("r", "x" * (33 << 20), {}, [], [])
    big = CaseResult("t", CaseStatus.FAILED, message="m" * 4000)
    text = _short(TaskResult("t", TaskState.FAILED, failures=(big,) * 400, message="why"))
    assert len(text) < RESULT_LIMIT
    assert json.loads(text)["message"] == "why"
