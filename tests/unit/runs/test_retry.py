"""Trying again: infrastructure up to a limit, a failure once; and what of it is told."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from orchestrator.domain.errors import BadProfileError, BrokerError, ServerError
from orchestrator.domain.run import CaseResult, CaseStatus, RunState, TaskResult, TaskState
from orchestrator.ledger.client import Ledger
from orchestrator.ledger.records import Delivery, Gate
from orchestrator.runs.summarize import summary_of
from tests.unit.runs.support import bench, new_run, run_to_the_end
from tests.waiting import until
from workers import heart as hearts
from workers.build import BuildFailedError
from workers.shard import run_shard
from workers.suites.base import Ending, Job


@pytest.fixture
def ledger(valkey_url: str) -> Ledger:
    return Ledger(valkey_url)


def test_infrastructure_is_tried_again_elsewhere_until_it_holds(ledger: Ledger, tmp_path: Path) -> None:
    def act(job: Job) -> Ending:
        if job.attempt < 3:
            raise ServerError("no server came up")
        return Ending(TaskState.PASSED)

    delivery = new_run(ledger, packages=1)
    assert run_to_the_end(bench(ledger, tmp_path, act), delivery) == 3
    result = ledger.results(delivery.run)["ut:pkg/0"]
    assert (result.state, result.attempt, result.flaky) == (TaskState.PASSED, 3, False)
    assert [e.fields["why"] for e in ledger.events(delivery.run) if e.kind == "retried"] == ["error", "error"]


def test_infrastructure_that_never_holds_is_an_error_after_so_many_tries(ledger: Ledger, tmp_path: Path) -> None:
    tries: list[int] = []

    def act(job: Job) -> Ending:
        tries.append(job.attempt)
        raise ServerError("no server came up")

    delivery = new_run(ledger, packages=1)
    run_to_the_end(bench(ledger, tmp_path, act), delivery)
    assert tries == [1, 2, 3]
    assert ledger.states(delivery.run) == {"ut:pkg/0": TaskState.ERROR}


def test_a_task_whose_files_a_partial_clone_lacks_is_an_error_and_the_others_run(
    ledger: Ledger, tmp_path: Path
) -> None:
    (tmp_path / "complete.json").write_text('{"missing": ["pkg/0/testdata/rows.csv"]}')  # as a checkout leaves it
    delivery = new_run(ledger)
    run_to_the_end(bench(ledger, tmp_path / "tree", lambda job: Ending(TaskState.PASSED)), delivery)
    assert ledger.states(delivery.run) == {"ut:pkg/0": TaskState.ERROR, "ut:pkg/1": TaskState.PASSED}
    assert "pkg/0/testdata/rows.csv" in ledger.results(delivery.run)["ut:pkg/0"].message


def test_what_is_no_infrastructure_is_not_tried_again(ledger: Ledger, tmp_path: Path) -> None:
    def act(job: Job) -> Ending:
        raise RuntimeError("a bug") if job.task.package == "pkg/0" else BadProfileError("a wrong flag")

    delivery = new_run(ledger)
    assert run_to_the_end(bench(ledger, tmp_path, act), delivery) == 1
    assert {r.attempt for r in ledger.results(delivery.run).values()} == {1}


def test_a_failure_that_passes_at_the_second_try_is_flaky_and_the_run_passes(ledger: Ledger, tmp_path: Path) -> None:
    def act(job: Job) -> Ending:
        if job.attempt == 1:
            job.emit(CaseResult("TestRace", CaseStatus.FAILED, message="want 1"))
            return Ending(TaskState.FAILED, "1 of 1 failed: TestRace")
        job.emit(CaseResult("TestRace", CaseStatus.PASSED))
        return Ending(TaskState.PASSED)

    delivery = new_run(ledger, packages=1)
    assert run_to_the_end(bench(ledger, tmp_path, act), delivery) == 1, "where it failed all is set up"
    progress = ledger.progress(delivery.run)
    assert progress is not None
    assert (progress.flaky, progress.cases_passed, progress.cases_failed) == (1, 1, 0)
    summary = summary_of(ledger, progress, "")
    (result,) = summary.tasks
    assert (summary.state, summary.state.exit_code) == (RunState.PASSED, 0)
    assert (result.flaky, result.failures[0].name) == (True, "TestRace")
    assert "failed in attempt 1: 1 of 1 failed" in result.message


def test_a_failure_is_confirmed_once(ledger: Ledger, tmp_path: Path) -> None:
    delivery = new_run(ledger, packages=1)
    run_to_the_end(bench(ledger, tmp_path, lambda _: Ending(TaskState.FAILED)), delivery)
    result = ledger.results(delivery.run)["ut:pkg/0"]
    assert (result.state, result.attempt) == (TaskState.FAILED, 2)


def test_code_that_does_not_build_is_not_tried_again(ledger: Ledger, tmp_path: Path) -> None:
    def act(_: Job) -> Ending:
        raise BuildFailedError("the build failed (exit status 2):\na.go:1: no")

    delivery = new_run(ledger, packages=2)
    run_to_the_end(bench(ledger, tmp_path, act), delivery)
    results = ledger.results(delivery.run).values()
    assert [(found.state, found.attempt) for found in results] == [(TaskState.FAILED, 1)] * 2


@pytest.mark.parametrize("taken_down", ["error", "silent"])
def test_a_failure_whose_second_try_is_taken_down_for_good_stands(
    ledger: Ledger, tmp_path: Path, taken_down: str
) -> None:
    def act(job: Job) -> Ending:
        job.emit(CaseResult("TestA", CaseStatus.FAILED))
        if job.attempt == 1:
            return Ending(TaskState.FAILED, "the first failure")
        if taken_down == "error":
            raise ServerError("no server came up")
        current = ledger.delivery(delivery.run, delivery.shard)
        assert current is not None
        ledger.expire(delivery.run, delivery.shard, current.delivery)
        again = ledger.reap(current, 3, started=True)
        assert (again is None) == (job.attempt == 3)
        return Ending(TaskState.PASSED)

    delivery = new_run(ledger, packages=1)
    worker = bench(ledger, tmp_path, act)
    run_to_the_end(worker, delivery)
    if taken_down == "silent":
        second = ledger.delivery(delivery.run, delivery.shard)
        assert second is not None
        run_shard(worker, second)
    progress, result = ledger.progress(delivery.run), ledger.results(delivery.run)["ut:pkg/0"]
    assert progress is not None
    assert (result.state, result.message, progress.cases_failed) == (TaskState.FAILED, "the first failure", 1)
    assert progress.complete


def test_nothing_is_tried_again_once_it_was_cancelled(ledger: Ledger, tmp_path: Path) -> None:
    def act(job: Job) -> Ending:
        ledger.cancel(delivery.run, "li", [("ut:pkg/0", delivery.shard)], whole_run=True)
        return Ending(TaskState.FAILED)

    delivery = new_run(ledger, packages=1)
    assert run_to_the_end(bench(ledger, tmp_path, act), delivery) == 1
    assert ledger.attempts(delivery.run) == {"ut:pkg/0": 1}


def test_a_cancelled_task_says_when_it_was_told_gone_and_cleaned_up(ledger: Ledger, tmp_path: Path) -> None:
    running = threading.Event()
    closed: list[str] = []

    class Server:
        def close(self) -> None:
            closed.append("server")

    def act(job: Job) -> Ending:
        job.resources.get("server", Server)
        running.set()
        until(job.cancelled)
        return Ending(TaskState.CANCELLED)

    delivery = new_run(ledger, packages=1)
    thread = threading.Thread(target=run_shard, args=(bench(ledger, tmp_path, act), delivery))
    thread.start()
    assert running.wait(10)
    ledger.cancel(delivery.run, "li", [("ut:pkg/0", delivery.shard)], whole_run=False)
    thread.join(20)
    result = ledger.results(delivery.run)["ut:pkg/0"]
    assert (result.state, closed) == (TaskState.CANCELLED, ["server"])
    assert result.stop is not None
    assert 0 <= result.stop.signalled <= result.stop.gone <= result.stop.cleaned < 10


def test_what_has_not_started_can_be_ended_alone(ledger: Ledger, tmp_path: Path) -> None:
    delivery = new_run(ledger)
    assert ledger.start(delivery, "w", "ut:pkg/0", 20)[0] is Gate.OK
    tasks = [(f"ut:pkg/{n}", delivery.shard) for n in range(2)]
    assert not ledger.cancel(delivery.run, "li", tasks, waiting=True)
    assert ledger.states(delivery.run) == {"ut:pkg/0": TaskState.RUNNING, "ut:pkg/1": TaskState.CANCELLED}
    assert ledger.beat(delivery, "w", "ut:pkg/0", 20)[0] == "ok"


def test_the_worker_that_ends_the_last_task_says_so(ledger: Ledger, tmp_path: Path) -> None:
    import dataclasses

    told: list[str] = []
    worker = dataclasses.replace(bench(ledger, tmp_path, lambda _: Ending(TaskState.PASSED)), completed=told.append)
    delivery = new_run(ledger)
    run_shard(worker, delivery)
    assert told == [delivery.run]


def test_a_host_that_cannot_reach_the_ledger_ends_its_test_and_gives_it_back(
    ledger: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object) -> None:
        raise BrokerError("away")

    def act(job: Job) -> Ending:
        if job.attempt == 1:
            monkeypatch.setattr(ledger, "beat", away)
            until(job.cancelled)
            monkeypatch.undo()
            return Ending(TaskState.CANCELLED)
        return Ending(TaskState.PASSED)

    monkeypatch.setattr(hearts, "INTERVAL", 0.02)
    delivery = new_run(ledger, packages=1)
    assert run_to_the_end(bench(ledger, tmp_path, act, cut_off=0.2), delivery) == 2
    result = ledger.results(delivery.run)["ut:pkg/0"]
    assert (result.state, result.attempt) == (TaskState.PASSED, 2)


def test_two_executions_at_once_are_recorded_and_one_counts(ledger: Ledger, tmp_path: Path) -> None:
    """The first worker stalls for longer than its lease, and finds another at its task when it wakes."""

    def act(job: Job) -> Ending:
        ledger.expire(delivery.run, delivery.shard, 1)
        again = ledger.reap(delivery, 3, started=True)
        assert again is not None
        assert ledger.start(again, "other", "ut:pkg/0", 20)[0] is Gate.OK
        until(job.cancelled)
        return Ending(TaskState.PASSED)

    before = ledger.overlaps()[0]
    delivery = new_run(ledger, packages=1)
    assert run_shard(bench(ledger, tmp_path, act), delivery)["tasks"] == {"ut:pkg/0": "stale"}
    (event,) = [event for event in ledger.events(delivery.run) if event.kind == "overlap"]
    assert float(event.fields["seconds"]) > 0
    assert ledger.overlaps()[0] == before + 1
    assert ledger.states(delivery.run) == {"ut:pkg/0": TaskState.RUNNING}


def test_a_result_that_no_longer_counts_is_no_overlap_unless_another_had_the_task(
    ledger: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledger, "finish", lambda *_, **__: "stale")
    delivery = new_run(ledger, packages=1)
    worker = bench(ledger, tmp_path, lambda _: Ending(TaskState.PASSED))
    assert run_shard(worker, delivery)["tasks"] == {"ut:pkg/0": "stale"}
    assert "overlap" not in {event.kind for event in ledger.events(delivery.run)}


@pytest.mark.parametrize("state", [TaskState.PASSED, TaskState.FAILED])
def test_a_finish_whose_answer_is_lost_stops_nothing(
    ledger: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, state: TaskState
) -> None:
    """The first answer of each attempt is lost on the way; the shard's tasks all end, each counted once."""
    ask, lost = ledger.finish, set[tuple[str, int]]()

    def deaf(delivery: Delivery, owner: str, result: TaskResult, *, attempts: int = 1, confirm: bool = False) -> str:
        answer = ask(delivery, owner, result, attempts=attempts, confirm=confirm)
        if (result.task, result.attempt) not in lost:
            lost.add((result.task, result.attempt))
            raise BrokerError("the connection broke")
        return answer

    monkeypatch.setattr(ledger, "finish", deaf)
    delivery = new_run(ledger, packages=2)
    run_shard(bench(ledger, tmp_path, lambda _: Ending(state)), delivery)
    tries = 2 if state is TaskState.FAILED else 1
    assert {task: (found.state, found.attempt) for task, found in ledger.results(delivery.run).items()} == {
        f"ut:pkg/{n}": (state, tries) for n in range(2)
    }
