"""Categories that run in parts: asked for, cancelled and compared by the category's name."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from unittest.mock import Mock

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import literal, select
from sqlalchemy.dialects import sqlite

from orchestrator.domain.errors import UnknownRunError
from orchestrator.domain.naming import script_of, task_named, tasks_named
from orchestrator.domain.plan import whole_of
from orchestrator.domain.run import CaseResult, CaseStatus, RunState, TaskResult, TaskState
from orchestrator.runs.baseline import baseline
from orchestrator.store import Store, StoredCase
from orchestrator.store.statistics import whole_sql
from tests.unit.store.factories import make_message, make_summary, make_task

PARTS = ["bvt:join#1", "bvt:join#2", "bvt:joined", "ut:pkg/a"]
BASE = "b" * 40


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(f"sqlite:///{tmp_path / 'history.sqlite'}") as opened:
        yield opened


def ran(store: Store, run: str, tasks: tuple[TaskResult, ...], plan: str = "") -> None:
    """A run of the base branch; each failed task has the failed case ``case of TASK``, unless it says ``timeout``.

    Without a ``plan``, a task with a number is a part: it has files.
    """
    parts = [{"id": task.task, "files": ["a.sql"]} for task in tasks if "#" in task.task]
    plan = plan or json.dumps({"tasks": parts})
    store.record_plan(run, plan, parent=None, pr_number=None, profile="demo", repo_commit=BASE, created=float(run))
    cases = [
        StoredCase(f"{n}-0", task.task, 1, CaseResult(f"case of {task.task}", CaseStatus.FAILED))
        for n, task in enumerate(tasks)
        if task.state is TaskState.FAILED and task.message != "timeout"
    ]
    store.add_cases(run, cases)
    summary = make_summary(run, RunState.FAILED, tasks=tasks, pr_number=None, parent=None, created=float(run))
    store.commit_run(summary, [make_message(run)])


def known(store: Store, task: str) -> frozenset[str] | None:
    return baseline(store, "demo", {task}, lambda commit: commit == BASE).failing.get(task)


@pytest.mark.parametrize(
    ("file", "case", "script"),
    [
        ("test/cases/join/a.sql", "join/a.sql:7", "a.sql"),
        ("test/join/cases/join/a.sql", "join/a.sql:7", "a.sql"),
        ("test/cases/join/left/join/a.sql", "join/left/join/a.sql:7", "left/join/a.sql"),
        ("test/join/cases/join/join/join/a.sql", "join/join/join/a.sql:7", "join/join/a.sql"),
        ("join/a.sql", "join/a.sql:7", "a.sql"),
        ("test/cases/join/a.sql", "select 1", None),
        ("test/cases/join/a.sql", "joined/a.sql:7", None),
        ("test/cases/join/a.sql", "join/b.sql:7", None),
    ],
)
def test_a_script_of_a_category_is_told_where_folders_above_or_below_have_its_name(
    file: str, case: str, script: str | None
) -> None:
    assert script_of("join", file, case) == script


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
    plan = {
        "omitted": [{"type": "bvt", "name": "join#1"}, {"type": "bvt", "name": "text"}, {"type": "sca", "name": "a"}]
    }
    ran(store, "2", (make_task("bvt:join#2"), make_task("bvt:other#1")), json.dumps(plan))
    assert known(store, "bvt:join#1") is None, "a run of one part, whoever asked for it"
    assert known(store, "bvt:other#2") == frozenset()


@pytest.mark.parametrize("second", [TaskState.PASSED, TaskState.FAILED])
def test_a_part_that_failed_without_a_case_excuses_no_case_of_the_others(store: Store, second: TaskState) -> None:
    silent = make_task("bvt:join#1", TaskState.FAILED, message="timeout")
    ran(store, "1", (silent, make_task("bvt:join#2", second)))
    assert known(store, "bvt:join#2") is None, "nobody knows which cases the part would have failed"
    ran(store, "2", (silent, dataclasses.replace(silent, task="bvt:join#2")))
    assert known(store, "bvt:join#2") == frozenset({""}), "as a whole"


def test_a_run_is_read_once_however_many_tasks_are_asked_for(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    ran(store, "1", (make_task("bvt:join"),))
    read = Mock(wraps=store.summary)
    monkeypatch.setattr(store, "summary", read)
    baseline(store, "demo", {f"ut:{name}" for name in "abc"}, lambda commit: commit == BASE)
    read.assert_called_once_with("1")


def test_neither_many_pull_requests_nor_many_failures_hide_what_the_base_branch_fails(store: Store) -> None:
    ran(store, "1", (make_task("bvt:join", TaskState.FAILED),))
    more = (StoredCase(f"9-{n}", "bvt:join", 1, CaseResult(f"case {n}", CaseStatus.ERROR)) for n in range(1500))
    store.add_cases("1", more)
    for number in range(250):
        words = {"pr_number": number, "profile": "demo", "repo_commit": BASE, "created": 2.0 + number}
        store.record_plan(f"pr-{number}", "{}", parent=None, **words)  # type: ignore[arg-type]
    assert {"case of bvt:join", "case 1499"} <= (known(store, "bvt:join") or set())


def test_statistics_count_the_parts_of_a_category_as_one(store: Store) -> None:
    ran(store, "1", (make_task("bvt:join#1", seconds=3.0), make_task("bvt:join#2", seconds=5.0)))
    ran(store, "2", (make_task("bvt:join", seconds=6.0), make_task("ut:pkg/a", seconds=1.0)))
    first, second = store.slowest(0)
    assert (first.task, first.runs, first.mean, first.longest, first.total) == ("bvt:join", 2, 7.0, 8.0, 14.0)
    assert (second.task, second.runs) == ("ut:pkg/a", 1)
    ran(store, "3", (make_task("bvt:join#2", seconds=1.0),))
    assert [(row.runs, row.mean, row.longest) for row in store.slowest(0, limit=1)] == [(2, 7.5, 8.0)], "a part again"


def test_statistics_count_a_category_that_is_called_as_a_part_by_itself(store: Store) -> None:
    tasks = (make_task("bvt:join", seconds=3.0), make_task("bvt:join#2", seconds=5.0))
    for number, status in enumerate((CaseStatus.FAILED, CaseStatus.PASSED), 1):
        ran(store, f"{number}", tasks, '{"tasks": [{"id": "bvt:join"}, {"id": "bvt:join#2", "category": "join#2"}]}')
        store.add_cases(f"{number}", [StoredCase("1-0", "bvt:join#2", 1, CaseResult("a.sql:1", status))])
    assert [(row.task, row.runs, row.total) for row in store.slowest(0)] == [
        ("bvt:join#2", 2, 10.0),
        ("bvt:join", 2, 6.0),
    ]
    assert [row.task for row in store.flakiest(0, profile="demo")] == ["bvt:join#2"]


def test_a_case_that_fails_in_one_part_and_passes_in_another_is_flaky_once(store: Store) -> None:
    ends = (("1", "bvt:join#1", CaseStatus.FAILED), ("2", "bvt:join#2", CaseStatus.PASSED))
    for run, task, status in (*ends, ("3", "bvt:join", CaseStatus.FAILED), ("4", "bvt:joined", CaseStatus.PASSED)):
        ran(store, run, (make_task(task),))
        store.add_cases(run, [StoredCase("1-0", task, 1, CaseResult("a.sql:1", status))])
    (flaky,) = store.flakiest(0)
    assert (flaky.task, flaky.name, flaky.commits, flaky.failures) == ("bvt:join", "a.sql:1", 1, 2)


@given(st.from_regex(r"(bvt|ut):[a#b/\n]{0,3}(#[0-9]{0,6})?", fullmatch=True))
def test_sql_reads_the_whole_of_a_part_as_python_does(task: str) -> None:
    query = select(whole_sql(literal(task))).compile(dialect=sqlite.dialect(), compile_kwargs={"literal_binds": True})
    with contextlib.closing(sqlite3.connect(":memory:")) as database:
        assert database.execute(str(query)).fetchone() == (whole_of(task),)
