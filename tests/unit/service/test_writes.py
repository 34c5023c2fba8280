"""Orders: refused without role, reason, key or budget; a retried one is one; every one is on record."""

from __future__ import annotations

import dataclasses
from concurrent.futures import ThreadPoolExecutor

import pytest

from orchestrator.domain.errors import ConflictError, NotAllowedError, UnknownRunError, UsageError
from orchestrator.domain.run import RunState, TaskState
from orchestrator.ledger.orders import Orders
from orchestrator.runs import control
from orchestrator.service.caller import Budget, Caller, Order, Role
from orchestrator.service.change import Change
from orchestrator.service.service import Service
from orchestrator.service.writes import Writes
from tests.factories import make_plan, make_task
from tests.serving import end_run, play, start_run

DEV = Caller("token:dev", "test", Role.DEVELOPER)
TWO = [make_task("pkg/a", "ut-1"), make_task("pkg/b", "ut-2")]


def order(key: str = "k1", reason: str = "because", *, dry_run: bool = False) -> Order:
    return Order(reason, key, dry_run)


def test_a_retried_start_is_one_run(service: Service) -> None:
    first = service.writes.start(DEV, order(), make_plan())
    second = service.writes.start(DEV, order(), make_plan())
    assert first.run == second.run
    assert (first.repeated, second.repeated) == (False, True)
    assert service.ledger.active() == [first.run]


def test_many_tries_at_once_are_one_run(service: Service) -> None:
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: service.writes.start(DEV, order(), make_plan()).run, range(16)))
    assert len(set(found)) == 1
    assert len(service.ledger.active()) == 1


def test_of_tries_at_once_one_says_that_it_did_it(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    first = service.writes.start(DEV, order(), make_plan())
    assert first.run is not None
    written = [False, True]  # asked while the other try is about to write its run
    with monkeypatch.context() as patched:
        patched.setattr(Writes, "_exists", lambda *_: written.pop(0))
        second = service.writes.start(DEV, order(), make_plan())
    assert (second.run, first.repeated, second.repeated) == (first.run, False, True)
    delivery = service.ledger.delivery(first.run, make_plan().shards[0].id)
    assert delivery is not None
    service.ledger.start(delivery, "host:1", make_plan().tasks[0].id, 30)  # it ends no sooner than its task
    with monkeypatch.context() as patched:
        patched.setattr(Orders, "seen", lambda *_: False)  # asked before the other try made its claim
        ends = [service.writes.cancel(DEV, order("end"), first.run).repeated for _ in range(2)]
    assert ends == [False, True]


def test_a_start_that_was_interrupted_before_its_run_was_written_is_carried_out_by_the_retry(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    def dies(*_: object, **__: object) -> str:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(control, "start", dies)
        with pytest.raises(KeyboardInterrupt):
            service.writes.start(DEV, order(), make_plan())
    done = service.writes.start(DEV, order(), make_plan())
    assert (done.repeated, service.ledger.active()) == (False, [done.run])


def test_a_retried_start_of_a_change_is_one_run_whatever_the_change_has_become(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    plans = [make_plan(), make_plan(TWO), make_plan([])]
    monkeypatch.setattr(Service, "plan", lambda _, change: plans.pop(0))
    change = Change(pull=7)
    first = service.start(DEV, order(), change)
    again = service.start(DEV, order(), change)
    assert (again.run, again.plan, again.repeated) == (first.run, first.plan, True)
    assert len(plans) == 2, "nothing is planned for what was done"
    with pytest.raises(ConflictError, match="another order"):
        service.start(DEV, order(), Change(pull=8))
    assert service.start(DEV, order("k2"), change).run is None, "a new order is planned anew"
    assert service.ledger.active() == [first.run]


def test_a_start_of_a_change_that_was_interrupted_keeps_its_run(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    plans = [make_plan(), make_plan(TWO)]
    monkeypatch.setattr(Service, "plan", lambda _, change: plans.pop(0))

    def dies(*_: object, **__: object) -> str:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(control, "start", dies)
        with pytest.raises(KeyboardInterrupt):
            service.start(DEV, order(), Change(pull=7))
    done = service.start(DEV, order(), Change(pull=7))
    assert (done.repeated, done.tasks, service.ledger.active()) == (False, 2, [done.run])


def test_who_may_not_start_is_told_so_before_anything_is_planned_and_it_is_on_record(service: Service) -> None:
    viewer = Caller("token:vera", "test", Role.VIEWER)
    with pytest.raises(NotAllowedError, match="needs the role"):
        service.start(viewer, order(), Change(pull=7))
    with pytest.raises(UnknownRunError, match="no plan"):
        service.writes.start(DEV, order(), lambda: service.writes.kept("a" * 64), named="a" * 12)
    rows = service.reads.audit()
    assert [(row.who, row.target) for row in rows] == [("token:dev", "a" * 12), ("token:vera", "pull request 7")]
    assert all(row.result.startswith("refused") for row in rows)


def test_a_task_that_is_named_twice_is_one_and_to_end_all_is_not_to_end_what_waits(service: Service) -> None:
    run = start_run(service, make_plan(TWO), DEV.name)
    done = service.writes.cancel(DEV, order(), run, ["ut:pkg/a", "ut:pkg/a"], waiting=True)
    assert (done.tasks, done.effect) == (1, f"ends 1 tasks of run {run}")
    with pytest.raises(ConflictError, match="another order"):
        service.writes.cancel(DEV, order(), run, ["ut:pkg/a"])


def test_a_key_is_for_one_order(service: Service) -> None:
    service.writes.start(DEV, order(), make_plan())
    with pytest.raises(ConflictError, match="another order"):
        service.writes.start(DEV, order(), make_plan(TWO))


def test_a_key_of_an_order_of_nothing_is_used_like_any_other(service: Service) -> None:
    service.writes.start(DEV, order(), make_plan())
    with pytest.raises(ConflictError, match="another order"):
        service.writes.start(DEV, order(), make_plan([]))
    assert service.writes.start(DEV, order("k2", dry_run=True), make_plan([])).run is None
    nothing = [service.writes.start(DEV, order("k2"), make_plan([])) for _ in range(2)]
    assert [(done.run, done.repeated) for done in nothing] == [(None, False), (None, True)]
    with pytest.raises(ConflictError, match="another order"):
        service.writes.start(DEV, order("k2"), make_plan())
    assert len(service.ledger.active()) == 1


def test_a_change_that_had_nothing_to_run_is_not_run_by_a_retry(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    plans = [make_plan([]), make_plan()]
    monkeypatch.setattr(Service, "plan", lambda _, change: plans.pop(0))
    caller = dataclasses.replace(DEV, budget=Budget(runs=0))
    assert service.start(caller, order(), Change(pull=7)).run is None
    again = service.start(caller, order(), Change(pull=7))
    assert (again.run, again.repeated, service.ledger.active()) == (None, True, [])


def test_keys_of_two_callers_do_not_meet(service: Service) -> None:
    other = Caller("token:other", "test", Role.DEVELOPER)
    assert service.writes.start(DEV, order(), make_plan()).run != service.writes.start(other, order(), make_plan()).run


def test_a_dry_run_changes_nothing_and_says_what_it_costs(service: Service) -> None:
    done = service.writes.start(DEV, order(dry_run=True), make_plan(TWO))
    assert (done.run, done.dry_run, done.tasks, done.cost) == (None, True, 2, 20.0)
    assert service.ledger.active() == []
    assert service.orders.spent(DEV.name) == (0, 0.0)


@pytest.mark.parametrize("reason", ["", "  ", "two\nlines", "x" * 501])
def test_a_reason_is_needed(service: Service, reason: str) -> None:
    with pytest.raises(UsageError, match="reason"):
        service.writes.start(DEV, order(reason=reason), make_plan())


@pytest.mark.parametrize("key", ["", "-x", "a b", "x" * 101])
def test_a_key_is_needed(service: Service, key: str) -> None:
    with pytest.raises(UsageError, match="key"):
        service.writes.start(DEV, order(key), make_plan())


def test_a_viewer_starts_nothing_and_the_refusal_is_on_record(service: Service) -> None:
    with pytest.raises(NotAllowedError, match="developer"):
        service.writes.start(Caller("token:vera", "test", Role.VIEWER), order(), make_plan())
    (entry,) = service.reads.audit()
    assert (entry.who, entry.action) == ("token:vera", "start")
    assert entry.result.startswith("refused:")


def test_the_budget_counts_runs_and_runner_time_and_a_retry_costs_nothing(service: Service) -> None:
    poor = Caller("token:poor", "test", Role.DEVELOPER, Budget(runs=2, runner_minutes=0.4))
    service.writes.start(poor, order("a"), make_plan())
    service.writes.start(poor, order("a"), make_plan())
    assert service.orders.spent(poor.name) == (1, 10.0)
    with pytest.raises(NotAllowedError, match="runner-minutes"):
        service.writes.start(poor, order("b"), make_plan(TWO))
    service.writes.start(poor, order("c"), make_plan(TWO[:1]))
    with pytest.raises(NotAllowedError, match="2 of 2 runs"):
        service.writes.start(poor, order("d"), make_plan(TWO[:1]))
    with pytest.raises(NotAllowedError, match="2 of 2 runs"):
        service.writes.start(poor, order("e", dry_run=True), make_plan(TWO[:1]))
    assert len(service.ledger.active()) == 2


def test_a_plan_of_a_bare_diff_or_another_profile_is_refused(service: Service) -> None:
    with pytest.raises(UsageError, match="no commit"):
        service.writes.start(DEV, order(), make_plan(commit=None))
    with pytest.raises(UsageError, match="profile 'other'"):
        service.writes.start(DEV, order(), dataclasses.replace(make_plan(), profile="other"))


def test_a_rerun_runs_what_failed_and_names_its_parent(service: Service) -> None:
    run = start_run(service, make_plan(TWO))
    with pytest.raises(ConflictError, match="still runs"):
        service.writes.rerun(DEV, order(), run, failed=True)
    play(service, run, {"ut:pkg/a": (TaskState.FAILED, ()), "ut:pkg/b": (TaskState.PASSED, ())})
    end_run(service, run)
    done = service.writes.rerun(DEV, order(), run, failed=True)
    progress = service.ledger.progress(done.run or "")
    assert progress is not None
    assert (progress.parent, progress.total) == (run, 1)


def test_a_retried_rerun_of_a_pull_request_is_one_run(service: Service) -> None:
    run = start_run(service, make_plan(TWO))
    play(service, run, {"ut:pkg/a": (TaskState.FAILED, ()), "ut:pkg/b": (TaskState.PASSED, ())})
    end_run(service, run)
    first = service.writes.rerun(DEV, order(), "7", failed=True)
    second = service.writes.rerun(DEV, order(), "7", failed=True)
    assert (first.repeated, second.repeated) == (False, True)
    assert dataclasses.replace(second, repeated=False) == first
    with pytest.raises(ConflictError, match="still runs"):
        service.writes.rerun(DEV, order("another"), "7", failed=True)
    play(service, first.run or "", {"ut:pkg/a": (TaskState.PASSED, ())})
    end_run(service, first.run or "")
    assert service.writes.rerun(DEV, order(), "7", failed=True).repeated


def test_cancelling_is_for_who_started_it_or_a_maintainer_and_can_be_said_twice(service: Service) -> None:
    run = service.writes.start(DEV, order("s"), make_plan(TWO)).run or ""
    other = Caller("token:other", "test", Role.DEVELOPER)
    with pytest.raises(NotAllowedError, match="maintainer"):
        service.writes.cancel(other, order(), run)
    with pytest.raises(UnknownRunError, match="no task"):
        service.writes.cancel(DEV, order(), run, ["ut:nothing"])
    assert service.writes.cancel(DEV, order("dry", dry_run=True), run).dry_run
    assert service.reads.run(run).cancelled_by is None
    assert not service.writes.cancel(DEV, order("c"), run).repeated
    end_run(service, run)
    assert service.writes.cancel(DEV, order("c"), run).repeated
    assert service.reads.run(run).state is RunState.CANCELLED
    with pytest.raises(ConflictError, match="ended already"):
        service.writes.cancel(DEV, order("late"), run)


def test_a_cancel_that_was_interrupted_is_carried_out_by_the_retry(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = service.writes.start(DEV, order("s"), make_plan(TWO)).run or ""

    def dies(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(control, "cancel", dies)
        with pytest.raises(KeyboardInterrupt):
            service.writes.cancel(DEV, order("c"), run)
    assert service.writes.cancel(DEV, order("c"), run).repeated
    assert service.reads.run(run).cancelled_by == DEV.name


def test_a_plan_is_kept_for_its_id(service: Service) -> None:
    plan = service.writes.keep(make_plan(TWO))
    assert service.writes.kept(plan.id) == plan
    with pytest.raises(UnknownRunError, match="no plan"):
        service.writes.kept("0" * 64)
