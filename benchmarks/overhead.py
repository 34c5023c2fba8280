"""What the ledger costs beside bare Celery: same settings, same worker, same run, the sides taking turns.

    python benchmarks/overhead.py [--part PART] [--tasks 1000] [--rounds 9] [--format text|json]

``throughput``: no-op tasks a second through chord and ledger, over bare Celery's; ``throughput_of_chord``: over
Celery's own chord of no-ops, whose bookkeeping alone costs a third of a no-op. ``submit``: seconds to start a run of
so many shards, over Celery's own chord of as many no-ops. A ratio is of the two sides of one round, and of the rounds
the median counts, as a machine that does other work is slow for minutes, not for one side; ``throughput_cpu`` and
``submit_cpu`` are the same in seconds of processor instead of the clock. ``progress_ms``: a progress query on a run of
10,000 tasks, the median. ``told_ms``: from the end of a run's last task until its summary is in the outbox, the 95th
percentile over real runs.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parents[1]
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))  # so that `python benchmarks/overhead.py` finds the packages without an installation

from benchmarks.cancel import CHAT, p95  # noqa: E402 - after the path is set
from benchmarks.outages import progress_of  # noqa: E402
from benchmarks.rig.fleet import Fleet  # noqa: E402
from benchmarks.rig.noop_worker import register  # noqa: E402
from benchmarks.rig.processes import family  # noqa: E402
from benchmarks.rig.project import Behaviour, Project, make_project  # noqa: E402
from benchmarks.rig.waiting import seconds_until  # noqa: E402
from orchestrator.domain.plan import TestPlan  # noqa: E402
from orchestrator.ledger.client import Ledger  # noqa: E402
from orchestrator.ledger.embedded import EmbeddedRedis  # noqa: E402
from orchestrator.messaging import App, make_app  # noqa: E402
from orchestrator.planner.codec import dumps  # noqa: E402
from orchestrator.runs import canvas, control  # noqa: E402
from orchestrator.store import Store  # noqa: E402


class Cost(NamedTuple):
    """What something took."""

    #: Seconds on the wall, and of processor.
    wall: float
    cpu: float


class Sides:
    """Both ways through one Redis, and one worker that can be told which queue to serve."""

    def __init__(self, url: str, count: int) -> None:
        self.app, self.ledger, self.count = make_app(url), Ledger(url), count
        self.noop = register(self.app)
        self.plan = _plan(count)

    def bare_submit(self) -> Cost:
        """Send Celery's own chord of no-ops."""
        from celery import chord, group

        return _measured(
            lambda: chord(group(self.noop.si().set(queue="sca") for _ in range(self.count)), app=self.app)(
                self.noop.si().set(queue="sca")
            )
        )

    def our_submit(self) -> Cost:
        """Start a run of as many shards."""
        return _measured(lambda: control.start(self.app, self.ledger, self.plan))

    def bare_run(self, worker: int) -> Cost:
        """Execute no-ops that wait in the queue when the worker is told to serve it."""
        self.ledger.redis.flushdb()
        with self.app.producer_pool.acquire() as producer:
            for _ in range(self.count):
                self.noop.apply_async(queue="sca", producer=producer)
        size = self.ledger.redis.dbsize

        before = int(str(size()))
        return self._serve(
            worker, "sca", lambda: int(str(size())) >= before + self.count - 1
        )  # the queue's own key goes

    def chord_run(self, worker: int) -> Cost:
        """Execute Celery's own chord of no-ops."""
        self.ledger.redis.flushdb()
        self.bare_submit()
        size = self.ledger.redis.dbsize
        wanted = int(str(size())) + self.count - 1  # a result each; the queue's own key goes
        return self._serve(worker, "sca", lambda: int(str(size())) >= wanted)

    def our_run(self, worker: int) -> Cost:
        """The same through chord and ledger."""
        self.ledger.redis.flushdb()
        run = control.start(self.app, self.ledger, self.plan)
        return self._serve(worker, "ut", lambda: progress_of(self.ledger, run).complete)

    def _serve(self, worker: int, queue: str, done: Callable[[], bool]) -> Cost:
        began = _cpu(worker)
        self.app.control.add_consumer(queue, destination=["noop@rig"])
        seconds = seconds_until(done, "all are done")
        self.app.control.cancel_consumer(queue, destination=["noop@rig"], reply=True)
        return Cost(seconds, _cpu(worker) - began)


def _plan(count: int) -> TestPlan:
    packages = {f"p{n:05}": Behaviour("passes") for n in range(count)}
    return Project(Path(), "1" * 40, packages).plan([[name] for name in packages])


def _timed(call: Callable[[], object]) -> float:
    return _measured(call).wall


def _measured(call: Callable[[], object]) -> Cost:
    wall, cpu = time.monotonic(), time.process_time()
    call()
    return Cost(time.monotonic() - wall, time.process_time() - cpu)


def _cpu(pid: int) -> float:
    """Seconds of processor that a process and those below it have used."""
    ticks = 0
    for one in family(pid):
        fields = Path(f"/proc/{one}/stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def throughput(folder: Path, count: int, rounds: int, *, chord: bool = False) -> dict[str, Any]:
    """What a worker gets done, beside bare no-ops or Celery's own chord of them, as ratios."""
    with EmbeddedRedis(folder / "redis") as server:
        sides = Sides(server.url, count)
        words = [sys.executable, "-m", "benchmarks.rig.noop_worker", server.url, str(folder / "artifacts")]
        with (folder / "worker.log").open("wb") as log:
            worker = subprocess.Popen(words, cwd=ROOT, stdout=log, stderr=log, start_new_session=True)
        try:
            seconds_until(lambda: sides.app.control.ping(timeout=0.5), "the worker answers")
            other = sides.chord_run if chord else sides.bare_run
            theirs, ours = zip(*((other(worker.pid), sides.our_run(worker.pid)) for _ in range(rounds)), strict=True)
        finally:
            worker.kill()
            worker.wait()
    name = "chord" if chord else "bare"
    return {
        f"{name}_tasks_per_second": round(count / statistics.median(cost.wall for cost in theirs)),
        "our_tasks_per_second": round(count / statistics.median(cost.wall for cost in ours)),
        **_ratios("throughput_of_chord" if chord else "throughput", theirs, ours),
    }


def submission(folder: Path, count: int, rounds: int) -> dict[str, Any]:
    """What it takes to hand work in, as ratios."""
    with EmbeddedRedis(folder / "redis") as server:
        sides = Sides(server.url, count)
        bare, ours = zip(*((sides.bare_submit(), sides.our_submit()) for _ in range(rounds)), strict=True)
    return {
        "bare_submit_seconds": round(statistics.median(cost.wall for cost in bare), 3),
        "our_submit_seconds": round(statistics.median(cost.wall for cost in ours), 3),
        **_ratios("submit", ours, bare),
    }


def _ratios(name: str, over: Sequence[Cost], under: Sequence[Cost]) -> dict[str, float]:
    """The median over the rounds of one side's cost over the other's, on the wall and of processor."""
    pairs = list(zip(over, under, strict=True))
    return {
        name: round(statistics.median(one.wall / other.wall for one, other in pairs), 3),
        f"{name}_cpu": round(statistics.median(one.cpu / other.cpu for one, other in pairs), 3),
    }


def progress_ms(folder: Path) -> float:
    """Milliseconds of a progress query on a run of 10,000 tasks."""
    plan = _plan(10_000)
    with EmbeddedRedis(folder / "redis") as server:
        ledger = Ledger(server.url)
        tasks = [(task.id, task.shard or "", False) for task in plan.tasks]
        specs = {spec.shard: spec for spec in control.specs("r", plan, "1" * 40)}
        shards = [(first, specs[first.shard]) for first in canvas.deliveries("r", plan)]
        ledger.create("r", dumps(plan).decode(), {"profile": "rig"}, tasks, shards)
        return statistics.median(_timed(lambda: ledger.progress("r")) for _ in range(300)) * 1000


def told_ms(folder: Path, runs: int) -> float:
    """Milliseconds from the end of the last task until the summary is in the outbox, 95th percentile."""
    project = make_project(folder, {"a": Behaviour("passes"), "b": Behaviour("passes")}, dispatch="{}", more=CHAT)
    with (
        Fleet(project, hosts=1, concurrency=2, environ={"MO_TESTPLAN_WECOM_KEY": "bench"}) as fleet,
        Store(fleet.environ["MO_TESTPLAN_STORE_URL"]) as store,
    ):
        waits = [_told(fleet.app, fleet.ledger(), project, store) for _ in range(runs)]
    return p95(waits[1:]) * 1000  # the first one brings the worker's tree along


def _told(app: App, ledger: Ledger, project: Project, store: Store) -> float:
    run = control.start(app, ledger, project.plan([["a"], ["b"]]))
    seconds_until(lambda: store.outbox(run), "its summary is in the outbox")
    ends = [event.id for event in ledger.events(run) if event.kind == "finished"]
    (message,) = store.outbox(run)
    return message.created - int(ends[-1].partition("-")[0]) / 1000


#: What is measured, each by itself: figures from a folder of its own and the arguments.
PARTS: dict[str, Callable[[Path, argparse.Namespace], dict[str, Any]]] = {
    "chord": lambda folder, args: throughput(folder, args.tasks, args.rounds, chord=True),
    "throughput": lambda folder, args: throughput(folder, args.tasks, args.rounds),
    "submit": lambda folder, args: submission(folder, args.tasks, args.rounds),
    "progress": lambda folder, _: {"progress_ms": round(progress_ms(folder), 3)},
    "told": lambda folder, args: {"told_ms": round(told_ms(folder, args.runs + 1))},
}
#: The least or most of what is promised, by figure.
LEAST, MOST = {"throughput": 0.85}, {"submit": 1.3, "progress_ms": 1.0, "told_ms": 200.0}


def main() -> int:
    """Print the figures; exit 1 when a promise does not hold."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--part", choices=PARTS, help="only this (default: all)")
    parser.add_argument("--tasks", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--runs", type=int, default=40, help="real runs for told_ms (default 40)")
    parser.add_argument("--format", choices=["text", "json"], default="text")
    args = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="overhead-"))
    figures: dict[str, Any] = {}
    try:
        for name in [args.part] if args.part else PARTS:
            (folder / name).mkdir()
            figures |= PARTS[name](folder / name, args)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print(json.dumps(figures) if args.format == "json" else "\n".join(f"{k:<22} {v}" for k, v in figures.items()))
    low = any(figures.get(name, least) < least for name, least in LEAST.items())
    return int(low or any(figures.get(name, most) > most for name, most in MOST.items()))


if __name__ == "__main__":
    sys.exit(main())
