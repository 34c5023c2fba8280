"""Print the log of a task: its tail from the ledger while the run is live, all of it from the artifacts on its host."""

from __future__ import annotations

import argparse
import time

from orchestrator.cli import edge
from orchestrator.cli.progress import printable
from orchestrator.domain.errors import EXIT_PASSED, UnknownRunError, nearest
from orchestrator.ledger.client import Ledger


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of ``logs``."""
    parser.add_argument("run", metavar="RUN", help="a run's id, or the beginning of one")
    parser.add_argument("--task", required=True, metavar="ID")
    parser.add_argument("--follow", "-f", action="store_true", help="go on as long as the task runs")


def run(args: argparse.Namespace) -> int:
    """Print what there is; with --follow, what comes."""
    config = edge.settings()
    summary, plan = edge.find_run(config, args.run)
    if plan.task(args.task) is None:
        raise UnknownRunError(
            f"run {summary.run} has no task {args.task!r}", nearest(args.task, (t.id for t in plan.tasks))
        )
    ledger, last = Ledger(config.redis_url), "0"
    while True:
        final = not args.follow or ledger.states(summary.run).get(args.task, None) is None
        state = ledger.states(summary.run).get(args.task)
        final = final or (state is not None and state.final)
        rows = ledger.read_log(summary.run, args.task, last)
        for entry, line in rows:
            last = entry
            print(printable(line))  # noqa: T201 - the answer
        if final and not rows:
            return EXIT_PASSED
        if not rows:
            time.sleep(0.3)
