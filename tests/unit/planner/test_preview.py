"""What a plan's cut costs, and that it is a partition: counted, and said when it is none."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

from orchestrator.cli.explain import read_plan
from orchestrator.cli.main import main
from orchestrator.domain.errors import BadPlanError
from orchestrator.domain.plan import Omitted, Suite
from orchestrator.planner.encode import dumps, plan_id
from orchestrator.planner.proof import partition, preview
from orchestrator.planner.render.shards import shards, shards_text
from tests.unit.planner.factories import make_plan

PLAN = make_plan("pkg/plan/a.go", "pkg/text/b.go")


def test_every_plan_is_a_partition_and_says_so() -> None:
    found = partition(PLAN)
    assert found.holds
    assert (found.tasks, found.shards) == (len(PLAN.tasks), len(PLAN.shards))
    assert f"{found.tasks} tasks, each in exactly one of {found.shards} shards" in str(found)


def test_what_is_lost_double_or_foreign_is_named() -> None:
    first, *rest = PLAN.shards
    task = first.tasks[0]
    double = dataclasses.replace(first, tasks=(*first.tasks, task, "ut:none"))
    gone = tuple(dataclasses.replace(shard, tasks=()) for shard in rest)
    found = partition(dataclasses.replace(PLAN, shards=(double, *gone)))
    assert not found.holds
    assert found.twice == (task,)
    assert found.foreign == ("ut:none",)
    assert set(found.missing) == {task.id for task in PLAN.tasks} - set(first.tasks)
    assert str(found).startswith(f"no partition: in several shards: {task}")


def test_the_wait_is_between_the_bound_and_one_worker() -> None:
    one, many = preview(PLAN, 1), preview(PLAN, 64)
    assert one.critical_path == one.lower_bound == one.runner_seconds
    assert many.critical_path == many.lower_bound == max(shard.est_duration for shard in PLAN.shards)
    assert preview(PLAN).critical_path == PLAN.cost.critical_path


def test_the_cut_is_told_as_data_and_as_text(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    document = json.loads(json.dumps(shards(PLAN, 3)))
    assert document["preview"]["workers"] == 3
    assert document["preview"]["partition"]["holds"] is True
    assert [row["id"] for row in document["shards"]] == [shard.id for shard in PLAN.shards]
    text = shards_text(PLAN)
    assert "complete and disjoint" in text
    assert all(shard.id in text for shard in PLAN.shards)
    file = tmp_path / "plan.json"
    file.write_bytes(dumps(PLAN))
    assert main(["explain", str(file), "--shards", "--workers", "3", "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out) == document


def test_the_cut_of_one_task_is_the_shards_that_hold_it_and_the_proof_is_of_all(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert len(PLAN.shards) > 1
    file, shard = tmp_path / "plan.json", PLAN.shards[-1]
    file.write_bytes(dumps(PLAN))
    words = ["explain", str(file), shard.tasks[0], "--shards"]
    assert main([*words, "--format", "json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert [row["id"] for row in document["shards"]] == [shard.id]
    assert document["preview"] == json.loads(json.dumps(shards(PLAN)))["preview"]
    assert main(words) == 0
    text = capsys.readouterr().out
    assert [one.id for one in PLAN.shards if f"{one.id} " in text] == [shard.id]
    assert "complete and disjoint" in text


@pytest.mark.parametrize(("name", "says"), [("ut:pkg/none", "knows no test"), ("bvt:vector", "was not chosen")])
def test_a_cut_of_what_no_shard_holds_is_an_error(
    tmp_path: Path, name: str, says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    plan = dataclasses.replace(PLAN, omitted=(Omitted(Suite.BVT, "vector", 0.1, "below the budget"),))
    file = tmp_path / "plan.json"
    file.write_bytes(dumps(dataclasses.replace(plan, id=plan_id(plan))))
    assert main(["explain", str(file), name, "--shards"]) == 2
    assert says in capsys.readouterr().err


def test_a_wait_on_more_workers_than_there_are_shards_is_that_on_as_many() -> None:
    plan = make_plan("pkg/plan/a.go")
    assert preview(plan, 10**15).critical_path == preview(plan, len(plan.shards)).critical_path


def test_a_closed_stdin_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", None)
    with pytest.raises(BadPlanError, match="standard input is closed"):
        read_plan("-")
