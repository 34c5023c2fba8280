"""End a run, or some of its tasks. What runs is told at once and killed within a second."""

from __future__ import annotations

import argparse

from orchestrator.cli import edge
from orchestrator.domain.errors import EXIT_PASSED
from orchestrator.ledger.client import Ledger
from orchestrator.messaging import make_app
from orchestrator.runs import control


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of ``cancel``."""
    parser.add_argument("run", metavar="RUN", help="a run's id, or the beginning of one")
    parser.add_argument("--task", action="append", default=[], metavar="ID", help="only this task; repeatable")


def run(args: argparse.Namespace) -> int:
    """Set the flag that ends it."""
    config = edge.settings()
    summary, _ = edge.find_run(config, args.run)
    if summary.state.final:
        edge.say(f"run {summary.run} has ended already: {summary.state.value}")
        return EXIT_PASSED
    ledger = Ledger(config.redis_url)
    control.cancel(make_app(config.redis_url), ledger, summary.run, edge.who(), args.task)
    edge.record(ledger, "cancel", summary.run, f"asked for {', '.join(args.task) or 'all'}")
    edge.say(f"cancelling {', '.join(args.task) or 'all'} of run {summary.run}")
    return EXIT_PASSED
