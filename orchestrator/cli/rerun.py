"""Run again what failed (--failed), some tasks (--task), or all: a new run with a parent, on the same commit."""

from __future__ import annotations

import argparse

from orchestrator.cli import edge
from orchestrator.cli.run import add_stack_arguments, execute
from orchestrator.domain.errors import UsageError
from orchestrator.runs import control


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of ``rerun``."""
    parser.add_argument("run", metavar="RUN", help="a run's id, or the beginning of one")
    parser.add_argument("--failed", action="store_true", help="what failed, and what infrastructure took down")
    parser.add_argument("--task", action="append", default=[], metavar="ID", help="only this task; repeatable")
    parser.add_argument("--profile", help="profile file for --local (default: the run's own)")
    parser.add_argument("--repo", metavar="DIR", help="clone to check out from (with --local)")
    add_stack_arguments(parser)
    parser.add_argument("--detach", action="store_true", help="print the run's id and return")
    edge.add_format(parser)


def run(args: argparse.Namespace) -> int:
    """Start the new run; the exit code is its verdict."""
    config = edge.settings()
    summary, plan = edge.find_run(config, args.run)
    if not summary.state.final:
        raise UsageError(f"run {summary.run} still runs", f"Wait for it, or `mo-testplan cancel {summary.run}` first.")
    args.profile = args.profile or plan.profile
    again = control.rerun_plan(plan, summary, failed=args.failed, tasks=args.task)
    return execute(args, config, again, parent=summary.run)
