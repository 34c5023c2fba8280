from __future__ import annotations

import dataclasses

import pytest

from orchestrator.domain.errors import BadPlanError
from orchestrator.planner.verify import check
from tests.unit.planner.factories import PROFILE, make_plan

PLAN = make_plan("Makefile")


def test_a_plan_of_ours_is_in_order() -> None:
    check(PLAN, PROFILE)
    ordered = [task for shard in PLAN.shards for task in shard.tasks if task in ("bvt:first", "bvt:second", "bvt:last")]
    assert ordered == ["bvt:first", "bvt:second", "bvt:last"]


def test_an_order_group_out_of_order_is_found() -> None:
    shards = tuple(dataclasses.replace(shard, tasks=shard.tasks[::-1]) for shard in PLAN.shards)
    with pytest.raises(BadPlanError, match="bvt:first before bvt:second before bvt:last"):
        check(dataclasses.replace(PLAN, shards=shards), PROFILE)


def test_an_order_group_that_is_torn_apart_is_found() -> None:
    home = next(shard for shard in PLAN.shards if "bvt:last" in shard.tasks)
    rest = dataclasses.replace(home, tasks=tuple(task for task in home.tasks if task != "bvt:last"))
    torn = dataclasses.replace(home, id="bvt-99", tasks=("bvt:last",))
    tasks = tuple(dataclasses.replace(task, shard="bvt-99") if task.id == "bvt:last" else task for task in PLAN.tasks)
    others = tuple(shard for shard in PLAN.shards if shard is not home)
    plan = dataclasses.replace(PLAN, tasks=tasks, shards=(*others, rest, torn))
    check(plan)
    with pytest.raises(BadPlanError, match="one shard and in order"):
        check(plan, PROFILE)


@pytest.mark.parametrize("name", ["runner_seconds", "critical_path"])
@pytest.mark.parametrize("value", [-1.0, float("nan"), float("inf")])
def test_a_cost_that_is_no_duration_is_found(name: str, value: float) -> None:
    cost = dataclasses.replace(PLAN.cost, **{name: value})  # type: ignore[arg-type]
    with pytest.raises(BadPlanError, match=name):
        check(dataclasses.replace(PLAN, cost=cost))
