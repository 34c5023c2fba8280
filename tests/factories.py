"""Plans, runs and summaries for tests, complete but small."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from orchestrator.domain.change import ChangeKind, DiffSummary, FileChange
from orchestrator.domain.plan import Cost, Priority, Reason, Shard, Suite, TestPlan, TestTask
from orchestrator.planner.codec import plan_id

COMMIT = "1" * 40


def make_task(package: str = "pkg/a", shard: str = "ut-1", *, skip: bool = False) -> TestTask:
    reason = Reason("rules", 1.0, f"{package} changed")
    return TestTask(
        f"ut:{package}",
        Suite.UNIT_TEST,
        Priority.HIGH,
        (reason,),
        package=package,
        est_duration=1.0,
        shard=shard,
        skip=skip,
    )


def make_plan(
    tasks: Sequence[TestTask] | None = None, *, commit: str | None = COMMIT, pull: int | None = 7
) -> TestPlan:
    """A unit test plan whose shards follow from the tasks' ``shard``."""
    tasks = tuple(tasks if tasks is not None else [make_task()])
    names = dict.fromkeys(task.shard or "" for task in tasks)
    shards = tuple(
        Shard(name, Suite.UNIT_TEST, "ut", tuple(task.id for task in tasks if task.shard == name), 10.0)
        for name in names
    )
    change = DiffSummary(
        (FileChange("pkg/a/a.go", ChangeKind.MODIFIED, "pkg/a", ("F",), 1, 1),), pr_number=pull, head_commit=commit
    )
    cost = Cost(10.0 * len(shards), 10.0, 4, (("unit_test", 10.0 * len(shards)),))
    plan = TestPlan("", None, "one package", "demo", change, tasks, shards, (), cost)
    return dataclasses.replace(plan, id=plan_id(plan))
