"""The comment of a pull request: what a developer reads first."""

from __future__ import annotations

from orchestrator.domain.run import CaseResult, CaseStatus, RunState, TaskResult, TaskState
from orchestrator.notify.github.words import run_comment
from orchestrator.runs.baseline import Baseline
from tests.factories import make_plan, make_task
from tests.unit.store.factories import make_summary

PLAN = make_plan([make_task("pkg/a", "ut-1"), make_task("pkg/b", "ut-2"), make_task("pkg/c", "ut-3")])


def case(name: str) -> CaseResult:
    return CaseResult(name, CaseStatus.FAILED, message="boom")


def test_each_failure_says_whether_it_is_new_with_the_change() -> None:
    mixed = TaskResult("ut:pkg/a", TaskState.FAILED, failures=(case("TestNew"), case("TestOld")))
    unknown = TaskResult("ut:pkg/b", TaskState.FAILED, failures=(case("TestX"),))
    summary = make_summary("r", RunState.FAILED, tasks=(mixed, unknown))
    lines = run_comment(summary, PLAN, Baseline({"ut:pkg/a": frozenset({"TestOld"})})).splitlines()
    (new,), (old,), (x,) = ([line for line in lines if name in line] for name in ("TestNew", "TestOld", "TestX"))
    assert new.endswith("**new with this change**")
    assert old.endswith("fails on the base branch, too")
    assert "base" not in x
    assert "new" not in x


def test_failures_that_a_result_does_not_name_are_counted() -> None:
    many = TaskResult("ut:pkg/a", TaskState.FAILED, failed=500, failures=tuple(case(f"Test{n}") for n in range(20)))
    assert "  * … and 495 more" in run_comment(make_summary("r", RunState.FAILED, tasks=(many,)), PLAN).splitlines()


def test_flaky_and_quarantined_tests_are_shown_although_they_block_nobody() -> None:
    flaky = TaskResult("ut:pkg/a", TaskState.PASSED, flaky=True)
    owned = TaskResult("ut:pkg/b", TaskState.FAILED, quarantine="bo until 2026-12-01")
    text = run_comment(make_summary("r", RunState.PASSED, tasks=(flaky, owned)), PLAN)
    assert "* **flaky** `ut:pkg/a`: it failed, and passed" in text
    assert "(in quarantine, blocks nobody: `bo until 2026-12-01`) `ut:pkg/b`" in text
