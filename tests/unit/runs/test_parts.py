"""Categories that run in parts: asked for, cancelled, compared and held in quarantine by the category's name."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import pytest

from orchestrator.domain.errors import UnknownRunError
from orchestrator.domain.naming import task_named, tasks_named
from orchestrator.domain.quarantine import Quarantine
from orchestrator.domain.run import CaseResult, CaseStatus, RunState, TaskResult, TaskState
from orchestrator.runs.baseline import baseline
from orchestrator.store import Store, StoredCase
from tests.unit.store.factories import make_message, make_summary, make_task

PARTS = ["bvt:join#1", "bvt:join#2", "bvt:joined", "ut:pkg/a"]
BASE = "b" * 40


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(f"sqlite:///{tmp_path / 'history.sqlite'}") as opened:
        yield opened


def ran(store: Store, run: str, tasks: tuple[TaskResult, ...], parent: str | None = None) -> None:
    """A run of the base branch; each failed task has the one failed case ``CATEGORY/TASK``."""
    store.record_plan(run, "{}", parent=parent, pr_number=None, profile="demo", repo_commit=BASE, created=float(run))
    cases = [
        StoredCase(f"{n}-0", task.task, 1, CaseResult(f"case of {task.task}", CaseStatus.FAILED))
        for n, task in enumerate(tasks)
        if task.state is TaskState.FAILED
    ]
    store.add_cases(run, cases)
    summary = make_summary(run, RunState.FAILED, tasks=tasks, pr_number=None, parent=parent, created=float(run))
    store.commit_run(summary, [make_message(run)])


def known(store: Store, task: str) -> frozenset[str] | None:
    return baseline(store, "demo", {task}, lambda commit: commit == BASE).failing.get(task)


def test_a_name_means_the_task_or_all_parts_of_the_category() -> None:
    assert tasks_named("bvt:join", PARTS, "run r") == ["bvt:join#1", "bvt:join#2"]
    assert tasks_named("bvt:join#2", PARTS, "run r") == ["bvt:join#2"]
    assert task_named("ut:pkg/a", PARTS, "run r") == "ut:pkg/a"
    with pytest.raises(UnknownRunError, match="run r has bvt:join in 2 parts") as caught:
        task_named("bvt:join", PARTS, "run r")
    assert "bvt:join#1, bvt:join#2" in str(caught.value.remedy)
    with pytest.raises(UnknownRunError, match="run r has no task 'bvt:jion'"):
        tasks_named("bvt:jion", PARTS, "run r")


def test_all_parts_of_a_run_together_say_what_the_base_branch_fails(store: Store) -> None:
    ran(store, "1", (make_task("bvt:join#1", TaskState.FAILED), make_task("bvt:join#2")))
    assert known(store, "bvt:join#3") == frozenset({"case of bvt:join#1"}), "the same category, cut anew"
    assert known(store, "bvt:join") == frozenset({"case of bvt:join#1"})
    assert known(store, "bvt:other") is None
    ran(store, "2", (make_task("bvt:join"),))
    assert known(store, "bvt:join#1") == frozenset(), "the newest run counts"


def test_some_parts_alone_say_nothing_of_the_others(store: Store) -> None:
    ran(store, "1", (make_task("bvt:join#1", TaskState.FAILED), make_task("bvt:join#2", TaskState.LOST)))
    assert known(store, "bvt:join#2") is None
    ran(store, "2", (make_task("bvt:join#2"),), parent="1")
    assert known(store, "bvt:join#1") is None


def test_a_category_in_quarantine_is_so_in_parts() -> None:
    entry = Quarantine("bvt:join", "li", until=1.0)
    assert entry.covers("bvt:join#2")
    assert not entry.covers("bvt:joined")
    assert not dataclasses.replace(entry, test="bvt:join#1").covers("bvt:join#2")


def test_statistics_count_the_parts_of_a_category_as_one(store: Store) -> None:
    ran(store, "1", (make_task("bvt:join#1", seconds=3.0), make_task("bvt:join#2", seconds=5.0)))
    ran(store, "2", (make_task("bvt:join", seconds=6.0), make_task("ut:pkg/a", seconds=1.0)))
    first, second = store.slowest(0)
    assert (first.task, first.runs, first.mean, first.longest, first.total) == ("bvt:join", 2, 7.0, 6.0, 14.0)
    assert (second.task, second.runs) == ("ut:pkg/a", 1)
