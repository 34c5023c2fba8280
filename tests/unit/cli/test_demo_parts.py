"""Parts of the demo: its repository, its plan, and how it shows what it shows."""

from __future__ import annotations

import argparse
import dataclasses
import signal
from pathlib import Path

import pytest

from orchestrator.cli import demo
from orchestrator.cli.demo.sample import BASE, HEAD, SampleRepository
from orchestrator.cli.demo.tell import as_shown, innermost, table
from orchestrator.diff.source import from_repository
from orchestrator.domain.plan import Suite, TestPlan
from orchestrator.domain.run import CaseResult, CaseStatus
from orchestrator.planner.pipeline import build_plan
from orchestrator.planner.tree import GitTree
from orchestrator.settings import check_profile, settings_from


def plan_of(sample: SampleRepository) -> TestPlan:
    change = dataclasses.replace(from_repository(sample.path, BASE, HEAD), pr_number=7)
    profile = check_profile("demo", settings_from({}))
    return build_plan(change, profile, tree=GitTree(sample.path, change.head_commit or HEAD))


def test_a_closed_terminal_ends_no_demo_that_was_started_to_outlive_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """As ``nohup`` starts it; TERM ends it all the same."""
    heard: list[object] = []

    def noted(**_: object) -> None:
        heard.extend(signal.getsignal(number) for number in (signal.SIGHUP, signal.SIGTERM))
        raise KeyboardInterrupt

    monkeypatch.setattr(demo, "stage", noted)
    monkeypatch.setattr(demo, "_require", lambda: None)
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with pytest.raises(KeyboardInterrupt):
            demo.run(argparse.Namespace(report=None, keep=False, workers=1))
    finally:
        signal.signal(signal.SIGHUP, before)
    assert heard[0] is signal.SIG_IGN
    assert callable(heard[1])


def opened(path: Path) -> SampleRepository:
    sample = SampleRepository(path)
    sample.create()
    sample.open_pull_request()
    return sample


def test_commits_are_the_same_whatever_git_the_user_has_set_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = SampleRepository(tmp_path / "a")
    ids = [plain.create(), plain.open_pull_request(), plain.fix()]
    (tmp_path / "gitconfig").write_text(
        "[commit]\n\tgpgsign = true\n[core]\n\tautocrlf = true\n\thooksPath = /nowhere\n"
    )
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "gitconfig"))
    monkeypatch.setenv("GIT_DIR", "/nowhere")
    monkeypatch.setenv("GIT_AUTHOR_NAME", "Somebody")
    monkeypatch.setenv("GIT_DEFAULT_HASH", "sha256")
    other = SampleRepository(tmp_path / "b")
    assert [other.create(), other.open_pull_request(), other.fix()] == ids


def test_the_plan_is_the_same_in_another_folder(tmp_path: Path) -> None:
    assert plan_of(opened(tmp_path / "a")).id == plan_of(opened(tmp_path / "b")).id


def test_the_plan_has_every_suite_several_shards_and_something_to_leave_out(tmp_path: Path) -> None:
    plan = plan_of(opened(tmp_path / "shop"))
    assert {task.id for task in plan.tasks} == {
        "ut:pricing/...",
        "ut:cart/...",
        "bvt:pricing",
        "bvt:orders",
        "sca:go-vet",
    }
    assert {shard.suite for shard in plan.shards} == set(Suite)
    assert len(plan.shards) == 5
    assert all(task.reasons and not task.skip for task in plan.tasks)
    assert "inventory" in {test.name for test in plan.omitted}
    assert plan.unmatched == ()
    assert plan.notes == ()


def test_the_fix_leaves_a_change_to_test(tmp_path: Path) -> None:
    sample = opened(tmp_path / "shop")
    before = {task.id for task in plan_of(sample).tasks}
    sample.fix()
    assert {task.id for task in plan_of(sample).tasks} == before


def test_the_example_brings_neither_its_patches_nor_hidden_files_into_the_repository(tmp_path: Path) -> None:
    sample = SampleRepository(tmp_path / "shop")
    sample.create()
    assert not (sample.path / "pr").exists()
    assert [path.name for path in sample.path.glob(".*")] == [".git"]


def test_hunks_are_the_lines_of_one_file(tmp_path: Path) -> None:
    sample = SampleRepository(tmp_path / "shop")
    sample.create()
    lines = sample.hunks(sample.open_pull_request(), "pricing/pricing.go")
    assert "-\treturn (price*money.Cents(100-percent) + 50) / 100" in lines
    assert all(line[0] in "+-" and not line.startswith(("+++", "---")) for line in lines)


def test_tests_that_failed_for_their_subtests_alone_are_not_shown() -> None:
    cases = [CaseResult(name, CaseStatus.FAILED) for name in ("p.TestA/x", "p.TestA", "p.TestAB")]
    assert [case.name for case in innermost(cases)] == ["p.TestA/x", "p.TestAB"]


@pytest.mark.parametrize("text", ["sku\tpays\nkettle\t3392", "➤ sku[12,20,0]  ¦  pays[-5,64,0]  𝄀\nkettle  ¦  3392"])
def test_both_layouts_of_results_look_alike(text: str) -> None:
    assert table(text) == ["sku     pays", "kettle  3392"]


def test_no_answer_and_an_error_are_shown_too() -> None:
    assert table(None) == ["(nothing)"]
    assert table("Duplicate entry '1'") == ["Duplicate entry '1'"]


def test_the_robots_markdown_is_shown_without_its_marks() -> None:
    shown = as_shown('**<font color="warning">failed</font>** demo `1234`')
    assert shown.plain == "failed demo 1234"
    styles = {shown.plain[span.start : span.end]: str(span.style) for span in shown.spans}
    assert "bold" in styles["failed"]
    assert "yellow" in styles["failed"]
    assert styles["1234"] == "cyan"


def test_nothing_in_a_message_reaches_the_terminal_as_a_command() -> None:
    assert "\x1b" not in as_shown("**\x1b[31mred**").plain
