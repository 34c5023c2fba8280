"""What the ledger costs beside bare Celery: same settings, same worker, same run, the sides taking turns.

    python benchmarks/overhead.py [--tasks 1000] [--rounds 5] [--format text|json]

``throughput``: no-op tasks a second through chord and ledger, over bare Celery's; ``throughput_of_chord``: over
Celery's own chord of no-ops, whose bookkeeping alone costs a third of a no-op. ``submit``: seconds to start a run of
so many shards, over Celery's own chord of as many no-ops. Of each side the best round counts: the machine may be
busy; ``throughput_cpu`` and ``submit_cpu`` are the same in seconds of processor instead of the clock, which a busy
machine does not stretch. ``progress_ms``: a progress query on a run of 10,000 tasks, the median. ``told_ms``: from
the end of a run's last task until its summary is in the outbox, the 95th percentile over real runs.
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


def against_celery(folder: Path, count: int, rounds: int) -> dict[str, Any]:
    """Throughput and submission, as ratios."""
    with EmbeddedRedis(folder / "redis") as server:
        sides = Sides(server.url, count)
        submits = [(sides.bare_submit(), sides.our_submit()) for _ in range(rounds)]
        sides.ledger.redis.flushdb()
        words = [sys.executable, "-m", "benchmarks.rig.noop_worker", server.url, str(folder / "artifacts")]
        with (folder / "worker.log").open("wb") as log:
            worker = subprocess.Popen(words, cwd=ROOT, stdout=log, stderr=log, start_new_session=True)
        try:
            seconds_until(lambda: sides.app.control.ping(timeout=0.5), "the worker answers")
            ways = (sides.bare_run, sides.chord_run, sides.our_run)
            runs = [tuple(way(worker.pid) for way in ways) for _ in range(rounds)]
        finally:
            worker.kill()
            worker.wait()
    bare, chords, ours = _best(runs)
    bare_submit, our_submit = _best(submits)
    return {
        "bare_tasks_per_second": round(count / bare.wall),
        "our_tasks_per_second": round(count / ours.wall),
        "throughput": round(bare.wall / ours.wall, 3),
        "throughput_cpu": round(bare.cpu / ours.cpu, 3),
        "throughput_of_chord": round(chords.wall / ours.wall, 3),
        "throughput_of_chord_cpu": round(chords.cpu / ours.cpu, 3),
        "bare_submit_seconds": round(bare_submit.wall, 3),
        "our_submit_seconds": round(our_submit.wall, 3),
        "submit": round(our_submit.wall / bare_submit.wall, 3),
        "submit_cpu": round(our_submit.cpu / bare_submit.cpu, 3),
    }


def _best(rounds: Sequence[Sequence[Cost]]) -> list[Cost]:
    """The least that each side took."""
    return [Cost(min(c.wall for c in side), min(c.cpu for c in side)) for side in zip(*rounds, strict=True)]


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


def main() -> int:
    """Print the figures; exit 1 when a promise does not hold."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tasks", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--runs", type=int, default=40, help="real runs for told_ms (default 40)")
    parser.add_argument("--format", choices=["text", "json"], default="text")
    args = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="overhead-"))
    try:
        figures = against_celery(folder / "a", args.tasks, args.rounds)
        figures["progress_ms"] = round(progress_ms(folder / "b"), 3)
        figures["told_ms"] = round(told_ms(folder / "c", args.runs + 1))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print(json.dumps(figures) if args.format == "json" else "\n".join(f"{k:<22} {v}" for k, v in figures.items()))
    within = figures["throughput"] >= 0.85 and figures["submit"] <= 1.3
    return 0 if within and figures["progress_ms"] <= 1.0 and figures["told_ms"] <= 200 else 1


if __name__ == "__main__":
    sys.exit(main())
