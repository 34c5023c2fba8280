"""A flight over a real ledger and history: what it leaves behind, and what the next one knows of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from orchestrator.autopilot.decide import Decision
from orchestrator.autopilot.judge import judge
from orchestrator.autopilot.pilot import Crew, Pilot
from orchestrator.autopilot.record import read, replay
from orchestrator.domain.profile import Autopilot, Profile
from orchestrator.domain.run import CaseResult, CaseStatus, RunSummary, TaskResult, TaskState
from orchestrator.service.service import Service
from tests.factories import make_plan, make_task
from tests.serving import end_run, make_service, play, start_run

PLAN = make_plan([make_task("pkg/a", "ut-1")])
FAILED = CaseResult("TestX", CaseStatus.FAILED, message="boom")


@pytest.fixture
def service(valkey_url: str, tmp_path: Path) -> Iterator[Service]:
    profile = Profile(name="demo", autopilot=Autopilot(max_runs=2, ask=""))
    with make_service(valkey_url, tmp_path, profile) as made:
        yield made


def fly(
    service: Service,
    monkeypatch: pytest.MonkeyPatch,
    record: Path | None = None,
    narrate: Callable[[str], str] | None = None,
) -> Decision:
    """A flight whose runs all pass at once."""
    pilot = Pilot(service, "PR 1", record, Crew(print, narrate=narrate))

    def wait(run: str) -> RunSummary:
        play(service, run, {"ut:pkg/a": (TaskState.PASSED, ())})
        end_run(service, run)
        return service.reads.find(run)[0]

    monkeypatch.setattr(pilot, "_wait", wait)
    return pilot.fly(PLAN)


def test_a_budget_is_not_renewed_by_starting_again(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    assert [fly(service, monkeypatch).action for _ in range(3)] == ["verdict", "verdict", "ask"]
    runs, seconds = service.orders.flown(f"demo:{PLAN.diff_summary.head_commit}")
    assert runs == 2
    assert seconds == pytest.approx(2 * PLAN.cost.runner_seconds)


def test_flights_at_the_same_time_share_one_budget(
    service: Service, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The first has decided to run, and not begun to, when the second takes the rest of the budget."""
    orders, take = service.orders, service.orders.fly
    others: list[bool] = []

    def late(change: str, seen: int, seconds: float) -> tuple[bool, int, float]:
        if not others:
            others.extend(take(change, number, 1.0)[0] for number in (0, 1))
        return take(change, seen, seconds)

    monkeypatch.setattr(orders, "fly", late)
    record = tmp_path / "flight.jsonl"
    found = fly(service, monkeypatch, record)
    assert others == [True, True]
    assert (found.action, "it has made 2 runs, 2 of them in other flights" in found.reason) == ("ask", True)
    assert service.orders.flown(f"demo:{PLAN.diff_summary.head_commit}") == (2, 2.0)
    assert [step.decision == now for step, now in replay(record)] == [True]
    assert not [row for row in service.store.audit_log(50) if row.action in ("run", "start")]


def test_a_verdict_stands_before_a_model_is_asked_for_words(
    service: Service, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    record = tmp_path / "flight.jsonl"

    def interrupted(_: str) -> str:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fly(service, monkeypatch, record, interrupted)
    assert "verdict" in [row.action for row in service.store.audit_log(50)]
    assert [step.decision.action for step in read(record)[1]] == ["run", "verdict"]
    fly(service, monkeypatch, record, lambda text: f"in short: {text[:2]}")
    steps = read(record)[1]
    assert [(step.decision.action, step.words) for step in steps[1:]] == [("verdict", ""), ("verdict", "in short: PR")]
    assert all(step.decision == now for step, now in replay(record))


def test_every_step_is_in_the_audit_log_with_the_seal_of_the_record(
    service: Service, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    record = tmp_path / "flight.jsonl"
    fly(service, monkeypatch, record)
    _, steps = read(record)
    rows = [row for row in service.store.audit_log(50) if row.origin == "autopilot" and "[record " in row.result]
    assert sorted(row.action for row in rows) == sorted(step.decision.action for step in steps) == ["run", "verdict"]
    last = record.read_text().splitlines()[-1]
    (verdict,) = [row.result for row in rows if row.action == "verdict"]
    assert verdict.partition("[record ")[2][:16] in last


def test_a_run_is_judged_by_itself_and_the_base_branch_for_whoever_asks(service: Service) -> None:
    run = start_run(service, PLAN)
    play(service, run, {"ut:pkg/a": (TaskState.FAILED, (FAILED,))})
    end_run(service, run)
    found = judge(service, run)
    (one,) = found.findings
    assert (found.ended, one.task, one.cause.value) == (True, "ut:pkg/a", "unknown")
    assert "TestX" in one.evidence[0]
    assert one.next.startswith("look at its log")


def test_a_new_failure_behind_many_known_ones_is_new(service: Service) -> None:
    """A result keeps the first twenty failures of a task; the history has them all."""
    known = tuple(CaseResult(f"Test{number:02}", CaseStatus.FAILED) for number in range(25))
    for pull, cases in ((None, known), (7, (*known, CaseResult("TestNew", CaseStatus.FAILED)))):
        plan = make_plan([make_task("pkg/a", "ut-1")], pull=pull)
        run = start_run(service, plan)
        delivery = service.ledger.delivery(run, "ut-1")
        assert delivery is not None
        _, attempt = service.ledger.start(delivery, "host:1", "ut:pkg/a", 30)
        service.ledger.append_cases(run, "ut:pkg/a", attempt, cases)
        result = TaskResult("ut:pkg/a", TaskState.FAILED, attempt, failed=len(cases), failures=cases[:20])
        service.ledger.finish(delivery, "host:1", result)
        end_run(service, run)
    (one,) = judge(service, run).findings
    assert (one.cause.value, one.cases) == ("new", ("TestNew",))
