from __future__ import annotations

import pytest

from orchestrator.domain.errors import UsageError
from orchestrator.domain.plan import Priority
from orchestrator.planner.pipeline import build_plan
from tests.unit.planner.factories import PROFILE, make_change, make_file, make_plan


def test_unknown_territory_widens_to_every_test_and_says_so() -> None:
    plan = make_plan("Makefile", "pkg/plan/a.go")
    ids = {task.id for task in plan.tasks}
    assert {f"bvt:{name}" for name in PROFILE.bvt.categories} <= ids
    assert {"ut:...", "sca:vet", "sca:lint"} <= ids
    assert plan.notes == ("Widened to every test, because no rule knows Makefile.",)
    assert plan.unmatched == ("Makefile",)


def test_widening_keeps_the_priorities_of_the_rules() -> None:
    plan = make_plan("Makefile", "pkg/plan/a.go")
    priorities = {task.id: task.priority for task in plan.tasks}
    assert priorities["bvt:join"] is Priority.HIGH
    assert priorities["bvt:first"] is Priority.LOW


def test_the_own_package_of_an_unknown_go_file_is_a_high_task_beside_the_widened_pattern() -> None:
    plan = make_plan("lib/x/a.go", "main.go", "lib/y/testdata/b.go")
    unit = {task.id: task.priority for task in plan.tasks if task.package}
    own = dict.fromkeys(("ut:.", "ut:lib/x", "ut:lib/y"), Priority.HIGH)
    assert unit == {**own, "ut:...": Priority.LOW}


def test_nothing_is_widened_when_rules_know_every_file() -> None:
    files = ("pkg/plan/a.go", "cases/text/a.sql", "README.md")
    assert make_plan(*files).tasks == make_plan(*files, strategies=("rules",)).tasks


@pytest.mark.parametrize("files", [("README.md",), ("docs/a/b.png", "pkg/plan/README.md")])
def test_documentation_alone_plans_nothing_and_says_so(files: tuple[str, ...]) -> None:
    plan = make_plan(*files)
    assert plan.tasks == ()
    assert plan.shards == ()
    assert plan.notes == ("Only documentation changes: no test is needed.",)
    assert "documentation" in plan.summary
    assert {test.reason for test in plan.omitted} == set(plan.notes)


def test_test_data_is_no_documentation() -> None:
    assert make_plan("cases/text/a.md").task("bvt:text") is not None


def test_what_a_person_asks_for_is_planned_even_when_only_documentation_changes() -> None:
    plan = build_plan(make_change("README.md"), PROFILE, asked=["cte"])
    assert [task.id for task in plan.tasks] == ["bvt:cte"]
    assert plan.tasks[0].reason == "asked for by name"


def test_an_unknown_category_that_a_person_names_is_an_error_that_names_the_nearest() -> None:
    with pytest.raises(UsageError, match="Did you mean 'join'"):
        build_plan(make_change("README.md"), PROFILE, asked=["jion"])


def test_an_unknown_strategy_is_an_error_that_names_the_nearest() -> None:
    with pytest.raises(UsageError, match="Did you mean 'rules'"):
        make_plan("a.go", strategies=("rule",))


def test_an_empty_change_plans_nothing() -> None:
    plan = make_plan()
    assert plan.tasks == ()
    assert plan.summary == "0 files (+0 -0): nothing to test."


@pytest.mark.parametrize("path", ["-x/a.go", "a/../b.go", "a\nb/c.go", "\udcff/a.go"])
def test_a_treacherous_path_widens_and_never_becomes_an_argument(path: str) -> None:
    plan = make_plan(make_file(path))
    assert plan.unmatched == (path,)
    assert [task.id for task in plan.tasks if task.package] == ["ut:..."]


def test_code_that_moves_to_the_documentation_is_no_documentation() -> None:
    plan = make_plan(make_file("docs/a.go", "renamed", "pkg/plan/a.go"))
    assert "ut:..." in {task.id for task in plan.tasks}
    assert not make_plan(make_file("docs/a.md", "renamed", "docs/b.md")).tasks
