"""A shard on a worker, with the real ledger and suites that do what a test needs."""

from __future__ import annotations

import dataclasses
import os
import threading
import time
from pathlib import Path

import pytest

from orchestrator.domain.errors import BadProfileError, ServerError
from orchestrator.domain.profile import Profile
from orchestrator.domain.run import CaseResult, CaseStatus, TaskState
from orchestrator.ledger.client import Ledger
from orchestrator.ledger.records import Delivery
from tests.unit.runs.support import bench, new_run, new_shards, run_to_the_end
from tests.waiting import until
from workers.shard import run_shard
from workers.sink import task_folder
from workers.suites.base import Ending, Job


@pytest.fixture
def ledger(valkey_url: str) -> Ledger:
    return Ledger(valkey_url)


def test_each_task_of_a_shard_ends_with_its_own_result(ledger: Ledger, tmp_path: Path) -> None:
    def act(job: Job) -> Ending:
        job.log("hello")
        job.emit(CaseResult("TestA", CaseStatus.PASSED))
        if job.task.package == "pkg/1":
            job.emit(CaseResult("TestB", CaseStatus.FAILED, message="want 1"))
            return Ending(TaskState.FAILED, "1 of 2 failed", "go test")
        return Ending(TaskState.PASSED)

    delivery = new_run(ledger)
    run_shard(bench(ledger, tmp_path, act), delivery)
    results = ledger.results(delivery.run)
    assert (results["ut:pkg/0"].state, results["ut:pkg/0"].passed) == (TaskState.PASSED, 1)
    bad = results["ut:pkg/1"]
    assert (bad.state, bad.failed, bad.failures[0].name, bad.reproduce) == (TaskState.FAILED, 1, "TestB", "go test")
    assert [line for _, line in ledger.read_log(delivery.run, "ut:pkg/0")] == ["hello"]
    assert len(ledger.read_cases(delivery.run, "0")) == 5, "a failure is tried once more"
    assert len(list(tmp_path.rglob("cases.jsonl"))) == 3


def test_infrastructure_and_our_own_bugs_are_errors_and_the_next_task_still_runs(
    ledger: Ledger, tmp_path: Path
) -> None:
    def act(job: Job) -> Ending:
        if job.task.package == "pkg/0":
            raise ServerError("no server came up", "look at the log")
        raise RuntimeError("a bug")

    delivery = new_run(ledger)
    run_to_the_end(bench(ledger, tmp_path, act), delivery)
    results = ledger.results(delivery.run)
    assert results["ut:pkg/0"].state is TaskState.ERROR
    assert "no server came up" in results["ut:pkg/0"].message
    assert "a bug" in results["ut:pkg/1"].message


def test_a_cancel_reaches_a_running_task_and_stops_the_rest(ledger: Ledger, tmp_path: Path) -> None:
    started = threading.Event()

    def act(job: Job) -> Ending:
        started.set()
        until(job.cancelled)
        return Ending(TaskState.FAILED, "interrupted")

    delivery = new_run(ledger)
    thread = threading.Thread(target=run_shard, args=(bench(ledger, tmp_path, act), delivery))
    thread.start()
    assert started.wait(5)
    ledger.cancel(delivery.run, "li", [("ut:pkg/0", "ut-1"), ("ut:pkg/1", "ut-1")], whole_run=True)
    thread.join(30)
    assert not thread.is_alive()
    assert set(ledger.states(delivery.run).values()) == {TaskState.CANCELLED}


def test_the_same_message_twice_runs_each_task_once(ledger: Ledger, tmp_path: Path) -> None:
    seen: list[str] = []

    def act(job: Job) -> Ending:
        seen.append(job.task.id)
        return Ending(TaskState.PASSED)

    delivery = new_run(ledger)
    run_shard(bench(ledger, tmp_path, act), delivery)
    run_shard(bench(ledger, tmp_path, act), delivery)
    assert seen == ["ut:pkg/0", "ut:pkg/1"]


def test_a_worker_that_lost_its_lease_records_nothing(ledger: Ledger, tmp_path: Path) -> None:
    delivery = new_run(ledger, packages=1)

    def act(_: Job) -> Ending:
        ledger.expire(delivery.run, delivery.shard, 1)
        assert ledger.reap(delivery, 3, started=True) is not None
        return Ending(TaskState.PASSED)

    answer = run_shard(bench(ledger, tmp_path, act), delivery)
    assert answer["tasks"] == {"ut:pkg/0": "stale"}
    assert ledger.results(delivery.run) == {}


def test_a_message_for_a_run_nobody_knows_is_refused(ledger: Ledger, tmp_path: Path) -> None:
    answer = run_shard(bench(ledger, tmp_path, lambda _: Ending(TaskState.PASSED)), Delivery("no-such", "s", 1))
    assert answer["refused"] == "gone"


def test_a_flood_of_failures_leaves_a_small_result(ledger: Ledger, tmp_path: Path) -> None:
    def act(job: Job) -> Ending:
        for n in range(300):
            job.emit(CaseResult(f"Test{n}", CaseStatus.FAILED, message="x" * 100_000))
        return Ending(TaskState.FAILED)

    delivery = new_run(ledger, packages=1)
    run_shard(bench(ledger, tmp_path, act), delivery)
    result = ledger.results(delivery.run)["ut:pkg/0"]
    assert (result.failed, len(result.failures)) == (300, 20)
    assert len(result.failures[0].message) < 5000


def test_what_cannot_be_encoded_neither_stops_the_heart_nor_loses_the_result(ledger: Ledger, tmp_path: Path) -> None:
    half = "half of a pair: \ud83d"

    def act(job: Job) -> Ending:
        job.log(half)
        job.emit(CaseResult(half, CaseStatus.FAILED, message=half))
        time.sleep(0.6)  # longer than a beat
        assert any(thread.name == "heart" for thread in threading.enumerate())
        return Ending(TaskState.FAILED, half)

    delivery = new_run(ledger, packages=1)
    run_shard(bench(ledger, tmp_path, act), delivery)
    assert ledger.results(delivery.run)["ut:pkg/0"].message == "half of a pair: ?"
    assert [line for _, line in ledger.read_log(delivery.run, "ut:pkg/0")] == ["half of a pair: ?"] * 2, (
        "and its one more try"
    )


def test_a_surprise_in_a_beat_does_not_stop_the_heart(
    ledger: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def surprise(*_: object) -> None:
        raise RuntimeError("a bug")

    def act(_: Job) -> Ending:
        monkeypatch.setattr(ledger, "append_cases", surprise)
        monkeypatch.setattr(ledger, "beat", surprise)
        time.sleep(0.6)
        monkeypatch.undo()
        return Ending(TaskState.PASSED if any(t.name == "heart" for t in threading.enumerate()) else TaskState.FAILED)

    delivery = new_run(ledger, packages=1)
    run_shard(bench(ledger, tmp_path, act), delivery)
    assert ledger.states(delivery.run) == {"ut:pkg/0": TaskState.PASSED}


def test_a_host_that_cannot_keep_a_log_says_so_and_is_not_taken_for_a_lost_worker(
    ledger: Ledger, tmp_path: Path
) -> None:
    def act(job: Job) -> Ending:
        job.log("a line")
        return Ending(TaskState.PASSED)

    (tmp_path / "file").write_text("no folder")
    delivery = new_run(ledger)
    run_to_the_end(bench(ledger, tmp_path / "file", act), delivery)
    results = ledger.results(delivery.run)
    assert {result.state for result in results.values()} == {TaskState.ERROR}
    assert "its log cannot be kept" in results["ut:pkg/1"].message


def test_a_full_disk_at_the_end_of_a_log_loses_no_task(
    ledger: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def act(job: Job) -> Ending:
        job.log("a line")
        return Ending(TaskState.PASSED)

    delivery = new_run(ledger)
    monkeypatch.setattr("workers.sink.no_link", lambda path, flags: os.open("/dev/full", flags))  # it follows no link
    run_shard(bench(ledger, tmp_path, act), delivery)
    assert set(ledger.states(delivery.run).values()) == {TaskState.PASSED}


def test_a_host_without_the_profile_says_so_as_the_result_of_every_task(ledger: Ledger, tmp_path: Path) -> None:
    def nowhere(name: str) -> Profile:
        raise BadProfileError(f"no profile {name}", "put it there")

    delivery = new_run(ledger)
    run_to_the_end(
        dataclasses.replace(bench(ledger, tmp_path, lambda _: Ending(TaskState.PASSED)), profile=nowhere), delivery
    )
    results = ledger.results(delivery.run)
    assert {result.state for result in results.values()} == {TaskState.ERROR}
    assert "no profile demo" in results["ut:pkg/1"].message


def test_every_task_has_a_folder_of_its_own_whatever_its_name(tmp_path: Path) -> None:
    names = ["bvt:a", "bvt_a", "..", "../..", "𠀀" * 100, "x" * 300, "."]
    folders = {task_folder(tmp_path, "r", name) for name in names}
    for folder in folders:
        folder.mkdir(parents=True)
    assert len(folders) == len(names)
    assert {folder.parent for folder in folders} == {tmp_path / "r"}


def test_a_process_reads_a_shard_in_the_call_that_starts_it_once_it_knows_the_run(
    ledger: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, sent = new_shards(ledger, 3)
    worker = bench(ledger, tmp_path, lambda _: Ending(TaskState.PASSED))
    run_shard(worker, sent[0])
    monkeypatch.setattr(Ledger, "spec", None)
    monkeypatch.setattr(Ledger, "start", None)
    for delivery in (*sent[1:], sent[2]):
        run_shard(worker, delivery)
    assert set(ledger.states(run).values()) == {TaskState.PASSED}
    assert set(ledger.attempts(run).values()) == {1}, "a copy of the message runs nothing"
