from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.commands.words import Language
from orchestrator.domain.run import (
    CaseResult,
    CaseStatus,
    FailureKind,
    RunState,
    RunSummary,
    Stop,
    TaskResult,
    TaskState,
)
from orchestrator.notify.wecom.messages import duration, summary_message
from orchestrator.notify.wecom.standin.lint import warnings
from orchestrator.notify.wecom.text import MARKDOWN_LIMIT, size
from orchestrator.runs.baseline import Baseline
from tests.unit.store.factories import GO_FAILURE, make_summary, make_task


def test_a_failed_run_tells_verdict_failures_and_next_step_in_english() -> None:
    assert summary_message(make_summary(), "en").splitlines() == [
        '**<font color="warning">failed</font>** demo PR 42',
        "> run `r-0001` · took 3m20s · cost 12m34s",
        "**UT** 1 failed · cases 3 passed 1 failed",
        "**BVT** 1 failed · cases 3 passed 1 failed",
        "**SCA** 1 passed · cases 3 passed",
        "**Failures** 2",
        "> `TestDiscount/half_price` pkg/price/price_test.go:12 got 50, want 40",
        "> `select sum(a) from t1` join/join.sql:17 mismatch expected 6 actual 7",
        "look `mo-testplan status r-0001`",
        "re-run `mo-testplan rerun r-0001 --failed`",
    ]


def test_the_same_in_chinese() -> None:
    lines = summary_message(make_summary(), "zh").splitlines()
    assert lines[0] == '**<font color="warning">失败</font>** demo PR 42'
    assert lines[1] == "> 运行 `r-0001` · 用时 3m20s · 机时 12m34s"
    assert "> `select sum(a) from t1` join/join.sql:17 结果不符 期望 6 实际 7" in lines
    assert lines[-1] == "重跑失败项 `mo-testplan rerun r-0001 --failed`"


def test_a_passed_run_is_green_and_offers_no_rerun() -> None:
    text = summary_message(make_summary(state=RunState.PASSED, pr_number=None), "en")
    assert text.startswith('**<font color="info">passed</font>** demo\n')
    assert "rerun" not in text


def test_infrastructure_is_never_shown_among_the_failures() -> None:
    tasks = (
        make_task("ut:pkg/a", TaskState.LOST, message="host h2 was lost three times"),
        make_task("bvt:join", TaskState.ERROR, message="the server does not come up"),
        make_task("ut:pkg/b", TaskState.FAILED, failed=1, failures=(GO_FAILURE,)),
    )
    failures, _, troubles = summary_message(make_summary(state=RunState.ERROR, tasks=tasks), "en").partition("Infra")
    assert "**Failures** 1" in failures
    assert "pkg/a" not in failures
    assert "`ut:pkg/a` lost host h2 was lost three times" in troubles
    assert "`bvt:join` error the server does not come up" in troubles


def test_a_cancelled_run_says_who_and_a_rerun_says_of_what() -> None:
    text = summary_message(make_summary(state=RunState.CANCELLED, cancelled_by="alice", parent="r-0000"), "en")
    assert '<font color="comment">cancelled</font>' in text
    assert "> cancelled: alice" in text
    assert "> re-run of `r-0000`" in text


def test_a_run_of_nothing_says_so() -> None:
    assert "nothing to test" in summary_message(make_summary(state=RunState.PASSED, tasks=()), "en")


def test_a_failed_task_without_cases_shows_its_own_message() -> None:
    task = make_task("ut:pkg/a", TaskState.FAILED, message="build failed: undefined: x")
    assert "> `ut:pkg/a` build failed: undefined: x" in summary_message(make_summary(tasks=(task,)), "en")


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (FailureKind.BUILD, "build failed"),
        (FailureKind.PANIC, "panic"),
        (FailureKind.RACE, "data race"),
        (FailureKind.TIMEOUT, "timeout"),
    ],
)
def test_kinds_of_failure_are_told_apart(kind: FailureKind, words: str) -> None:
    case = dataclasses.replace(GO_FAILURE, kind=kind)
    task = make_task("ut:a", TaskState.FAILED, failed=1, failures=(case,))
    assert f"price_test.go:12 {words} got 50" in summary_message(make_summary(tasks=(task,)), "en")


def test_flaky_and_quarantined_stand_apart_from_failures_and_the_run_may_pass() -> None:
    case = CaseResult("TestA", CaseStatus.FAILED, message="<@all> broke")
    tasks = (
        TaskResult("ut:a", TaskState.PASSED, flaky=True, failures=(case,)),
        TaskResult("ut:b", TaskState.FAILED, failed=1, failures=(case,), quarantine="li until 2026-01-31: <font>"),
    )
    text = summary_message(make_summary(state=RunState.PASSED, tasks=tasks), "en")
    assert "Failures" not in text
    assert "**Flaky (passed when tried again)** 1\n> `ut:a` TestA ＜＠all＞ broke" in text
    assert "**In quarantine (blocks nothing)** 1\n> `ut:b` li until 2026-01-31: ＜font＞ TestA" in text
    zh = summary_message(make_summary(state=RunState.PASSED, tasks=tasks), "zh")
    assert "不稳定" in zh
    assert "隔离中" in zh


def test_a_cancelled_run_says_when_its_processes_were_dead() -> None:
    tasks = (TaskResult("ut:a", TaskState.CANCELLED, stop=Stop(0.1, 0.4, 0.5)),)
    text = summary_message(make_summary(state=RunState.CANCELLED, tasks=tasks, cancelled_by="wecom:li"), "en")
    assert "cancelled: wecom:li · every process dead after 0.4s" in text


def test_what_is_not_shown_is_counted() -> None:
    cases = tuple(dataclasses.replace(GO_FAILURE, name=f"Test{n}") for n in range(6))
    tasks = tuple(make_task(f"ut:p{n}", TaskState.FAILED, failed=30, failures=cases) for n in range(5))
    lines = summary_message(make_summary(tasks=tasks), "en").splitlines()
    shown = [line for line in lines if line.startswith("> `Test")]
    assert "**Failures** 150" in lines
    assert len(shown) == 10
    assert "… and 140 more" in lines


def test_nothing_is_said_of_new_failures_where_they_may_be_among_those_without_a_name() -> None:
    named = tuple(CaseResult(f"Test{number}", CaseStatus.FAILED) for number in range(20))
    for failed, base, said in ((20, named, True), (21, named, False), (21, named[1:], True)):
        task = TaskResult("ut:pkg/a", TaskState.FAILED, failed=failed, failures=named)
        known = Baseline({"ut:pkg/a": frozenset(case.name for case in base)})
        text = summary_message(make_summary("r", RunState.FAILED, tasks=(task,)), "en", base=known)
        assert ("of them new" in text) is said


HOSTILE = st.text(st.sampled_from("<@>[]()`*#\n\u202e中😀ab:/ "), max_size=500)


@st.composite
def summaries(draw: st.DrawFn) -> RunSummary:
    case: st.SearchStrategy[CaseResult] = st.builds(
        CaseResult,
        name=HOSTILE,
        status=st.sampled_from(CaseStatus),
        message=HOSTILE,
        kind=st.none() | st.sampled_from(FailureKind),
        file=st.none() | HOSTILE,
        line=st.none() | st.integers(1, 10**9),
        expected=st.none() | HOSTILE,
        actual=st.none() | HOSTILE,
    )
    task: st.SearchStrategy[TaskResult] = st.builds(
        TaskResult,
        task=st.sampled_from(("ut:", "bvt:", "sca:", "")).flatmap(lambda suite: HOSTILE.map(lambda t: suite + t)),
        state=st.sampled_from(TaskState),
        failed=st.integers(0, 10**12),
        message=HOSTILE,
        failures=st.lists(case, max_size=6).map(tuple),
    )
    return make_summary(
        run=draw(HOSTILE),
        state=draw(st.sampled_from(RunState)),
        profile=draw(HOSTILE),
        parent=draw(st.none() | HOSTILE),
        cancelled_by=draw(st.none() | HOSTILE),
        tasks=tuple(draw(st.lists(task, max_size=12))),
    )


@settings(max_examples=60)
@given(summaries(), st.sampled_from(("zh", "en")))
def test_any_run_fits_one_message_and_speaks_only_our_markup(summary: RunSummary, language: Language) -> None:
    text = summary_message(summary, language)
    assert size(text) <= MARKDOWN_LIMIT
    assert text.count("<") == 2
    assert "<@" not in text
    assert "](" not in text
    assert text.count("`") % 2 == 0
    assert text.splitlines()[-1].startswith(("look", "re-run", "查看", "重跑")), "the next step is never cut off"
    assert warnings("markdown", {"msgtype": "markdown", "markdown": {"content": text}}) == ()


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.04, "0.0s"), (9.96, "10.0s"), (59.4, "59s"), (59.6, "1m00s"), (3599, "59m59s"), (7500, "2h05m")],
)
def test_durations_read_well(seconds: float, words: str) -> None:
    assert duration(seconds) == words
