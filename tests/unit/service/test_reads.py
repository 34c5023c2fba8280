"""Questions: bounded answers that go on after a cursor, live and from the history alike."""

from __future__ import annotations

import pytest

from orchestrator.domain.errors import UnknownRunError, UsageError
from orchestrator.domain.run import CaseResult, CaseStatus, FailureKind, RunState, TaskState
from orchestrator.service.service import Service
from tests.factories import make_plan, make_task
from tests.serving import end_run, play, start_run

TASKS = [make_task(f"pkg/{name}", f"ut-{name}") for name in "abc"]


def case(number: int, status: CaseStatus = CaseStatus.FAILED) -> CaseResult:
    return CaseResult(f"Test{number}", status, 0.1, f"said {number}", FailureKind.TEST, "pkg/a/a_test.go", number + 1)


@pytest.fixture
def ended(service: Service) -> str:
    run = start_run(service, make_plan(TASKS))
    cases = (*map(case, range(30)), case(99, CaseStatus.PASSED))
    play(
        service,
        run,
        {
            "ut:pkg/a": (TaskState.FAILED, cases),
            "ut:pkg/b": (TaskState.PASSED, (case(1, CaseStatus.PASSED),)),
            "ut:pkg/c": (TaskState.ERROR, ()),
        },
    )
    end_run(service, run)
    return run


def test_a_run_says_its_verdict_and_what_needs_attention(service: Service, ended: str) -> None:
    view = service.reads.run(ended)
    assert (view.state, view.exit_code, view.total) == (RunState.ERROR, 3, 3)
    assert view.counts == {"passed": 1, "failed": 1, "error": 1}
    assert [task.task for task in view.attention] == ["ut:pkg/a", "ut:pkg/c"]
    assert all(not task.failures for task in view.attention)


def test_failures_come_in_pages_that_are_complete_together(service: Service, ended: str) -> None:
    names, offset = [], 0
    while True:
        page = service.reads.failures(ended, offset=offset, limit=7)
        names += [failure.case.name for failure in page.failures]
        if page.next is None:
            break
        offset = page.next
    assert names == [f"Test{n}" for n in range(30)]
    assert page.total == 30


def test_a_page_of_failures_reads_no_more_than_it_shows(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run may have 200,000 of them."""
    run, read, asked = start_run(service, make_plan(TASKS)), service.store.failures_of, list[int]()

    def noted(run_id: str, task: str, attempt: int, limit: int, offset: int = 0) -> list[CaseResult]:
        asked.append(limit)
        return read(run_id, task, attempt, limit, offset)

    monkeypatch.setattr(service.store, "failures_of", noted)
    play(service, run, {task.id: (TaskState.FAILED, tuple(map(case, range(20)))) for task in TASKS})
    end_run(service, run)
    pages = [service.reads.failures(run, offset=offset, limit=7) for offset in range(0, 70, 7)]
    told = [(failure.task, failure.case.name) for page in pages for failure in page.failures]
    assert told == [(task.id, f"Test{n}") for task in TASKS for n in range(20)]
    assert [page.next for page in pages] == [7, 14, 21, 28, 35, 42, 49, 56, None, None]
    assert max(asked) <= 7


def test_failures_and_log_of_a_task_whose_name_the_history_cuts_are_told(service: Service) -> None:
    run = start_run(service, make_plan([make_task("x" * 1100)]))
    play(service, run, {f"ut:{'x' * 1100}": (TaskState.FAILED, (case(1),))})
    end_run(service, run)
    service.ledger.redis.flushall()
    page = service.reads.failures(run)
    assert (page.total, [failure.case.name for failure in page.failures]) == (1, ["Test1"])
    assert service.reads.log(run, page.failures[0].task).ended


def test_more_than_a_thousand_failures_are_all_told(service: Service) -> None:
    run = start_run(service, make_plan(TASKS[:1]))
    play(service, run, {"ut:pkg/a": (TaskState.FAILED, tuple(map(case, range(1100))))})
    end_run(service, run)
    page = service.reads.failures(run, offset=1000, limit=200)
    assert (len(page.failures), page.total, page.next) == (100, 1100, None)


def test_events_go_on_after_the_cursor_and_end(service: Service, ended: str) -> None:
    first = service.reads.events(ended)
    assert first.ended
    assert {"started", "finished", "failure", "ended"} <= {event.kind for event in first.events}
    rest = service.reads.events(ended, first.cursor, wait=4)
    assert (rest.events, rest.cursor, rest.ended) == ((), first.cursor, True)


def test_logs_go_on_after_the_cursor(service: Service, ended: str) -> None:
    page = service.reads.log(ended, "ut:pkg/a")
    assert (page.lines, page.ended) == (("ut:pkg/a says failed",), True)
    assert service.reads.log(ended, "ut:pkg/a", page.cursor).lines == ()


def test_what_does_not_exist_is_an_error_that_names_what_does(service: Service, ended: str) -> None:
    with pytest.raises(UnknownRunError, match=r"ut:pkg/x"):
        service.reads.log(ended, "ut:pkg/x")
    with pytest.raises(UsageError, match="cursor"):
        service.reads.events(ended, "yesterday")
    with pytest.raises(UnknownRunError, match="no run"):
        service.reads.run("nothing-0")


def test_runs_are_the_newest_first_and_only_those_of_the_profile(service: Service, ended: str) -> None:
    import dataclasses

    from orchestrator.planner.codec import plan_id

    live = start_run(service, make_plan(TASKS))
    other = dataclasses.replace(make_plan(TASKS), profile="other")
    start_run(service, dataclasses.replace(other, id=plan_id(other)))
    assert [row.run for row in service.reads.runs()] == [live, ended]
    assert [row.run for row in service.reads.runs(state="error")] == [ended]
    stats = service.reads.stats()
    assert (stats.runs, stats.live, stats.by_state) == (2, 1, {"running": 1, "error": 1})


def test_the_number_of_a_pull_request_never_means_a_run_of_another_one(service: Service) -> None:
    """Ids start with the month and the day: a run of today is not what who says `1126` asks about."""
    run = start_run(service, make_plan(TASKS, pull=7))
    day = run.partition("-")[0]
    assert service.reads.find("7")[0].run == run
    assert service.reads.find(f"{day}-")[0].run == run
    for number in (day, day[:2], day[0], str(2**31), "9" * 60, "9" * 5000):
        with pytest.raises(UnknownRunError, match="no run"):
            service.reads.find(number)


def test_no_name_means_no_run_not_the_only_one_there_is(service: Service) -> None:
    start_run(service, make_plan(TASKS))
    with pytest.raises(UsageError, match="empty"):
        service.reads.find("")


def test_a_cursor_has_the_digits_that_redis_reads(service: Service, ended: str) -> None:
    with pytest.raises(UsageError, match="cursor"):
        service.reads.events(ended, "\u0663")


def test_the_history_is_asked_for_what_is_wanted_not_for_its_newest(service: Service, ended: str) -> None:
    for number in range(260):
        service.store.record_plan(
            f"0101-{number:08x}", "{}", parent=None, pr_number=7, profile="demo", repo_commit=None, created=2e9
        )
    assert [row.run for row in service.reads.runs(1, state="error")] == [ended], "however many others are newer"
    assert len(service.reads.runs(20)) == 20
    assert service.reads.stats().runs == 261


def test_a_queue_says_how_long_its_oldest_shard_waits(service: Service) -> None:
    start_run(service, make_plan(TASKS))
    (row,) = [row for row in service.reads.fleet().queues if row.queue == "ut"]
    assert (row.length, row.workers) == (3, ())
    assert row.age >= 0
