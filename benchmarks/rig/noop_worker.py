"""A worker whose tests do nothing: what is left is Celery, and what we add to it.

    python -m benchmarks.rig.noop_worker REDIS_URL FOLDER

It serves our shards on the queue ``ut``, and a bare Celery task on ``sca``; it starts with neither and is told to.
"""

from __future__ import annotations

import sys
from pathlib import Path

from orchestrator.domain.plan import Suite as SuiteName
from orchestrator.domain.profile import Profile
from orchestrator.domain.run import TaskState
from orchestrator.ledger.client import Ledger
from orchestrator.messaging import App, make_app
from workers import tasks
from workers.shard import Bench
from workers.suites.base import Ending, Job

NOOP = "rig.noop"


class Nothing:
    """A suite whose every task passes at once."""

    def execute(self, job: Job) -> Ending:
        """Pass."""
        return Ending(TaskState.PASSED)


def register(app: App) -> App:
    """Make ``app`` know the bare task; the task."""

    @app.task(name=NOOP)  # type: ignore[untyped-decorator]
    def noop() -> None:
        return None

    return noop


def main(url: str, folder: str) -> None:
    """Serve until killed."""
    app = make_app(url)
    register(app)

    def bench() -> Bench:
        path = Path(folder)
        suites, profile = {SuiteName.UNIT_TEST: Nothing()}, Profile(name="rig")
        return Bench(Ledger(url), path, lambda *_: (path, lambda: None), lambda _: profile, suites)

    receivers = tasks.register(app, bench, lambda: Ledger(url))
    worker = app.Worker(
        hostname="noop@rig",
        queues=["bvt"],
        concurrency=2,
        pool="prefork",
        loglevel="WARNING",
        task_events=True,
        without_gossip=True,
        without_mingle=True,
    )
    worker.start()
    del receivers


if __name__ == "__main__":
    main(*sys.argv[1:3])
