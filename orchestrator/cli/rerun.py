"""Run again what failed (--failed), what infrastructure took down (--lost), some tasks (--task), or all.

It is a new run with a parent, on the same commit; with --on on one host alone.
"""

from __future__ import annotations

import argparse

from orchestrator.cli import edge
from orchestrator.cli.run import add_stack_arguments, add_wait, add_weight, check_stack, check_wait, execute
from orchestrator.domain.errors import UsageError
from orchestrator.ledger.client import Ledger
from orchestrator.runs import control
from orchestrator.runs.hosts import machine


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of ``rerun``."""
    edge.add_run(parser)
    part = parser.add_mutually_exclusive_group()
    part.add_argument("--failed", action="store_true", help="what failed, and what infrastructure took down")
    part.add_argument("--lost", action="store_true", help="only what infrastructure took down")
    part.add_argument("--task", action="append", default=[], metavar="ID", help="only this task; repeatable")
    parser.add_argument("--on", metavar="HOST", default="", help="by the workers of this host (its name in results)")
    parser.add_argument("--profile", help="profile file for --local (default: the run's own)")
    parser.add_argument("--repo", metavar="DIR", help="clone to check out from (with --local)")
    add_stack_arguments(parser)
    add_weight(parser)
    add_wait(parser)
    edge.add_format(parser)


def run(args: argparse.Namespace) -> int:
    """Start the new run; the exit code is its verdict."""
    check_stack(args)
    check_wait(args)
    config = edge.settings()
    summary, plan = edge.find_run(config, args.run)
    if not summary.state.final:
        raise UsageError(f"run {summary.run} still runs", f"Wait for it, or `mo-testplan cancel {summary.run}` first.")
    if args.on and args.local:
        raise UsageError("--on names a host and --local is this one", "Leave one of them out.")
    if not args.local and (args.profile or args.repo):
        raise UsageError("--profile and --repo go with --local", "Elsewhere they are the workers' own.")
    args.profile = args.profile or plan.profile
    host = machine(Ledger(config.redis_url, retries=1).hosts(), args.on) if args.on else ""
    again = control.rerun_plan(plan, summary, failed=args.failed, lost=args.lost, tasks=args.task, host=host)
    return execute(args, config, again, parent=summary.run)
