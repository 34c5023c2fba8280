"""Ending runs: in part, by pull request, by a newer push; and failures that block nobody."""

from __future__ import annotations

import dataclasses
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from orchestrator.domain.errors import UnknownRunError, UsageError
from orchestrator.domain.plan import Shard, Suite, TestPlan
from orchestrator.domain.profile import Dispatch
from orchestrator.domain.quarantine import Quarantine
from orchestrator.domain.run import CaseResult, CaseStatus, RunState, RunSummary, TaskResult, TaskState
from orchestrator.ledger import keys
from orchestrator.ledger.client import Ledger
from orchestrator.ledger.records import Delivery, Gate
from orchestrator.messaging import App
from orchestrator.planner.codec import plan_id
from orchestrator.runs import control
from orchestrator.runs.reaper import Reaper
from orchestrator.runs.summarize import summarize, summary_of
from orchestrator.store import Store
from tests.factories import make_plan, make_task


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(f"sqlite:///{tmp_path / 'history.sqlite'}") as opened:
        yield opened


def two_suites() -> TestPlan:
    plan = make_plan([make_task("pkg/a")])
    analysis = dataclasses.replace(
        plan.tasks[0], id="sca:go-vet", type=Suite.SCA, package=None, analyser="go-vet", shard="sca-1"
    )
    shards = (*plan.shards, Shard("sca-1", Suite.SCA, "sca", ("sca:go-vet",), 1.0))
    plan = dataclasses.replace(plan, tasks=(*plan.tasks, analysis), shards=shards)
    return dataclasses.replace(plan, id=plan_id(plan))


def tick(ledger: Ledger, app: App, **dispatch: str) -> None:
    ledger.redis.delete("mtp1:leader")
    Reaper(ledger, app, uuid.uuid4().hex, lambda _: None, Dispatch(**dispatch)).tick()  # type: ignore[arg-type]


def states(ledger: Ledger, run: str) -> set[TaskState]:
    return set(ledger.states(run).values())


def push(ledger: Ledger, app: App, commit: str, pull: int = 7, parent: str | None = None) -> str:
    plan = make_plan([make_task("pkg/a"), make_task("pkg/b")], commit=commit * 40, pull=pull)
    return control.start(app, ledger, plan, parent=parent)


def test_one_suite_of_a_run_can_be_ended(ledger: Ledger, app: App) -> None:
    run = control.start(app, ledger, two_suites())
    control.cancel(app, ledger, run, "li", suite=Suite.SCA)
    assert ledger.states(run) == {"ut:pkg/a": TaskState.PENDING, "sca:go-vet": TaskState.CANCELLED}
    with pytest.raises(UsageError, match="no tasks of suite BVT"):
        control.cancel(app, ledger, run, "li", suite=Suite.BVT)


def test_a_task_that_the_run_has_not_is_said_with_the_nearest(ledger: Ledger, app: App) -> None:
    run = control.start(app, ledger, two_suites())
    with pytest.raises(UnknownRunError, match="Did you mean 'ut:pkg/a'"):
        control.cancel(app, ledger, run, "li", ["ut:pkg/aa"])


def test_closing_a_pull_request_ends_all_its_runs_and_no_other(ledger: Ledger, app: App) -> None:
    mine, other = [push(ledger, app, "1"), push(ledger, app, "1")], push(ledger, app, "1", pull=8)
    assert control.cancel_pull(app, ledger, 7, "PR 7 was closed", "another") == []
    assert control.cancel_pull(app, ledger, 7, "PR 7 was closed") == mine
    assert [states(ledger, run) for run in (*mine, other)] == [
        {TaskState.CANCELLED},
        {TaskState.CANCELLED},
        {TaskState.PENDING},
    ]
    assert control.cancel_pull(app, ledger, 7, "PR 7 was closed") == []


def test_a_new_push_ends_the_older_run_of_its_pull_request(ledger: Ledger, app: App) -> None:
    older, other, newer = push(ledger, app, "1"), push(ledger, app, "1", pull=8), push(ledger, app, "2")
    tick(ledger, app)
    progress = ledger.progress(older)
    assert progress is not None
    assert (states(ledger, older), progress.cancelled_by) == ({TaskState.CANCELLED}, f"a newer push: run {newer}")
    assert states(ledger, newer) == states(ledger, other) == {TaskState.PENDING}


def test_by_profile_a_new_push_lets_what_runs_go_on_or_ends_nothing(ledger: Ledger, app: App) -> None:
    older = push(ledger, app, "1")
    assert ledger.start(Delivery(older, "ut-1", 1), "w", "ut:pkg/a", 20)[0] is Gate.OK
    push(ledger, app, "2")
    tick(ledger, app, supersede="nothing")
    assert states(ledger, older) == {TaskState.RUNNING, TaskState.PENDING}
    tick(ledger, app, supersede="waiting")
    assert ledger.states(older) == {"ut:pkg/a": TaskState.RUNNING, "ut:pkg/b": TaskState.CANCELLED}


def test_a_rerun_of_an_old_commit_ends_no_newer_run(ledger: Ledger, app: App) -> None:
    newer = push(ledger, app, "2")
    again = push(ledger, app, "1", parent="old")
    same = push(ledger, app, "2")
    tick(ledger, app)
    assert [states(ledger, run) for run in (newer, again, same)] == [
        {TaskState.PENDING},
        {TaskState.CANCELLED},
        {TaskState.PENDING},
    ]


def run_failed(ledger: Ledger, app: App, *cases: str) -> str:
    """A run whose one task failed in these cases."""
    run = control.start(app, ledger, make_plan())
    delivery = Delivery(run, "ut-1", 1)
    ledger.start(delivery, "w", "ut:pkg/a", 20)
    failures = tuple(CaseResult(name, CaseStatus.FAILED) for name in cases)
    ledger.finish(delivery, "w", TaskResult("ut:pkg/a", TaskState.FAILED, failed=len(cases), failures=failures))
    return run


def told(ledger: Ledger, store: Store, run: str) -> RunSummary:
    summary = summarize(ledger, store, run, lambda _: [])
    assert summary is not None
    return summary


@pytest.mark.parametrize(
    "row",
    [
        "[" * 100_000,
        "[" * 900 + "]" * 900,
        f'{{"name": "TestB", "status": "passed", "seconds": {10**400}}}',
        f'{{"task": "ut:pkg/a", "state": "failed", "seconds": {10**400}}}',
        f'{{"task": "ut:pkg/a", "state": "failed", "setup": -{10**400}}}',
    ],
)
def test_no_word_of_a_worker_keeps_a_run_from_its_summary(ledger: Ledger, app: App, store: Store, row: str) -> None:
    run = run_failed(ledger, app, "TestA")
    ledger.redis.hset(keys.part(run, "results"), "ut:pkg/a", row)
    ledger.redis.hset(keys.part(run, "doubts"), "ut:pkg/a", row)
    ledger.redis.xadd(keys.part(run, "cases"), {"task": "ut:pkg/a", "attempt": "1", "case": row})
    summary = told(ledger, store, run)
    assert (summary.state, summary.tasks[0].state) == (RunState.FAILED, TaskState.FAILED)


@pytest.mark.parametrize(
    ("test", "state"),
    [
        ("ut:pkg/a", RunState.PASSED),
        ("TestA", RunState.PASSED),
        ("TestA/sub", RunState.FAILED),
        ("ut:pkg/b", RunState.FAILED),
    ],
)
def test_a_failure_in_quarantine_is_shown_and_blocks_nobody(
    ledger: Ledger, app: App, store: Store, test: str, state: RunState
) -> None:
    store.quarantine("demo", Quarantine(test, "li", time.time() + 1000, "waits for a fix"))
    run = run_failed(ledger, app, "TestA", "TestA/sub")
    summary = told(ledger, store, run)
    assert summary.state is state
    (result,) = summary.tasks
    assert result.state is TaskState.FAILED
    assert (result.quarantine is not None) == (state is RunState.PASSED)
    assert store.summary(run) == summary
    progress = ledger.progress(run)
    assert progress is not None
    assert summary_of(ledger, progress, "").tasks == summary.tasks, "the ledger tells the same afterwards"


@pytest.mark.parametrize(("category", "state"), [("join", RunState.PASSED), ("join#2", RunState.FAILED)])
def test_a_category_in_quarantine_covers_its_parts_and_none_that_is_called_like_one(
    ledger: Ledger, app: App, store: Store, category: str, state: RunState
) -> None:
    store.quarantine("demo", Quarantine("bvt:join", "li", time.time() + 1000))
    files = ("a.sql",) if category == "join" else ()
    task = dataclasses.replace(
        make_task(shard="bvt-1"), id="bvt:join#2", type=Suite.BVT, package=None, category=category, files=files
    )
    shards = (Shard("bvt-1", Suite.BVT, "bvt", (task.id,), 10.0),)
    plan = dataclasses.replace(make_plan([task]), shards=shards)
    run = control.start(app, ledger, dataclasses.replace(plan, id=plan_id(plan)))
    delivery = Delivery(run, "bvt-1", 1)
    ledger.start(delivery, "w", task.id, 20)
    ledger.finish(delivery, "w", TaskResult(task.id, TaskState.FAILED))
    assert told(ledger, store, run).state is state


def test_a_case_beside_the_one_in_quarantine_blocks(ledger: Ledger, app: App, store: Store) -> None:
    store.quarantine("demo", Quarantine("TestA", "li", time.time() + 1000))
    assert told(ledger, store, run_failed(ledger, app, "TestA", "TestB")).state is RunState.FAILED


def test_a_quarantine_that_has_expired_blocks_again(ledger: Ledger, app: App, store: Store) -> None:
    store.quarantine("demo", Quarantine("ut:pkg/a", "li", time.time() - 1))
    assert told(ledger, store, run_failed(ledger, app, "TestA")).state is RunState.FAILED


def test_what_infrastructure_did_is_no_business_of_a_quarantine(ledger: Ledger, app: App, store: Store) -> None:
    store.quarantine("demo", Quarantine("ut:pkg/a", "li", time.time() + 1000))
    run = control.start(app, ledger, make_plan())
    delivery = Delivery(run, "ut-1", 1)
    ledger.start(delivery, "w", "ut:pkg/a", 20)
    ledger.finish(delivery, "w", TaskResult("ut:pkg/a", TaskState.ERROR))
    assert told(ledger, store, run).state is RunState.ERROR
