from __future__ import annotations

import dataclasses
import time
from typing import Any

import pytest

from orchestrator.commands import steer
from orchestrator.commands.desk import PER_MINUTE, Desk
from orchestrator.commands.look import tasks_named
from orchestrator.commands.model import Answer
from orchestrator.commands.office import Office
from orchestrator.commands.shelf import Ticket
from orchestrator.domain.errors import BrokerError, UnknownRunError
from orchestrator.domain.run import RunState, TaskResult, TaskState
from orchestrator.ledger.hosts import HostRecord, Want
from orchestrator.ledger.keys import SCHEME
from orchestrator.ledger.records import Delivery
from orchestrator.planner.codec import plan_id
from orchestrator.runs import control
from orchestrator.runs.summarize import summarize
from orchestrator.service.pulls import plan_pull
from tests.unit.commands.conftest import clicked, said
from tests.unit.store.factories import make_summary, make_task


def start(desk: Desk, user: str = "dev") -> str:
    answer = desk.handle(said(user, "run 7"))
    assert answer.follow, answer
    return answer.follow


def key(answer: Answer, words: str) -> str:
    assert answer.card
    return next(button.key for button in answer.card.buttons if button.text == words)


def audit(office: Office) -> list[tuple[str, str, str]]:
    return [(row.who.removeprefix("wecom:"), row.action, row.result) for row in reversed(office.store.audit_log())]


def finish(office: Office, run: str, state: TaskState = TaskState.FAILED) -> None:
    for task in office.runs.get(run)[1].tasks:
        delivery = Delivery(run, task.shard or "", 1)
        _, attempt = office.ledger.start(delivery, "w", task.id, 20)
        office.ledger.finish(delivery, "w", TaskResult(task.id, state, attempt, message="<@all> broke"))
    assert summarize(office.ledger, office.store, run, lambda _: [])


def test_a_pull_request_is_planned_run_watched_and_cancelled_after_a_question(desk: Desk, office: Office) -> None:
    assert "ut:x/..." in desk.handle(said("vera", "plan 7")).text
    run = start(desk)
    seen = desk.handle(said("vera", f"状态 {run[:9]}"))
    assert seen.card
    assert seen.card.run == run
    asked = desk.handle(clicked("main", key(seen, "Cancel")))
    assert not office.runs.get(run)[0].state.final
    done = desk.handle(clicked("main", key(asked, "Confirm")))
    assert done.card
    assert "main cancelled run" in done.card.title
    assert office.ledger.progress(run).cancelled_by == "wecom:main"  # type: ignore[union-attr]
    again = desk.handle(clicked("main", key(asked, "Confirm")))
    assert again.result == "stale"
    assert ("main", f"cancel {run}", "ok") in audit(office)
    notes = [event.fields["command"] for event in office.ledger.events(run) if event.kind == "command"]
    assert notes[-1] == f"cancel {run}", "in the run's own record, too"


def test_only_the_asker_may_confirm_and_a_try_of_another_uses_nothing_up(desk: Desk, office: Office) -> None:
    run = start(desk)
    asked = desk.handle(said("main", f"cancel {run}"))
    assert desk.handle(clicked("root", key(asked, "Confirm"))).result == "refused"
    assert desk.handle(said("root", f"确认 {key(asked, 'Confirm')}")).result == "refused"
    assert desk.handle(said("main", f"确认 {key(asked, 'Confirm')}")).result == "ok"
    assert ("root", f"cancel {run}", "refused: asked by another") in audit(office)


def test_of_two_clicks_at_once_one_acts_and_both_are_on_record(
    desk: Desk, office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = start(desk)
    asked = desk.handle(said("main", f"cancel {run}"))
    ticket = office.shelf.look(key(asked, "Confirm"))
    monkeypatch.setattr(office.shelf, "look", lambda _: ticket)  # both have read it before either used it up
    results = [desk.handle(clicked("main", key(asked, "Confirm"))).result for _ in range(2)]
    assert results == ["ok", "stale"]
    assert audit(office)[-2:] == [("main", f"cancel {run}", "ok"), ("main", f"cancel {run}", "refused: stale")]


def test_a_question_can_be_answered_with_no(desk: Desk, office: Office) -> None:
    run = start(desk)
    asked = desk.handle(said("main", f"cancel {run}"))
    assert desk.handle(clicked("main", key(asked, "No"))).result == "aborted"
    assert desk.handle(clicked("main", key(asked, "Confirm"))).result == "stale"
    assert not office.ledger.progress(run).cancelled_by  # type: ignore[union-attr]


def test_a_question_is_open_for_two_minutes(desk: Desk, office: Office) -> None:
    asked = desk.handle(said("main", f"cancel {start(desk)}"))
    name = f"mtp1:chat:ticket:{key(asked, 'Confirm')}"
    assert 100 < int(office.shelf.redis.ttl(name)) <= 120


@pytest.mark.parametrize(
    ("user", "group", "text", "why"),
    [
        ("nobody", "", "runs", "not in people.yaml"),
        ("nobody", "", "gibberish", "not in people.yaml"),
        ("vera", "", "run 7", "developer"),
        ("dev", "", "drain w1", "admin"),
        ("dev", "", "audit", "admin"),
        ("root", "unlisted", "runs", "not listed"),
        ("root", "others", "runs", "not in people.yaml"),
        ("stranger", "", "runs", "not in people.yaml"),
        ("nobody", "team", "run 7", "developer"),
    ],
)
def test_what_nobody_allowed_is_refused_saying_what_is_missing(
    desk: Desk, office: Office, user: str, group: str, text: str, why: str
) -> None:
    answer = desk.handle(said(user, text, group))
    assert answer.result == "refused"
    assert why in answer.text
    assert audit(office)[-1] == (user, text, "refused")
    assert office.ledger.active() == []


def test_a_group_gives_its_members_a_role(desk: Desk) -> None:
    assert desk.handle(said("nobody", "runs", "team")).text == "No runs yet"


def test_the_author_of_a_pull_request_steers_his_own_runs_only(desk: Desk, office: Office) -> None:
    run = start(desk, "author")
    other = desk.handle(said("author", "run 8"))
    assert other.result == "refused"
    assert desk.handle(said("vera", f"cancel {run}")).result == "refused"
    assert desk.handle(said("author", f"cancel {run}")).result == "asked"
    assert desk.handle(said("dev", f"cancel {run}")).result == "refused", "another's run"
    own = start(desk, "dev")
    assert desk.handle(said("dev", f"cancel {own}")).result == "asked", "he started it"


def test_a_button_gives_nobody_a_right(desk: Desk, office: Office) -> None:
    run = start(desk)
    ticket = office.shelf.issue(Ticket(f"cancel {run}", "", run, confirms=True))
    assert desk.handle(clicked("vera", ticket)).result == "refused"
    assert not office.ledger.progress(run).cancelled_by  # type: ignore[union-attr]


def test_what_failed_runs_again_and_a_stale_cancel_says_how_it_ended(desk: Desk, office: Office) -> None:
    run = start(desk)
    assert desk.handle(said("dev", f"rerun {run} failed")).result == "error", "it still runs"
    cancel = desk.handle(said("main", f"cancel {run}"))
    finish(office, run)
    late = desk.handle(clicked("main", key(cancel, "Confirm")))
    assert late.result == "ended already"
    failures = desk.handle(said("vera", "失败 7"))
    assert "＠all" in failures.text, "what tests print is neutralised"
    again = desk.handle(clicked("dev", key(late, "Re-run failed")))
    assert again.follow
    assert office.runs.get(again.follow)[0].parent == run


def test_a_run_of_another_project_does_not_exist_here(desk: Desk, office: Office) -> None:
    plan = dataclasses.replace(plan_pull(office.profile, 7), profile="other")
    run = control.start(office.app, office.ledger, plan)
    for text in (f"status {run}", f"cancel {run}", f"logs {run} x", f"failures {run}"):
        assert desk.handle(said("root", text)).result == "error"
    assert not office.ledger.progress(run).cancelled_by  # type: ignore[union-attr]


def test_an_ambiguous_run_is_listed_not_guessed(desk: Desk) -> None:
    first, second = start(desk), start(desk)
    answer = desk.handle(said("root", f"cancel {first[:5]}"))
    assert answer.result == "error"
    assert first in answer.text
    assert second in answer.text


def test_one_task_is_cancelled_by_a_part_of_its_name(desk: Desk, office: Office) -> None:
    run = start(desk)
    asked = desk.handle(said("dev", f"cancel {run} ut:x"))
    assert desk.handle(clicked("dev", key(asked, "Confirm"))).result == "ok"
    states = office.ledger.states(run)
    assert [states[name].value for name in sorted(states) if name.startswith("ut:")] == ["cancelled", "pending"]


def test_the_number_of_a_part_means_that_part_alone(office: Office) -> None:
    ids = [f"bvt:join#{number}" for number in range(1, 12)] + ["bvt:joined", "bvt:text#12", "ut:join"]

    def named(wanted: str, *without: str) -> list[str]:
        tasks = tuple(make_task(task) for task in ids if task not in without)
        return tasks_named(office, make_summary(tasks=tasks), wanted)

    assert named("join#1") == ["bvt:join#1"]
    assert named("join", "ut:join") == named("bvt:join") == ids[:11]
    assert named("join") == ["ut:join"]
    assert named("text") == named("xt#1") == ["bvt:text#12"]
    with pytest.raises(UnknownRunError):
        named("join#1", "bvt:join#1")


def test_documentation_plans_nothing_and_says_so(desk: Desk, office: Office) -> None:
    assert "nothing to test" in desk.handle(said("dev", "run 8")).text
    assert office.ledger.active() == []
    assert desk.handle(said("dev", "run 99")).result == "error"


def test_why_and_logs_and_help_and_whoami_answer(desk: Desk, office: Office) -> None:
    run = start(desk)
    assert "rules" in desk.handle(said("vera", f"why {run} ut:x")).text
    office.ledger.append_log(run, "ut:x/...", ["<@all> \x1b[31mline"])
    assert "＜＠all＞ line" in desk.handle(said("vera", f"logs {run} ut:x")).text
    office.ledger.append_log(run, "ut:x/...", [f"line {number}" for number in range(5090)])
    assert "line 5089" in desk.handle(said("vera", f"logs {run} ut:x")).text
    assert "cancel" in desk.handle(said("nobody", "help")).text
    assert "group `g`" in desk.handle(said("nobody", "whoami", "g")).text


def test_a_test_in_quarantine_blocks_nobody_until_it_is_released(desk: Desk, office: Office) -> None:
    assert desk.handle(said("dev", "quarantine ut:x/... 7d")).result == "refused"
    asked = desk.handle(said("main", "隔离 ut:x/... 7d"))
    assert desk.handle(said("vera", "quarantined")).text == "No test is in quarantine", "only asked"
    assert "In quarantine" in desk.handle(clicked("main", key(asked, "Confirm"))).text
    assert "main until" in desk.handle(said("vera", "隔离列表")).text
    assert audit(office)[-2][:2] == ("main", "quarantine ut:x/... 7d")
    run = start(desk)
    tasks = office.runs.get(run)[1].tasks
    for task in tasks:
        delivery = Delivery(run, task.shard or "", 1)
        _, attempt = office.ledger.start(delivery, "w", task.id, 20)
        state = TaskState.FAILED if task.id == "ut:x/..." else TaskState.PASSED
        office.ledger.finish(delivery, "w", TaskResult(task.id, state, attempt, message="broke"))
    summary = summarize(office.ledger, office.store, run, lambda _: [])
    assert summary is not None
    assert summary.state is RunState.PASSED
    assert desk.handle(said("main", "release ut:y")).result == "error"
    assert "No longer" in desk.handle(said("main", "解除隔离 ut:x/...")).text
    assert office.store.quarantines(office.profile.name) == []


def test_hosts_are_listed_and_one_is_drained_after_a_question(desk: Desk, office: Office) -> None:
    assert "no workers" in desk.handle(said("vera", "hosts")).text
    record = HostRecord(
        name="worker-1@r", version="0.0.1", scheme=SCHEME, queues=("ut", "sca"), concurrency=2, running=(("r|s", 3.0),)
    )
    office.ledger.host_beat(record)
    office.ledger.host_beat(dataclasses.replace(record, name="worker-2@<@all>"))
    listed = desk.handle(said("vera", "主机")).text
    assert "`worker-1＠r` ut,sca 1/2" in listed
    assert "version 0.0.1" in listed, "what is the matter with it"
    assert "<@all>" not in listed
    assert "sca 0" in listed
    assert desk.handle(said("main", "drain worker-1")).result == "refused", "an admin's"
    assert desk.handle(said("root", "drain nowhere")).result == "error", "before anybody is asked"
    assert desk.handle(said("root", "drain worker")).result == "error", "ambiguous"
    asked = desk.handle(said("root", "下线 worker-1@r"))
    assert office.ledger.hosts()[0].wanted.want is Want.ACTIVE
    assert "1 running shards" in desk.handle(clicked("root", key(asked, "Confirm"))).text
    wanted = office.ledger.hosts()[0].wanted
    assert (wanted.want, wanted.who) == (Want.DRAIN, "wecom:root")


def test_places_subscribe_are_silenced_and_leave(desk: Desk, office: Office) -> None:
    desk.handle(said("vera", "subscribe", "team"))
    desk.handle(said("vera", "subscribe 7"))
    assert {(s.place, s.scope) for s in office.shelf.subscriptions()} == {("bot:team", "all"), ("bot:vera", "7")}
    desk.handle(said("vera", "mute 2h"))
    assert max(s.muted_until for s in office.shelf.subscriptions()) > time.time() + 7000
    desk.handle(said("vera", "unsubscribe"))
    assert [s.place for s in office.shelf.subscriptions()] == ["bot:team"]


def test_a_flood_is_answered_once_and_then_not_at_all(
    desk: Desk, office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("orchestrator.commands.shelf.time.time", lambda: 1_700_000_000.0)
    answers = [desk.handle(said("vera", "runs")) for _ in range(PER_MINUTE + 10)]
    assert [bool(answer.text) for answer in answers] == [True] * (PER_MINUTE + 1) + [False] * 9
    assert desk.handle(said("dev", "runs")).text == "No runs yet", "others are not concerned"


def test_when_redis_is_away_the_asker_is_told(desk: Desk, office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: Any) -> int:  # noqa: ANN401
        raise BrokerError("Redis does not answer")

    monkeypatch.setattr(office.shelf, "spend", away)
    assert "Redis does not answer" in desk.handle(said("dev", "runs")).text


@pytest.mark.parametrize("text", ["run 7", "rerun 7"])
def test_a_message_that_comes_twice_starts_one_run_whatever_has_become_of_the_pull_request(
    desk: Desk, office: Office, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    finish(office, start(desk))
    message = said("dev", text)
    first = desk.handle(message)
    changed = dataclasses.replace(plan_pull(office.profile, 7), notes=("it was pushed to",))
    changed = dataclasses.replace(changed, id=plan_id(changed))
    monkeypatch.setattr(steer, "plan_pull", lambda *_: changed)
    again = desk.handle(message)
    assert (first.result, again.result, again.target) == ("ok", "ok", first.target)
    assert office.ledger.active() == [first.target]
