from __future__ import annotations

from dataclasses import replace

from orchestrator.domain.plan import Priority, Suite, TestPlan, TestTask
from orchestrator.planner.escapes import Failure, covers, judge, missed
from tests.unit.planner.factories import make_plan


def task(suite: Suite, name: str, *files: str) -> TestTask:
    made = TestTask(f"x:{name}", suite, Priority.LOW, (), files=files)
    if suite is Suite.BVT:
        return replace(made, category=name)
    return replace(made, package=name) if suite is Suite.UNIT_TEST else replace(made, analyser=name)


def plan_of(*tasks: TestTask) -> TestPlan:
    return replace(make_plan("pkg/plan/a.go"), tasks=tasks)


def test_a_pattern_covers_the_packages_below_it() -> None:
    plan = plan_of(task(Suite.UNIT_TEST, "pkg/plan/..."))
    assert covers(plan, Failure(task(Suite.UNIT_TEST, "pkg/plan")))
    assert covers(plan, Failure(task(Suite.UNIT_TEST, "pkg/plan/deep")))
    assert not covers(plan, Failure(task(Suite.UNIT_TEST, "pkg/planner")))
    assert covers(plan_of(task(Suite.UNIT_TEST, "...")), Failure(task(Suite.UNIT_TEST, "pkg/planner")))


def test_some_files_of_a_category_cover_only_themselves() -> None:
    some = plan_of(task(Suite.BVT, "join", "a.sql"))
    assert covers(some, Failure(task(Suite.BVT, "join"), "a.sql"))
    assert not covers(some, Failure(task(Suite.BVT, "join"), "b.sql"))
    assert not covers(some, Failure(task(Suite.BVT, "join")))
    assert covers(plan_of(task(Suite.BVT, "join")), Failure(task(Suite.BVT, "join"), "b.sql"))


def test_failures_are_counted_by_the_plan_that_would_have_missed_them() -> None:
    failures = [
        Failure(task(Suite.BVT, "join"), "a.sql"),
        Failure(task(Suite.BVT, "cte")),
        Failure(task(Suite.SCA, "vet")),
    ]
    plans = {
        "rules": plan_of(task(Suite.BVT, "cte"), task(Suite.SCA, "vet")),
        "history": plan_of(task(Suite.BVT, "join")),
    }
    found = judge(failures, plans)
    assert [one.found_by for one in found] == [("history",), ("rules",), ("rules",)]
    assert missed(found, plans) == {"rules": 1, "history": 2}
