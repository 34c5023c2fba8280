"""A long category from the plan to the verdict: split, run by two workers, re-run by its name."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

from orchestrator.store import Store
from tests.acceptance.project import make_project
from tests.require import require

NAMES = [f"s{number}.sql" for number in range(6)]


def test_a_long_category_runs_in_parts_each_script_once_and_again_by_its_name(tmp_path: Path) -> None:
    require("valkey", "embedded-sql")
    cases = {f"big/{name}": "select 1;\nselect 2;\n" for name in NAMES}
    cases |= {f"big/{name.replace('.sql', '.result')}": "select 1;\n1\n1\nselect 2;\n2\n2\n" for name in NAMES}
    cases["big/s5.result"] = "select 1;\n1\n1\nselect 2;\n2\n3\n"
    project = make_project(tmp_path, {}, cases=cases, shard_seconds=60)
    text = project.profile.read_text().replace("  cases: cases\n", "  cases: cases\n  seconds_per_statement: 10\n")
    project.profile.write_text(text.replace("provider: dsn", "provider: embedded"))
    plan = tmp_path / "plan.json"
    assert project.command("plan", *project.change(), "-o", str(plan)).returncode == 0
    parts = [task for task in json.loads(plan.read_text())["tasks"] if task["category"] == "big"]
    assert [task["id"] for task in parts] == [f"bvt:big#{number}" for number in range(1, len(parts) + 1)]
    assert len(parts) > 1
    code, summary = project.run_json("run", str(plan), "--profile", str(project.profile), "--local", "--no-sandbox")
    states = {task["task"]: task["state"] for task in summary["tasks"]}
    assert (code, Counter(states.values())) == (1, Counter(passed=len(parts) - 1, failed=1))
    with Store(f"sqlite:///{tmp_path}/state/history.sqlite") as store:
        rows = store.cases(summary["run"])
    tried = Counter(row.case.name for row in rows if row.attempt == 1)
    assert tried == Counter({f"big/{name}:{line}": 1 for name in NAMES for line in (1, 2)})
    again = ["rerun", summary["run"], "--task", "bvt:big", "--local", "--no-sandbox", "--profile", str(project.profile)]
    code, second = project.run_json(*again)
    assert (code, [task["task"] for task in second["tasks"]]) == (1, [task["id"] for task in parts])
    log = project.command("logs", summary["run"], "--task", "bvt:big", MO_TESTPLAN_REDIS_URL="redis://127.0.0.1:1/0")
    assert log.returncode == 2
    assert f"has bvt:big in {len(parts)} parts" in log.stderr
