"""A real merged pull request of MatrixOne, planned and executed: unit tests, go vet and SQL scripts to one summary.

    MO_REPO=/path/to/matrixone.git python benchmarks/real_pr.py [--format json]

Of the plan of one PR it runs, through two local worker processes: the unit tests of one package that needs no cgo,
``go vet`` on that package, and ten scripts of one SQL category on a MariaDB of its own. The scripts were written for
MatrixOne, so many commands fail there: what counts is that each is judged, and that the run ends with one summary.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]

#: PR 25057, merged 2026-06-24: "Fix escape string failed to escape '\\' character".
HEAD = "9948167d51ff"
PACKAGE = "pkg/common/sqlquote"
CATEGORY = "ddl"
SCRIPTS = 10


def words(repo: str) -> list[str]:
    """The command, as the README has it."""
    return [
        *("run", "--repo", repo, "--base", f"{HEAD}^", "--head", HEAD, "--pr", "25057"),
        *("--profile", "matrixone-pure-go"),
        *("--task", f"ut:{PACKAGE}", "--task", "sca:go-vet", "--task", f"bvt:{CATEGORY}"),
        *("--limit", f"sca:go-vet={PACKAGE}", "--bvt-files", str(SCRIPTS)),
        *("--local", "--workers", "2", "--server", "mariadb", "--format", "json"),
    ]


def measure(repo: str) -> dict[str, Any]:
    """Run it in a state of its own: what came of each suite, and whether there is exactly one summary."""
    with tempfile.TemporaryDirectory(prefix="real-pr-") as state:
        env = {**os.environ, "MO_TESTPLAN_STATE": state}
        run = subprocess.run(
            [sys.executable, "-m", "orchestrator", *words(repo)],
            cwd=ROOT,
            env=env,
            stdout=subprocess.PIPE,
            stderr=None,
            text=True,
            check=False,
        )
        if not run.stdout.strip():
            return {"ok": False, "exit": run.returncode, "why": "the run printed no summary"}
        listed = subprocess.run(
            [sys.executable, "-m", "orchestrator", "runs", "--format", "json"],
            cwd=ROOT,
            env={**env, "MO_TESTPLAN_REDIS_URL": "redis://127.0.0.1:1/0"},
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            check=False,
        )
    summary, summaries = json.loads(run.stdout), json.loads(listed.stdout)
    tasks = {task["task"]: task for task in summary["tasks"]}
    bvt = tasks[f"bvt:{CATEGORY}"]
    judged = bvt["passed"] + bvt["failed"]
    good = tasks[f"ut:{PACKAGE}"]["state"] == tasks["sca:go-vet"]["state"] == "passed"
    return {
        "ok": good and bvt["state"] in ("passed", "failed") and judged > 0 and len(summaries) == 1,
        "exit": run.returncode,
        "summaries": len(summaries),
        "unit_tests_passed": tasks[f"ut:{PACKAGE}"]["passed"],
        "go_vet": tasks["sca:go-vet"]["state"],
        "sql_commands_judged": judged,
        "sql_commands_passed": bvt["passed"],
        "seconds": round(summary["ended"] - summary["created"], 1),
        "messages": {name: task["message"] for name, task in tasks.items() if task["message"]},
    }


def main() -> int:
    """Print the figures; exit 0 when the promise holds."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repo", default=os.environ.get("MO_REPO"), help="git directory of MatrixOne (MO_REPO)")
    parser.add_argument("--format", choices=["text", "json"], default="text")
    args = parser.parse_args()
    if not args.repo:
        sys.exit("MO_REPO is not set: give it a git directory of MatrixOne")
    figures = measure(args.repo)
    print(json.dumps(figures) if args.format == "json" else "\n".join(f"{k:<22} {v}" for k, v in figures.items()))
    return 0 if figures["ok"] else 1


if __name__ == "__main__":
    sys.exit(main())
