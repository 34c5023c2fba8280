"""How fast a cancel is: 1,000 shards queued and 6 process trees that ignore TERM.

    python benchmarks/cancel.py [--trials 20] [--queued 1000] [--format text|json]

``dead``: seconds from the call until no process of the six trees is left; ``summary``: until the run's one summary is
in the history and in the outbox; ``started_after``: tasks that started after the call. ``killed``: seconds from
``kill -9`` of a worker's main process until none of its descendants is left. Each is the 95th percentile of the trials.
"""

from __future__ import annotations

import argparse
import json
import math
import shutil
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))  # so that `python benchmarks/cancel.py` finds the packages without an installation

from benchmarks.rig.fleet import Fleet  # noqa: E402 - after the path is set
from benchmarks.rig.processes import family, marked, of_tests  # noqa: E402
from benchmarks.rig.project import Behaviour, make_project  # noqa: E402
from benchmarks.rig.waiting import seconds_until  # noqa: E402
from orchestrator.domain.run import TaskState  # noqa: E402
from orchestrator.ledger.client import Ledger  # noqa: E402
from orchestrator.runs import control  # noqa: E402
from orchestrator.store import Store  # noqa: E402

HOSTS, EACH = 3, 2
TREES = HOSTS * EACH
CHAT = "wecom: {base_url: http://127.0.0.1:1}\n"


def p95(values: Sequence[float]) -> float:
    """The 95th percentile, by nearest rank."""
    return sorted(values)[math.ceil(0.95 * len(values)) - 1]


class Bench:
    """The fleet, and what is done to it."""

    def __init__(self, fleet: Fleet, queued: int) -> None:
        self.fleet, self.app, self.ledger = fleet, fleet.app, fleet.ledger()
        self.store = Store(fleet.environ["MO_TESTPLAN_STORE_URL"])
        trees = [f"tree{n}" for n in range(TREES)]
        waiting = sorted(set(fleet.project.packages) - set(trees))[:queued]
        self.plan = fleet.project.plan([[name] for name in (*trees, *waiting)])

    def start(self) -> str:
        """A run whose six trees are all up."""
        run = control.start(self.app, self.ledger, self.plan)
        seconds_until(lambda: _count(self.ledger, run, TaskState.RUNNING) == TREES, "six tasks run")
        seconds_until(lambda: len(of_tests(self.fleet.mark)) >= 3 * TREES, "six trees are up")
        return run

    def cancel(self) -> tuple[float, float, int]:
        """Seconds until all is dead and until the summary, and how many tasks started after the call."""
        run = self.start()
        last = _last_event(self.ledger, run)
        began = time.monotonic()
        control.cancel(self.app, self.ledger, run, "bench")
        dead = seconds_until(lambda: not of_tests(self.fleet.mark), "the trees are dead", began=began)
        told = seconds_until(lambda: self.store.summary(run) is not None, "the run has its summary", began=began)
        started = sum(event.kind == "started" for event in self.ledger.events(run, last))
        return dead, told, started

    def kill(self) -> float:
        """Seconds from killing a host until nothing of it is left."""
        run = self.start()
        host = self.fleet.hosts[0]
        below = family(host.pid)
        began = time.monotonic()
        host.kill()
        gone = seconds_until(lambda: not below & marked(self.fleet.mark), "all below the host is dead", began=began)
        control.cancel(self.app, self.ledger, run, "bench")
        seconds_until(lambda: self.store.summary(run) is not None, "the run has its summary")
        host.start()
        self.fleet.wait_ready()
        return gone


def _count(ledger: Ledger, run: str, state: TaskState) -> int:
    progress = ledger.progress(run)
    return progress.tasks[state] if progress else 0


def _last_event(ledger: Ledger, run: str) -> str:
    last = "0"
    while events := ledger.events(run, last):
        last = events[-1].id
    return last


def measure(trials: int, queued: int, folder: Path) -> dict[str, Any]:
    """The figures of ``trials`` cancels, and of a few killed workers."""
    packages = {f"tree{n}": Behaviour("stubborn", 600.0) for n in range(TREES)}
    packages |= {f"w{n:04}": Behaviour("passes") for n in range(queued)}
    project = make_project(folder, packages, dispatch="{lease: 10}", more=CHAT)
    fleet = Fleet(project, hosts=HOSTS, concurrency=EACH, environ={"MO_TESTPLAN_WECOM_KEY": "bench"})
    with fleet:
        bench = Bench(fleet, queued)
        cancels = [bench.cancel() for _ in range(trials)]
        kills = [bench.kill() for _ in range(max(1, trials // 4))]
    return {
        "trials": trials,
        "queued": queued,
        "trees": TREES,
        "dead_p95": round(p95([dead for dead, _, _ in cancels]), 3),
        "summary_p95": round(p95([told for _, told, _ in cancels]), 3),
        "started_after": sum(started for _, _, started in cancels),
        "killed_p95": round(p95(kills), 3),
    }


def main() -> int:
    """Print the figures; exit 1 when a promise does not hold."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=int, default=20)
    parser.add_argument("--queued", type=int, default=1000)
    parser.add_argument("--format", choices=["text", "json"], default="text")
    args = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="cancel-"))
    try:
        figures = measure(args.trials, args.queued, folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print(json.dumps(figures) if args.format == "json" else "\n".join(f"{k:<16} {v}" for k, v in figures.items()))
    return 0 if holds(figures) else 1


def holds(figures: dict[str, Any]) -> bool:
    """Whether the promise was kept."""
    fast = figures["dead_p95"] <= 1.0 and figures["summary_p95"] <= 2.0 and figures["killed_p95"] <= 1.0
    return bool(fast and figures["started_after"] == 0)


if __name__ == "__main__":
    sys.exit(main())
