"""Runs under faults: is there one summary a run, is any result lost or counted twice, is any process left?

    python benchmarks/chaos.py --runs 200 --tasks 50 --seed 1 --format json

Real workers execute real subprocesses while their pool processes, the hosts, and the control process with its reaper
are killed, hosts sleep for longer than their lease, the broker is restarted on its append-only file (by TERM and by
KILL in turn), runs and tasks are cancelled, and messages are revoked as Flower does. Tests pass, fail, pass at the
second try, flood, fork away and ignore TERM. The last line of stdout is one JSON object; exit 1 when a promise does not
hold.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))  # so that `python benchmarks/chaos.py` finds the packages without an installation

from benchmarks.rig.faults import Director, schedule  # noqa: E402 - after the path is set
from benchmarks.rig.fleet import Fleet  # noqa: E402
from benchmarks.rig.judge import Verdict, judge  # noqa: E402
from benchmarks.rig.processes import gone  # noqa: E402
from benchmarks.rig.project import Project, make_project, mixed  # noqa: E402
from orchestrator.domain.errors import BrokerError  # noqa: E402
from orchestrator.domain.plan import TestPlan  # noqa: E402
from orchestrator.ledger.client import Ledger  # noqa: E402
from orchestrator.runs import control  # noqa: E402
from orchestrator.store import Store  # noqa: E402

#: Runs under way at once.
WINDOW = 10
LEASE = 4.0
#: A chat that never answers: the outbox keeps every message, where they are counted.
CHAT = "wecom: {base_url: http://127.0.0.1:1}\n"
#: Seconds without any progress after which the campaign gives up and counts what is missing.
PATIENCE = 180.0
#: Seconds a test's processes may outlive the last run.
LINGER = 3.0


class Campaign:
    """Submits runs, keeps some under way, and does what the schedule says meanwhile."""

    def __init__(self, fleet: Fleet, args: argparse.Namespace, rng: random.Random) -> None:
        self.fleet, self.rng = fleet, rng
        self.director = Director(fleet, rng)
        self.ledger = fleet.ledger()
        self.todo = schedule(rng, args.runs * args.tasks)
        self.plans: dict[str, TestPlan] = {}
        self.live: list[str] = []
        self.runs, self.size = args.runs, args.tasks
        self._moved = time.monotonic()
        self._seen = -1

    def run(self) -> None:
        """Until every run has its summary, or nothing moves any more."""
        while len(self.plans) < self.runs:
            if len(self.plans) == self.runs - 1:
                self._everything_left()
            self._submit()
            while len(self.live) >= WINDOW and self._look():
                pass
        if not self.director.deeds.cancels:
            self.director.do("cancel_run", self.live)
        while self.live and self._look():
            pass

    def _submit(self) -> None:
        names = self.rng.sample(sorted(self.fleet.project.packages), self.size)
        shards = []
        while names:
            length = self.rng.randint(1, 6)
            shards.append(names[:length])
            names = names[length:]
        plan = self.fleet.project.plan(shards, pull=len(self.plans) + 1)
        run = control.start(self.director.app, self.ledger, plan, who="chaos")
        self.plans[run] = plan
        self.live.append(run)

    def _look(self) -> bool:
        """One look at what is under way and one fault if it is due; False when nothing has moved for too long."""
        time.sleep(0.1)
        try:
            progress = {run: self.ledger.progress(run) for run in self.live}
        except BrokerError:
            return True
        self.live = [run for run in self.live if (p := progress[run]) is not None and not p.state.final]
        ended = (len(self.plans) - len(self.live)) * self.size
        done = ended + sum(p.done for p in progress.values() if p is not None and not p.state.final)
        if done != self._seen:
            self._seen, self._moved = done, time.monotonic()
        if self.todo and self.todo[0][0] <= done / (self.runs * self.size):
            _, kind = self.todo.pop(0)
            self.director.do(kind, self.live)
            self._moved = time.monotonic()
        return time.monotonic() - self._moved < PATIENCE

    def _everything_left(self) -> None:
        """Before the last run, what a campaign too small for its schedule has not seen yet: each kind once."""
        for due, kind in list(self.todo):
            if not self.director.deeds.counts[kind]:
                self.todo.remove((due, kind))
                self.director.do(kind, self.live)


def measure(args: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """One campaign in ``folder``: its figures."""
    rng = random.Random(args.seed)
    project = make_project(
        folder, mixed(rng, max(120, args.tasks)), dispatch=f"{{lease: {LEASE}, attempts: 3, workers: 4}}", more=CHAT
    )
    fleet = Fleet(project, hosts=args.hosts, concurrency=2, environ={"MO_TESTPLAN_WECOM_KEY": "chaos"})
    began = time.monotonic()
    with fleet:
        campaign = Campaign(fleet, args, rng)
        campaign.run()
        seconds = time.monotonic() - began
        ours = {pid for host in fleet.hosts for pid in (host.pid, *host.pool())} | {one.pid for one in fleet.controls}
        orphans = gone(fleet.mark, ours, LINGER)
        found = _judge(project, campaign, fleet.ledger(), fleet.environ["MO_TESTPLAN_STORE_URL"])
    left = orphans | gone(fleet.mark, set(), LINGER)
    return _figures(args, campaign, found, len(left), seconds)


def _judge(project: Project, campaign: Campaign, ledger: Ledger, url: str) -> Verdict:
    with Store(url) as store:
        return judge(project, campaign.plans, ledger, store, campaign.director.deeds)


def _figures(args: argparse.Namespace, campaign: Campaign, found: Verdict, left: int, seconds: float) -> dict[str, Any]:
    deeds = campaign.director.deeds
    for line in found.wrong[:20]:
        print(f"wrong: {line}", file=sys.stderr)
    return {
        "runs": args.runs,
        "runs_with_one_summary": found.one_summary,
        "tasks": args.runs * args.tasks,
        "tasks_counted_twice": found.counted_twice,
        "tasks_lost": found.lost,
        "wrong_counts": len(found.wrong),
        "processes_left": left,
        "kills": deeds.kills,
        "restarts": deeds.counts["broker"],
        "cancels": deeds.cancels,
        "seconds": round(seconds, 1),
        "seed": args.seed,
        "faults": dict(sorted(deeds.counts.items())),
        "states": dict(sorted(found.states.items())),
        "tasks_tried_again": found.retried,
        "flaky": found.flaky,
    }


def holds(figures: dict[str, Any]) -> bool:
    """Whether the promise was kept."""
    none = ("tasks_counted_twice", "tasks_lost", "wrong_counts", "processes_left")
    some = ("kills", "restarts", "cancels")
    kept = figures["runs_with_one_summary"] == figures["runs"] and not any(figures[name] for name in none)
    return kept and all(figures[name] >= 1 for name in some)


def main() -> int:
    """Run a campaign; exit 1 when a promise does not hold."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=10)
    parser.add_argument("--tasks", type=int, default=20, help="tasks a run (default 20)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--hosts", type=int, default=3, help="worker hosts, each with two pool processes (default 3)")
    parser.add_argument("--keep", metavar="DIR", help="leave logs and history there (a folder that is not there yet)")
    parser.add_argument("--format", choices=["text", "json"], default="text")
    args = parser.parse_args()
    if min(args.runs, args.tasks, args.hosts) < 1:
        parser.error("--runs, --tasks and --hosts are numbers from 1 on")
    folder = Path(args.keep or tempfile.mkdtemp(prefix="chaos-"))
    try:
        figures = measure(args, folder)
    finally:
        if not args.keep:
            shutil.rmtree(folder, ignore_errors=True)
    if args.format == "text":
        print("\n".join(f"{name:<22} {value}" for name, value in figures.items()))
    print(json.dumps(figures))
    return 0 if holds(figures) else 1


if __name__ == "__main__":
    sys.exit(main())
