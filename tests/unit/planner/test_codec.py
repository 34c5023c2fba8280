from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from orchestrator.planner.codec import dumps, loads, plan_id, plan_to_json
from orchestrator.planner.pipeline import build_plan
from tests.unit.planner.factories import PROFILE, make_change, make_file, make_plan

FILES = ("pkg/plan/a.go", "Makefile", "cases/text/用例 一.sql")


def test_the_document_has_the_fields_other_tools_read() -> None:
    document = plan_to_json(make_plan(*FILES))
    assert {"id", "pr_number", "base_branch", "head_branch", "created_at", "summary", "diff_summary", "tasks"} <= set(
        document
    )
    assert {"pr_number", "base_branch", "head_branch", "files", "total_added", "total_deleted", "unmatched"} <= set(
        document["diff_summary"]
    )
    assert {"path", "change_kind", "package", "functions"} <= set(document["diff_summary"]["files"][0])
    assert set(document["tasks"][0]) == {
        *("id", "type", "category", "package", "analyser", "test_file", "files", "priority", "est_duration", "status"),
        *("reason", "reasons", "shard", "note", "skip"),
    }
    assert {task["status"] for task in document["tasks"]} == {"pending"}
    assert document["schema_version"] == 1


def test_what_is_written_is_json_of_the_same_document_and_reads_back_as_the_same_plan() -> None:
    plan = make_plan(*FILES)
    assert json.loads(dumps(plan)) == plan_to_json(plan)
    assert loads(dumps(plan)) == plan
    assert loads(dumps(plan).decode()) == plan


@pytest.mark.parametrize("files", [(), ("README.md",), ("pkg/text/a.go",)])
def test_every_kind_of_plan_reads_back(files: tuple[str, ...]) -> None:
    plan = make_plan(*files)
    assert loads(dumps(plan)) == plan


def test_the_id_is_of_the_content_and_not_of_the_time() -> None:
    early = build_plan(make_change("pkg/plan/a.go", head_time="2026-01-01T00:00:00Z"), PROFILE)
    late = build_plan(make_change("pkg/plan/a.go", head_time="2026-02-01T00:00:00Z"), PROFILE)
    assert early.id == late.id == plan_id(early)
    assert early.created_at == "2026-01-01T00:00:00Z"
    assert len(early.id) == 64
    assert make_plan("pkg/plan/b.go").id != early.id
    assert make_plan("pkg/plan/a.go").created_at is None


def test_bytes_that_are_no_utf8_are_written_as_replacement_characters() -> None:
    plan = make_plan("pkg/plan/\udce9.go")
    assert "pkg/plan/\ufffd.go" in dumps(plan).decode()
    assert loads(dumps(plan)).id == plan.id


def test_the_first_file_of_a_bvt_task_is_its_test_file() -> None:
    document = plan_to_json(make_plan(make_file("pkg/plan/a.go"), strategies=("rules",)))
    assert {task["test_file"] for task in document["tasks"]} == {None}


def test_the_same_change_gives_the_same_bytes_in_another_process() -> None:
    program = (
        "import sys; from tests.unit.planner.factories import make_plan; from orchestrator.planner.codec import dumps; "
        "sys.stdout.buffer.write(dumps(make_plan('pkg/plan/a.go', 'Makefile', 'lib/a.go', 'pkg/text/b.go')))"
    )
    outputs = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": "."},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(outputs) == 1
    assert loads(outputs.pop()).tasks
