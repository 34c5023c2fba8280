"""Hosts added in mid-run, and one build for all shards: real workers, real subprocesses.

    python benchmarks/scaling.py [--tasks 42] [--seconds 1.5] [--format text|json]

A run of tasks that only wait starts on two worker hosts. When a third of it is done two more hosts are started; once
they take work, throughput is compared with before: ``ratio``. Both runs have a ``build`` step; the second one has eight
shards on the four hosts: ``builds`` is how often it ran for them, ``built`` how many shards passed with what it made.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path

if str(Path(__file__).resolve().parents[1]) not in sys.path:
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.rig.fleet import Fleet
from benchmarks.rig.project import Behaviour, Project, make_project
from benchmarks.rig.waiting import seconds_until
from orchestrator.domain.run import TaskState
from orchestrator.ledger import keys
from orchestrator.ledger.client import Ledger
from orchestrator.runs import control

BUILD = (
    "build: {command: [sh, -c, 'sleep 0.5; echo made >made.txt; echo run >>/proc/self/fd/1'], outputs: [made.txt]}\n"
)
DISPATCH = "{shard_seconds: 1, lease: 10, workers: 4}"


def finished(ledger: Ledger, run: str) -> int:
    """How many tasks of a run have ended."""
    progress = ledger.progress(run)
    return progress.done if progress else 0


def rate(ledger: Ledger, run: str, tasks: int) -> float:
    """Tasks a second over the next ``tasks`` that end, counted from one end to another."""
    _reach(ledger, run, finished(ledger, run) + 1)
    began, count = time.monotonic(), finished(ledger, run)
    _reach(ledger, run, count + tasks)
    return (finished(ledger, run) - count) / (time.monotonic() - began)


def _reach(ledger: Ledger, run: str, count: int) -> None:
    seconds_until(lambda: finished(ledger, run) >= count, f"{count} tasks have ended", patience=300)


def scale(fleet: Fleet, project: Project, tasks: int) -> dict[str, object]:
    """Two hosts, then four."""
    ledger, app = fleet.ledger(), fleet.app
    run = control.start(app, ledger, project.plan([[name] for name in project.packages]))
    share = tasks // 3
    before = rate(ledger, run, share - 2)
    fleet.hosts += [fleet.host("late0"), fleet.host("late1")]
    fleet.wait_ready()
    _reach(ledger, run, finished(ledger, run) + 4)
    after = rate(ledger, run, max(8, tasks - finished(ledger, run) - 8))
    _reach(ledger, run, tasks)
    return {"tasks": tasks, "before": round(before, 3), "after": round(after, 3), "ratio": round(after / before, 2)}


def build_once(fleet: Fleet, project: Project) -> dict[str, object]:
    """Eight shards on four hosts."""
    ledger = fleet.ledger()
    run = control.start(fleet.app, ledger, project.plan([[name] for name in list(project.packages)[:8]]))
    _reach(ledger, run, 8)
    states = list(ledger.states(run).values())
    return {"builds": int(str(ledger.redis.hget(keys.run(run), "builds"))), "built": states.count(TaskState.PASSED)}


def main() -> int:
    """Print the figures; exit 1 when they fall short."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tasks", type=int, default=42)
    parser.add_argument("--seconds", type=float, default=1.5)
    parser.add_argument("--format", choices=["text", "json"], default="text")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="mo-") as folder:
        packages = {f"p{n:03}": Behaviour("passes", args.seconds) for n in range(args.tasks)}
        project = make_project(Path(folder) / "p", packages, dispatch=DISPATCH, more=BUILD)
        with Fleet(project, hosts=2) as fleet:
            figures = {**scale(fleet, project, args.tasks), **build_once(fleet, project)}
    figures["ok"] = float(str(figures["ratio"])) >= 1.8 and (figures["builds"], figures["built"]) == (1, 8)
    print(json.dumps(figures) if args.format == "json" else "\n".join(f"{k}: {v}" for k, v in figures.items()))
    return 0 if figures["ok"] else 1


if __name__ == "__main__":
    sys.exit(main())
