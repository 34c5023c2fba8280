"""Decisions: the same facts and policy give the same step, and every step is one that policy allows."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.autopilot.decide import Decision, decide
from orchestrator.autopilot.facts import PlanFacts, Proposal, Purpose, RunFacts, Situation, Spent, TaskFacts, run_facts
from orchestrator.autopilot.record import VERSION, Header, Recorder, Step, read, replay
from orchestrator.autopilot.triage import Cause
from orchestrator.autopilot.words import verdict_text
from orchestrator.domain.errors import UsageError
from orchestrator.domain.profile import Autopilot
from orchestrator.domain.run import CaseResult, CaseStatus, RunState, RunSummary, TaskResult, TaskState

POLICY = Autopilot()
PLAN = PlanFacts("p", "two packages", {"ut:a": 60.0, "ut:b": 60.0}, 120.0, has_base=True)


def facts(task: str, state: TaskState = TaskState.PASSED, **more: object) -> TaskFacts:
    return TaskFacts(task, state, **more)  # type: ignore[arg-type]


def ran(*tasks: TaskFacts, purpose: Purpose = "run", confirmed: bool = True) -> RunFacts:
    return RunFacts("r", purpose, tasks, 60.0 * len(tasks), confirmed=confirmed)


def after(*runs: RunFacts, **more: object) -> Situation:
    return Situation(PLAN, runs, **more)  # type: ignore[arg-type]


FAILS = facts("ut:b", TaskState.FAILED, failing=("TestX",))


def step(situation: Situation, policy: Autopilot = POLICY) -> tuple[str, tuple[str, ...], RunState | None]:
    found = decide(situation, policy)
    return found.action, found.tasks, found.state


def causes(situation: Situation, policy: Autopilot = POLICY) -> dict[str, Cause]:
    return {one.task: one.cause for one in decide(situation, policy).findings}


def test_a_green_run_is_a_verdict() -> None:
    assert step(after()) == ("run", ("ut:a", "ut:b"), None)
    assert step(after(ran(facts("ut:a"), facts("ut:b")))) == ("verdict", (), RunState.PASSED)


def test_failures_that_are_not_named_are_not_taken_for_those_of_the_base() -> None:
    """Of a task that fails in many cases the first ones are kept: one that the change broke may be among the rest."""
    named = tuple(f"Test{number}" for number in range(50))
    head = ran(facts("ut:a"), facts("ut:b", TaskState.FAILED, failing=named, unnamed=1))
    same = ran(facts("ut:b", TaskState.FAILED, failing=named), purpose="base")
    assert causes(after(head, same))["ut:b"] is Cause.UNKNOWN
    assert step(after(head, same)) == ("verdict", (), RunState.FAILED)
    dropped = facts("ut:b", TaskState.FAILED, unnamed=70)
    silent = after(ran(facts("ut:a"), dropped), ran(dropped, purpose="base"))
    assert step(silent)[2] is RunState.FAILED


def test_a_failure_that_may_be_among_those_of_the_base_without_a_name_is_not_called_new() -> None:
    head = ran(facts("ut:a"), facts("ut:b", TaskState.FAILED, failing=("TestA", "TestB")))
    same = ran(facts("ut:b", TaskState.FAILED, failing=("TestA",), unnamed=1), purpose="base")
    assert causes(after(head, same))["ut:b"] is Cause.UNKNOWN
    assert step(after(head, same)) == ("verdict", (), RunState.FAILED)


def test_the_facts_of_a_task_say_how_many_failures_are_not_named() -> None:
    cases = tuple(CaseResult(f"Test{number}", CaseStatus.FAILED) for number in range(20))
    result = TaskResult("ut:b", TaskState.FAILED, failed=70, failures=cases)
    summary = RunSummary("r", RunState.FAILED, "p", "demo", None, None, 0.0, 1.0, (result,), 1.0)
    (made,) = run_facts(summary, "run", 1.0, confirmed=True).tasks
    assert (len(made.failing), made.unnamed) == (20, 50)
    more = tuple(CaseResult(f"Test{number}", CaseStatus.FAILED) for number in range(70))
    (made,) = run_facts(summary, "run", 1.0, confirmed=True, failed=lambda _: more).tasks
    assert (len(made.failing), made.unnamed) == (70, 0)


def test_a_failure_seen_twice_goes_to_the_base_and_is_new_when_it_passes_there() -> None:
    first = ran(facts("ut:a"), FAILS)
    assert step(after(first)) == ("base", ("ut:b",), None)
    situation = after(first, ran(facts("ut:b"), purpose="base"))
    assert step(situation)[2] is RunState.FAILED
    assert causes(situation) == {"ut:a": Cause.PASSED, "ut:b": Cause.NEW}


def test_what_fails_on_the_base_too_is_known_and_a_further_case_is_new() -> None:
    base = ran(facts("ut:b", TaskState.FAILED, failing=("TestX",)), purpose="base")
    assert step(after(ran(facts("ut:a"), FAILS), base)) == ("verdict", (), RunState.PASSED)
    more = facts("ut:b", TaskState.FAILED, failing=("TestX", "TestY"))
    found = decide(after(ran(facts("ut:a"), more), base), POLICY)
    assert (found.state, found.findings[1].cases) == (RunState.FAILED, ("TestY",))


def test_history_of_the_base_branch_saves_the_run_on_it() -> None:
    first = ran(facts("ut:a"), FAILS)
    assert causes(after(first, base_history={"ut:b": ("TestX",)}))["ut:b"] is Cause.KNOWN
    assert causes(after(first, base_history={"ut:b": ()}))["ut:b"] is Cause.NEW


def test_a_failure_seen_once_is_run_again_and_flaky_when_it_passes() -> None:
    once = ran(facts("ut:a"), FAILS, confirmed=False)
    assert step(after(once)) == ("again", ("ut:b",), None)
    situation = after(once, ran(facts("ut:b"), purpose="again"))
    assert step(situation) == ("verdict", (), RunState.PASSED)
    assert causes(situation)["ut:b"] is Cause.FLAKY


def test_a_task_that_is_flaky_within_its_run_is_said_to_be() -> None:
    assert causes(after(ran(facts("ut:a"), facts("ut:b", flaky=True))))["ut:b"] is Cause.FLAKY


@pytest.mark.parametrize("state", [TaskState.ERROR, TaskState.LOST])
def test_infrastructure_is_run_again_up_to_a_limit_and_never_called_failed(state: TaskState) -> None:
    lost = facts("ut:b", state, host="h1")
    runs = [ran(facts("ut:a"), lost)]
    assert step(after(*runs)) == ("again", ("ut:b",), None)
    runs += [ran(lost, purpose="again")] * 2
    assert step(after(*runs)) == ("verdict", (), RunState.ERROR)
    assert "drain it" in verdict_text("PR 1", decide(after(*runs), POLICY))
    healed = [*runs[:2], ran(facts("ut:b"), purpose="again")]
    assert step(after(*healed)) == ("verdict", (), RunState.PASSED)


def test_what_both_deserve_it_runs_again_in_one_run() -> None:
    first = ran(facts("ut:a", TaskState.LOST), FAILS, confirmed=False)
    assert step(after(first)) == ("again", ("ut:a", "ut:b"), None)


def test_quarantine_and_cancel_are_respected() -> None:
    first = ran(facts("ut:a"), dataclasses.replace(FAILS, quarantined=True))
    assert step(after(first)) == ("verdict", (), RunState.PASSED)
    assert step(after(dataclasses.replace(first, cancelled=True)))[2] is RunState.CANCELLED


def test_policy_and_budget_turn_a_step_into_a_question() -> None:
    first = ran(facts("ut:a"), FAILS)
    for policy in (
        dataclasses.replace(POLICY, may=("run", "again")),
        dataclasses.replace(POLICY, max_runs=1),
        dataclasses.replace(POLICY, runner_minutes=2.5),
    ):
        found = decide(after(first), policy)
        assert (found.action, found.tasks, found.state) == ("ask", ("ut:b",), RunState.FAILED)
    assert decide(after(), dataclasses.replace(POLICY, runner_minutes=1)).action == "ask"


STATES = st.sampled_from([s for s in TaskState if s.final])
TASKS = st.builds(TaskFacts, st.sampled_from(["ut:a", "ut:b"]), STATES, st.integers(1, 3), st.booleans())
RUNS = st.builds(
    RunFacts,
    st.just("r"),
    st.sampled_from(["run", "again", "base"]),
    st.lists(TASKS, max_size=3).map(tuple),
    st.floats(0, 600),
    st.booleans(),
    st.booleans(),
)


@given(st.lists(RUNS, max_size=8).map(tuple))
def test_whatever_happened_the_next_step_is_allowed_and_the_flight_ends(runs: tuple[RunFacts, ...]) -> None:
    found = decide(Situation(PLAN, runs), POLICY)
    assert found == decide(Situation(PLAN, runs), POLICY)
    if found.action in ("run", "again", "base"):
        assert found.action in POLICY.may
        assert found.tasks
        assert len(runs) < POLICY.max_runs
    else:
        assert found.state is not None


def test_a_record_is_decided_again_from_what_it_holds(tmp_path: Path) -> None:
    path = tmp_path / "flight.jsonl"
    recorder = Recorder(path, Header(VERSION, "demo", "PR 1", POLICY))
    situations = [
        after(),
        after(ran(facts("ut:a"), FAILS)),
        after(ran(facts("ut:a"), FAILS), base_history={"ut:b": ()}),
    ]
    for number, situation in enumerate(situations, 1):
        recorder.step(Step(number, 1.0, situation, decide(situation, POLICY)))
    recorder.step(
        Step(4, 1.0, situations[1], Decision("verdict", "as an older program decided", state=RunState.PASSED))
    )
    assert [now == recorded.decision for recorded, now in replay(path)] == [True, True, True, False]


@pytest.mark.parametrize("tamper", ["policy", "fact", "decision", "seal", "left out", "swapped", "unsealed"])
def test_a_record_that_was_changed_is_refused(tmp_path: Path, tamper: str) -> None:
    path = tmp_path / "flight.jsonl"
    recorder = Recorder(path, Header(VERSION, "demo", "PR 1", POLICY))
    for number, situation in enumerate((after(), after(ran(facts("ut:a"), FAILS))), 1):
        recorder.step(Step(number, 1.0, situation, decide(situation, POLICY)))
    lines = path.read_text().splitlines()
    changed = {
        "policy": [lines[0].replace('"max_runs": 6', '"max_runs": 7'), *lines[1:]],
        "fact": [*lines[:2], lines[2].replace('"TestX"', '"TestY"')],
        "decision": [*lines[:2], lines[2].replace('"action": "base"', '"action": "verdict"')],
        "seal": [*lines[:2], lines[2].replace(recorder.seal, "0" * 64)],
        "left out": [lines[0], lines[2]],
        "swapped": [lines[0], lines[2], lines[1]],
        "unsealed": [*lines[:2], lines[2].replace('"seal"', '"sealed"')],
    }[tamper]
    assert changed != lines
    path.write_text("\n".join(changed) + "\n")
    with pytest.raises(UsageError, match="was changed after it was written"):
        read(path)


def test_a_budget_counts_what_earlier_flights_took() -> None:
    before = Spent(runs=5, seconds=60.0)
    assert step(after(before=before))[0] == "run"
    asked = decide(after(before=dataclasses.replace(before, runs=6)), POLICY)
    assert (asked.action, "6 runs, 6 of them in other flights" in asked.reason) == ("ask", True)
    dear = dataclasses.replace(before, seconds=POLICY.runner_minutes * 60)
    assert decide(after(before=dear), POLICY).action == "ask"


@pytest.mark.parametrize("text", ["", "no json", '{"version": 99}', "[1]"])
def test_what_is_no_record_is_an_error(tmp_path: Path, text: str) -> None:
    path = tmp_path / "x"
    path.write_text(text)
    with pytest.raises(UsageError, match="no record"):
        read(path)


def test_cases_are_proposed_once_before_anything_runs_where_policy_lets_it() -> None:
    policy = dataclasses.replace(POLICY, may=("generate", "run"))
    can = Situation(PLAN, can_generate=True)
    assert step(can, policy)[0] == "generate"
    assert step(can)[0] == "run"
    done = dataclasses.replace(can, proposal=Proposal(("a.sql",), 3, ("rank",)))
    assert step(done, policy)[0] == "run"
    told = verdict_text("PR 1", decide(after(ran(facts("ut:a"), facts("ut:b"))), POLICY), done.proposal)
    assert "1 scripts (3 statements)" in told
    assert "still untested: rank" in told


def test_nothing_to_run_passes() -> None:
    empty = PlanFacts("p", "words only", {}, 0.0, has_base=True)
    assert decide(Situation(empty), POLICY) == Decision("verdict", "nothing to run: words only", state=RunState.PASSED)
