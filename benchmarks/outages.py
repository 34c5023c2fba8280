"""What happens when a host, the broker or the leading control process is gone.

    python benchmarks/outages.py [host|broker|leader …] [--down 60] [--format text|json]

``host``: a worker host is killed in the middle of a test; seconds until the test runs again elsewhere, at most the
lease and five seconds. ``broker``: Redis is away for ``--down`` seconds in mid-run; the run ends, and every test was
executed once. ``leader``: of two control processes on PostgreSQL the leading one is killed; seconds until the other
one's reaper writes the summary of a run that waits for it, at most fifteen.
"""

from __future__ import annotations

import argparse
import json
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))  # so that `python benchmarks/outages.py` finds the packages without an installation

from benchmarks.rig.fleet import Fleet  # noqa: E402 - after the path is set
from benchmarks.rig.postgres import postgres  # noqa: E402
from benchmarks.rig.project import Behaviour, Project, make_project  # noqa: E402
from benchmarks.rig.waiting import seconds_until  # noqa: E402
from orchestrator.domain.run import TaskState  # noqa: E402
from orchestrator.ledger import keys  # noqa: E402
from orchestrator.ledger.client import Ledger  # noqa: E402
from orchestrator.ledger.records import Progress  # noqa: E402
from orchestrator.runs import control  # noqa: E402
from orchestrator.store import Store  # noqa: E402

LEASE = 6.0


def progress_of(ledger: Ledger, run: str) -> Progress:
    """A run's counters."""
    progress = ledger.progress(run)
    assert progress is not None
    return progress


def started(ledger: Ledger, run: str) -> list[dict[str, str]]:
    """The starts of a run's tasks: who started what."""
    return [event.fields for event in ledger.events(run) if event.kind == "started"]


def lost_host(folder: Path) -> dict[str, Any]:
    """Kill the host that has a test; the other one is idle."""
    project = make_project(folder, {"slow": Behaviour("passes", 20.0)}, dispatch=f"{{lease: {LEASE}}}")
    with Fleet(project, hosts=2) as fleet:
        ledger = fleet.ledger()
        run = control.start(fleet.app, ledger, project.plan([["slow"]]))
        seconds_until(lambda: progress_of(ledger, run).tasks[TaskState.RUNNING], "it runs")
        victim = _host_of_test(fleet)
        began = time.monotonic()
        fleet.hosts[victim].kill()
        again = seconds_until(lambda: len(started(ledger, run)) == 2, "it runs again", began=began)
    return {"lease": LEASE, "again_after": round(again, 2), "ok": again <= LEASE + 5}


def _host_of_test(fleet: Fleet) -> int:
    """Which host runs the one test: the one whose pool process has a child."""
    from benchmarks.rig.processes import children

    def busy() -> list[int]:
        return [n for n, host in enumerate(fleet.hosts) if any(children(pid) for pid in host.pool())]

    seconds_until(busy, "a host has a test")
    return busy()[0]


def broker_away(folder: Path, down: float) -> dict[str, Any]:
    """Take Redis away while six tests run, for longer than they take and longer than the lease."""
    tests = {f"p{n}": Behaviour("passes", 4.0 + n) for n in range(6)}
    project = make_project(folder, tests, dispatch=f"{{lease: {LEASE}}}")
    with Fleet(project, hosts=2) as fleet:
        ledger = fleet.ledger()
        run = control.start(fleet.app, ledger, project.plan([[name] for name in tests]))
        seconds_until(lambda: progress_of(ledger, run).tasks[TaskState.RUNNING] == 2, "two run")
        time.sleep(1.5)  # what Redis was told is on disk
        fleet.broker.crash(signal.SIGKILL, down)
        seconds = seconds_until(lambda: progress_of(ledger, run).state.final, "the run ends")
        starts = Counter(fields["task"] for fields in started(ledger, run))
        state = progress_of(ledger, run).state.value
    twice = sum(count > 1 for count in starts.values())
    ok = state == "passed" and not twice and len(starts) == len(tests)
    return {"down": down, "state": state, "executed_twice": twice, "ended_after": round(seconds, 1), "ok": ok}


def leader_killed(folder: Path) -> dict[str, Any]:
    """Kill the leading control process of two, with a run that only a reaper would end."""
    project = make_project(folder, {"p": Behaviour("passes")}, dispatch=f"{{lease: {LEASE}}}")
    with postgres() as server:
        url = f"{server}/postgres"
        with Fleet(project, hosts=0, controls=2, environ={"MO_TESTPLAN_STORE_URL": url}) as fleet, Store(url) as store:
            return _failover(fleet, project, store)


def _failover(fleet: Fleet, project: Project, store: Store) -> dict[str, Any]:
    ledger = fleet.ledger()
    seconds_until(lambda: ledger.redis.get(keys.LEADER), "one leads")
    leader = str(ledger.redis.get(keys.LEADER))
    (victim,) = [one for one in fleet.controls if leader.startswith(f"control-{one.pid}@")]
    run = control.start(fleet.app, ledger, project.plan([["p"]]))
    victim.kill()
    began = time.monotonic()
    ledger.cancel(run, "bench", [("ut:p", "ut-0000")], whole_run=True)  # the ledger alone: nobody asks for a summary
    moved = seconds_until(lambda: ledger.redis.get(keys.LEADER) not in (None, leader), "another one leads", began=began)
    told = seconds_until(lambda: store.summary(run) is not None, "the run has its summary", began=began)
    return {"moved_after": round(moved, 2), "summary_after": round(told, 2), "ok": max(moved, told) <= 15.0}


def main() -> int:
    """Print the figures; exit 1 when a promise does not hold."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("which", nargs="*", metavar="host|broker|leader", help="default: all")
    parser.add_argument("--down", type=float, default=60.0, help="seconds that Redis is away (default 60)")
    parser.add_argument("--format", choices=["text", "json"], default="text")
    args = parser.parse_args()
    ways = {"host": lost_host, "broker": lambda folder: broker_away(folder, args.down), "leader": leader_killed}
    if set(args.which) - set(ways):
        parser.error(f"name some of {', '.join(ways)}")
    figures: dict[str, dict[str, Any]] = {}
    for name in args.which or ways:
        folder = Path(tempfile.mkdtemp(prefix="outage-"))
        try:
            figures[name] = ways[name](folder)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    print(json.dumps(figures) if args.format == "json" else "\n".join(f"{k:<8} {v}" for k, v in figures.items()))
    return 0 if all(figure["ok"] for figure in figures.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
