from __future__ import annotations

from dataclasses import replace

import pytest

from orchestrator.domain.errors import UnknownRunError, UsageError
from orchestrator.domain.plan import Reason, Suite
from orchestrator.planner.codec import dumps, loads, subset
from orchestrator.planner.render.explain import explain
from orchestrator.planner.subset import check_limits, first_scripts
from tests.unit.planner.factories import FakeTree, make_plan

PLAN = make_plan("Makefile", "pkg/plan/a.go", "pkg/text/b.go")


def test_the_part_has_only_these_tasks_and_lists_the_others() -> None:
    part = subset(PLAN, ["bvt:join", "sca:vet"])
    assert {task.id for task in part.tasks} == {"bvt:join", "sca:vet"}
    assert {name for shard in part.shards for name in shard.tasks} == {"bvt:join", "sca:vet"}
    left = [test for test in part.omitted if test.reason == "left out on request"]
    assert len(left) == len(PLAN.tasks) - 2
    assert part.id != PLAN.id
    assert part.cost.runner_seconds < PLAN.cost.runner_seconds
    assert loads(dumps(part)) == part


def test_the_whole_is_a_part_of_itself() -> None:
    assert subset(PLAN, [task.id for task in PLAN.tasks]) == PLAN


def test_a_part_keeps_the_order_of_a_group() -> None:
    part = subset(PLAN, ["bvt:last", "bvt:first"])
    assert [shard.tasks for shard in part.shards] == [("bvt:first", "bvt:last")]


def test_a_bvt_task_can_be_limited_to_scripts() -> None:
    part = subset(PLAN, ["bvt:join", "bvt:cte"], {"bvt:join": ["b.sql", "a.sql"]})
    task = part.task("bvt:join")
    assert task is not None
    assert task.files == ("b.sql", "a.sql")
    assert task.test_file == "b.sql"
    assert task.est_duration < PLAN.task("bvt:join").est_duration  # type: ignore[union-attr]
    assert part.task("bvt:cte").files == ()  # type: ignore[union-attr]
    assert loads(dumps(part)) == part


def test_an_unknown_task_is_an_error_that_names_the_nearest() -> None:
    with pytest.raises(UnknownRunError, match="Did you mean 'bvt:join'"):
        subset(PLAN, ["bvt:jion"])


@pytest.mark.parametrize(("task", "files"), [("UT", ["a"]), ("bvt:join", []), ("bvt:join", ["../a.sql"])])
def test_only_scripts_and_analysed_packages_can_be_limited_to(task: str, files: list[str]) -> None:
    task = next(t.id for t in PLAN.tasks if t.type is Suite.UNIT_TEST) if task == "UT" else task
    with pytest.raises(UsageError, match="cannot be limited"):
        subset(PLAN, [task], {task: files})


def test_an_analyser_can_be_limited_to_packages() -> None:
    part = subset(PLAN, ["sca:vet"], {"sca:vet": ["pkg/a"]})
    assert [task.files for task in part.tasks] == [("pkg/a",)]


def test_the_first_scripts_are_taken_in_path_order_without_results() -> None:
    tree = FakeTree("cases/join/b.sql", "cases/join/a.test", "cases/join/a.result", "cases/join/c/d.sql")
    assert first_scripts(PLAN, "cases", tree, 2) == {"bvt:join": ("a.test", "b.sql")}


def test_a_limit_takes_the_reasons_of_other_scripts_away_and_brings_no_script() -> None:
    reasons = tuple(Reason("history", 0.5, "it moved", file) for file in ("a.sql", "b.sql"))
    tasks = [replace(t, files=("a.sql", "b.sql"), reasons=reasons) if t.id == "bvt:join" else t for t in PLAN.tasks]
    chosen = subset(replace(PLAN, tasks=tuple(tasks)), ["bvt:join"])
    part = subset(chosen, ["bvt:join"], {"bvt:join": ["a.sql"]})
    assert [reason.test for reason in part.tasks[0].reasons] == ["a.sql"]
    with pytest.raises(UnknownRunError):
        explain(part, "bvt:join/b.sql")
    with pytest.raises(UsageError, match=r"'bvt:join' has no script c\.sql in this plan"):
        subset(chosen, ["bvt:join"], {"bvt:join": ["c.sql"]})


def test_scripts_that_no_plan_may_name_are_none_of_the_first() -> None:
    tree = FakeTree("cases/join/-a.sql", "cases/join/a\x1b[2J.sql", "cases/join/b.sql")
    found = first_scripts(subset(PLAN, ["bvt:join"]), "cases", tree, 10)
    assert found == {"bvt:join": ("b.sql",)}
    with pytest.raises(UsageError) as raised:
        subset(PLAN, ["bvt:join"], {"bvt:join": ["a\x1b[2J.sql"]})
    assert "\x1b" not in str(raised.value)


@pytest.mark.parametrize(
    ("limits", "says"),
    [
        ({"bvt:join": ["a.sql"], "sca:vet": ["pkg/a", "pkg/a/...", "..."]}, ""),
        ({"bvt:join": ["a.sql", "deep/c.sql"]}, r"deep/c\.sql: the tree under test has none\n  Did you mean 'deep/b"),
        ({"bvt:join": ["a.result"]}, "a.result: the tree under test has none"),
        ({"sca:vet": ["pkg/b"]}, "'sca:vet' is limited to pkg/b: the tree under test has none"),
        ({"bvt:text": ["a.sql"]}, "'bvt:text' is limited to a.sql: the tree under test has none"),
    ],
)
def test_a_limit_to_what_the_tree_lacks_is_refused(limits: dict[str, list[str]], says: str) -> None:
    tree = FakeTree("cases/join/a.sql", "cases/join/a.result", "cases/join/deep/b.sql", "pkg/a/a.go")
    if not says:
        check_limits(PLAN, limits, "cases/", tree)
        return
    with pytest.raises(UsageError, match=says):
        check_limits(PLAN, limits, "cases/", tree)
