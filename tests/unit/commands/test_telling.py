"""Who is told what of a run, from its plan to its verdict."""

from __future__ import annotations

import dataclasses
import json
import subprocess
from pathlib import Path

import pytest

from orchestrator.commands.desk import Desk
from orchestrator.commands.office import Office
from orchestrator.domain.errors import InfrastructureError
from orchestrator.domain.run import CaseResult, CaseStatus, TaskResult, TaskState
from orchestrator.ledger import keys
from orchestrator.ledger.records import Delivery
from orchestrator.notify.telling import Teller
from orchestrator.planner.encode import plan_id
from orchestrator.runs import control
from orchestrator.runs.summarize import summarize
from orchestrator.service.pulls import plan_pull
from orchestrator.store import OutboxEntry
from tests.unit.commands.conftest import said

ALL = ("wecom", "app", "bot")


def started(office: Office, pull: int | None = 7, commit: str = "") -> str:
    plan = plan_pull(office.profile, 7)
    change = dataclasses.replace(plan.diff_summary, pr_number=pull)
    if commit:
        change = dataclasses.replace(change, head_commit=commit)
    plan = dataclasses.replace(plan, diff_summary=change)
    return control.start(office.app, office.ledger, dataclasses.replace(plan, id=plan_id(plan)))


def ended(office: Office, run: str, **cases: TaskState | list[str]) -> None:
    """End every task: ``x=["TestA"]`` lets ut:x/... fail with that case; what is not named passes."""
    for task in office.runs.get(run)[1].tasks:
        wanted = cases.get(task.id.removeprefix("ut:").removesuffix("/..."), TaskState.PASSED)
        state = TaskState.FAILED if isinstance(wanted, list) else wanted
        names = wanted if isinstance(wanted, list) else []
        failures = tuple(CaseResult(name, CaseStatus.FAILED, message="<@all> broke") for name in names)
        delivery = Delivery(run, task.shard or "", 1)
        _, attempt = office.ledger.start(delivery, "w", task.id, 20)
        office.ledger.append_cases(run, task.id, attempt, failures)
        result = TaskResult(task.id, state, attempt, failed=len(failures), failures=failures)
        office.ledger.finish(delivery, "w", result)


def verdict(office: Office, run: str) -> list[OutboxEntry]:
    teller = Teller(office, ALL)
    assert summarize(office.ledger, office.store, run, teller.verdict)
    return [entry for entry in office.store.outbox(run) if entry.message.kind in ("summary", "card")]


def words(entry: OutboxEntry) -> str:
    return str(json.loads(entry.message.payload)["markdown"])


def told(office: Office, run: str) -> list[tuple[str, str]]:
    return [(entry.message.channel, entry.message.kind) for entry in office.store.outbox(run)]


def test_subscribers_hear_of_plan_and_first_failure_once_and_the_robot_keeps_its_words(
    desk: Desk, office: Office
) -> None:
    desk.handle(said("vera", "subscribe", "team"))
    run, teller = started(office), Teller(office, ALL)
    for _ in range(3):
        teller.tick()
    Teller(office, ALL).tick()  # another control process
    assert told(office, run) == [("bot:team", "planned")]
    plan = words(office.store.outbox(run)[0])
    assert "ut:x/..." in plan, "why"
    assert "cost" in plan.lower()
    task = office.runs.get(run)[1].tasks[0]
    _, attempt = office.ledger.start(Delivery(run, task.shard or "", 1), "w", task.id, 20)
    failure = CaseResult("TestA", CaseStatus.FAILED, message="<@all> broke")
    office.ledger.append_cases(run, task.id, attempt, [failure])
    result = TaskResult(task.id, TaskState.FAILED, attempt, failed=1, failures=(failure,))
    office.ledger.finish(Delivery(run, task.shard or "", 1), "w", result)
    teller.tick()
    assert told(office, run)[1:] == [("bot:team", "first")]
    assert "`TestA` ＜＠all＞ broke" in words(office.store.outbox(run)[1])


def fail(office: Office, run: str) -> None:
    """Let the first task of a run fail."""
    task = plan_pull(office.profile, 7).tasks[0]
    _, attempt = office.ledger.start(Delivery(run, task.shard or "", 1), "w", task.id, 20)
    failure = CaseResult("TestA", CaseStatus.FAILED, message="broke")
    office.ledger.append_cases(run, task.id, attempt, [failure])
    result = TaskResult(task.id, TaskState.FAILED, attempt, failed=1, failures=(failure,))
    office.ledger.finish(Delivery(run, task.shard or "", 1), "w", result)


def test_the_first_failure_is_named_however_much_happened_before(desk: Desk, office: Office) -> None:
    desk.handle(said("vera", "subscribe", "team"))
    run = started(office)
    for number in range(600):
        office.ledger.redis.xadd(keys.part(run, "events"), {"kind": "command", "who": f"wecom:{number}"})
    fail(office, run)
    Teller(office, ALL).tick()
    assert "`TestA` broke" in words(office.store.outbox(run)[-1])


@pytest.mark.parametrize("case", ["", "[" * 100_000, "7", '{"name": 7}'])
def test_a_failure_that_cannot_be_read_silences_nobody(desk: Desk, office: Office, case: str) -> None:
    desk.handle(said("vera", "subscribe", "team"))
    broken, run, teller = started(office), started(office), Teller(office, ALL)
    office.ledger.redis.xadd(keys.part(broken, "events"), {"kind": "failure", "case": case})
    fail(office, broken)
    fail(office, run)
    teller.tick()
    assert [told(office, one)[-1] for one in (broken, run)] == [("bot:team", "first")] * 2
    assert "`TestA` broke" in words(office.store.outbox(broken)[-1])


def test_what_the_history_did_not_take_is_told_at_the_next_look(
    desk: Desk, office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.handle(said("vera", "subscribe", "team"))
    run, teller = started(office), Teller(office, ALL)

    def away(*_: object) -> None:
        raise InfrastructureError("the store is away")

    with monkeypatch.context() as patched:
        patched.setattr(office.store, "enqueue", away)
        with pytest.raises(InfrastructureError):
            teller.tick()
    teller.tick()
    assert told(office, run) == [("bot:team", "planned")]


def test_a_run_whose_plan_cannot_be_read_silences_no_other(desk: Desk, office: Office) -> None:
    desk.handle(said("vera", "subscribe", "team"))
    broken, run, teller = started(office), started(office), Teller(office, ALL)
    office.ledger.redis.set(keys.part(broken, "plan"), "{}")
    teller.tick()
    fail(office, broken)
    teller.tick()
    assert told(office, run) == [("bot:team", "planned")]
    assert told(office, broken) == [("bot:team", "first")], "what needs no plan is told"


def test_a_run_whose_plan_cannot_be_read_has_a_verdict(desk: Desk, office: Office) -> None:
    run = started(office)
    ended(office, run, x=["TestA"])
    office.ledger.redis.set(keys.part(run, "plan"), "{}")
    (entry,) = verdict(office, run)
    assert "TestA" in words(entry)
    assert office.ledger.active() == []


def test_a_run_that_takes_long_is_told_of_at_sensible_steps(desk: Desk, office: Office) -> None:
    desk.handle(said("vera", "subscribe 7"))
    run = started(office)
    Teller(office, ALL).tick()
    task = office.runs.get(run)[1].tasks[0]
    _, attempt = office.ledger.start(Delivery(run, task.shard or "", 1), "w", task.id, 20)
    office.ledger.finish(Delivery(run, task.shard or "", 1), "w", TaskResult(task.id, TaskState.PASSED, attempt))
    Teller(office, ALL).tick()
    assert told(office, run) == [("bot:vera", "planned")], "it is not yet old enough to be a worry"
    late = dataclasses.replace(office, clock=lambda: office.ledger.now() + 400)
    for _ in range(2):
        Teller(late, ALL).tick()
    assert told(office, run)[1:] == [("bot:vera", "step-50")]
    assert "1/2" in words(office.store.outbox(run)[1])


def test_a_muted_place_and_a_place_of_another_pull_request_hear_nothing(desk: Desk, office: Office) -> None:
    desk.handle(said("vera", "subscribe 8"))
    desk.handle(said("main", "subscribe"))
    desk.handle(said("main", "mute 1h"))
    run = started(office)
    Teller(office, ALL).tick()
    assert told(office, run) == []
    ended(office, run)
    assert [entry.message.channel for entry in verdict(office, run)] == ["wecom"]


def test_the_author_is_told_to_his_face_when_his_run_fails_and_not_when_it_passes(office: Office) -> None:
    run = started(office)
    ended(office, run, x=["TestA"])
    assert [entry.message.channel for entry in verdict(office, run)] == ["wecom", "app:author"]
    good = started(office)
    ended(office, good)
    assert [entry.message.channel for entry in verdict(office, good)] == ["wecom"]
    bot_only = Teller(office, ("bot",))
    office.shelf.put("opaque:author", {"id": "woAUTHOR"}, 60)
    again = started(office)
    ended(office, again, x=["TestA"])
    assert summarize(office.ledger, office.store, again, bot_only.verdict)
    assert [entry.message.channel for entry in office.store.outbox(again)] == ["bot:woAUTHOR"]


def test_what_is_new_against_the_base_branch_is_told_apart_from_what_fails_there_too(
    office: Office, clone: Path
) -> None:
    base = subprocess.run(
        ["git", "rev-parse", "main"], cwd=clone, capture_output=True, text=True, check=True
    ).stdout.strip()
    on_main = started(office, pull=None, commit=base)
    ended(office, on_main, x=["TestOld"])
    verdict(office, on_main)
    elsewhere = started(office, pull=None)  # a branch without a number: not the base branch
    ended(office, elsewhere, x=["TestNew"])
    verdict(office, elsewhere)
    run = started(office)
    ended(office, run, x=["TestOld", "TestNew"], y=["TestY"])
    text = words(verdict(office, run)[0])
    assert "**Failures** 3 of them new: 2" in text
    lines = [line for line in text.splitlines() if line.startswith("> `Test")]
    assert [line.split("`")[1] for line in lines] == ["TestNew", "TestY", "TestOld"], "new ones first"
    assert [line.rpartition(">new<")[1] != "" for line in lines] == [True, True, False]
    assert "base branch" in lines[2]
    assert "of them new: 2" in json.loads(office.store.outbox(run)[0].message.payload)["line"], "in a digest, too"


def test_without_a_run_of_the_base_branch_nothing_is_called_new(office: Office) -> None:
    run = started(office)
    ended(office, run, x=["TestA"])
    text = words(verdict(office, run)[0])
    assert "**Failures** 1\n" in text
    assert "new" not in text


def test_a_card_that_can_still_be_changed_gets_its_last_state(office: Office) -> None:
    run = started(office)
    office.shelf.remember(run, "app:dev", response_code="secret-code", task_id="t")
    office.shelf.remember(run, "bot:team")
    ended(office, run, x=["TestA"])
    card = next(entry for entry in verdict(office, run) if entry.message.kind == "card")
    assert card.message.channel == "app:dev"
    assert "failed" in card.message.payload
    assert "secret-code" not in card.message.payload, "a credential stays out of the history"


@pytest.mark.parametrize("state", [TaskState.ERROR, TaskState.LOST])
def test_infrastructure_is_told_to_the_author_too_and_is_never_new(office: Office, state: TaskState) -> None:
    run = started(office)
    ended(office, run, x=state)
    assert [entry.message.channel for entry in verdict(office, run)] == ["wecom", "app:author"]
    assert "Failures" not in words(verdict_entry(office, run))


def verdict_entry(office: Office, run: str) -> OutboxEntry:
    return next(entry for entry in office.store.outbox(run) if entry.message.kind == "summary")
