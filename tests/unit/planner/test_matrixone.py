"""The shipped profile against the table, read in a second and independent way."""

from __future__ import annotations

import pytest

from orchestrator.domain.change import DiffSummary
from orchestrator.domain.profile import Profile
from orchestrator.planner.globs import matches
from orchestrator.planner.pipeline import build_plan
from orchestrator.settings import Settings, check_profile
from tests.unit.planner.factories import make_file

HIGH, MEDIUM = 1, 2
#: A sample of the table, by hand: path → packages, categories, priority.
SAMPLE = {
    "pkg/vm/engine/disttae/txn.go": (
        ["pkg/vm/engine/disttae/..."],
        ["disttae", "optimistic", "pessimistic_transaction", "pitr", "snapshot"],
        0,
    ),
    "pkg/fulltext/a.go": (["pkg/fulltext/...", "pkg/sql/colexec/table_function/..."], ["fulltext"], MEDIUM),
    "pkg/partition/a.go": (
        ["pkg/partition/...", "pkg/partitionprune/...", "pkg/partitionservice/..."],
        ["ddl", "dml"],
        MEDIUM,
    ),
    "pkg/proxy/a.go": (["pkg/proxy/..."], ["tenant"], 3),
    "pkg/sql/plan/function/b_test.go": (
        ["pkg/sql/plan/..."],
        ["cte", "hint", "join", "optimizer", "plan_cache", "recursive_cte", "subquery"],
        HIGH,
    ),
}


@pytest.fixture(scope="module")
def matrixone() -> Profile:
    return check_profile("matrixone", Settings())


@pytest.mark.parametrize("path", SAMPLE)
def test_the_profile_gives_what_the_table_says(path: str, matrixone: Profile) -> None:
    plan = build_plan(DiffSummary((make_file(path),)), matrixone, strategies=("rules",))
    packages, categories, priority = SAMPLE[path]
    assert sorted(task.package for task in plan.tasks if task.package) == packages
    assert sorted(task.category for task in plan.tasks if task.category) == categories
    assert {task.priority for task in plan.tasks if task.analyser is None} == {priority}
    assert {task.priority for task in plan.tasks if task.analyser} == {0}


def test_the_profile_has_every_rule_and_every_category(matrixone: Profile) -> None:
    assert len(matrixone.rules) == 22
    assert len(matrixone.bvt.categories) == 75
    assert "cdc" not in matrixone.bvt.categories
    assert all(rule.prefix == f"{rule.unit_tests[0]}/" for rule in matrixone.rules)


def test_every_pattern_that_a_rule_asks_for_has_an_estimate(matrixone: Profile) -> None:
    wanted = {f"{package}/..." for rule in matrixone.rules for package in rule.unit_tests}
    assert wanted <= matrixone.unit_tests.package_seconds.keys()


def test_widening_costs_about_what_upstream_pays(matrixone: Profile) -> None:
    plan = build_plan(DiffSummary((make_file("Makefile"),)), matrixone)
    price = dict(plan.cost.by_suite)
    assert 2500 < price["unit_test"] < 3200
    assert 2900 < price["bvt"] < 3600


@pytest.mark.parametrize(
    ("path", "documentation"),
    [
        ("README.md", True),
        ("pkg/sql/README.md", True),
        ("LICENSE", True),
        ("docs/rfc/a.png", True),
        ("test/distributed/cases/README.md", True),
        ("test/distributed/cases/geo/README.md", False),
        ("test/distributed/resources/a.md", False),
        ("go.mod", False),
        ("pkg/a.go", False),
    ],
)
def test_documentation_is_told_from_test_data(path: str, documentation: bool, matrixone: Profile) -> None:
    assert matches(path, matrixone.documentation) is documentation


def test_order_groups_are_kept_when_everything_runs(matrixone: Profile) -> None:
    plan = build_plan(DiffSummary((make_file("Makefile"),)), matrixone)
    (group,) = matrixone.bvt.order_groups
    wanted = [f"bvt:{name}" for name in group]
    (home,) = [shard for shard in plan.shards if wanted[-1] in shard.tasks]
    assert [task for task in home.tasks if task in wanted] == wanted
