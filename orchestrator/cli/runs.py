"""List runs: what goes on now, and what history knows."""

from __future__ import annotations

import argparse
import time
from collections.abc import Collection
from typing import Any

from orchestrator.cli import edge
from orchestrator.cli.progress import printable
from orchestrator.domain.errors import EXIT_PASSED, InfrastructureError
from orchestrator.domain.options import positive
from orchestrator.domain.run import RunState
from orchestrator.ledger.client import Ledger
from orchestrator.settings import Settings


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of ``runs``."""
    parser.add_argument("--limit", type=positive, default=20, metavar="N", help="at most N (default 20)")
    parser.add_argument("--pr", type=positive, metavar="N", help="only runs of this pull request")
    parser.add_argument("--state", choices=[state.value for state in RunState], help="only runs that stand so")
    parser.add_argument("--profile", metavar="P", help="only runs of this profile; its name or file")
    edge.add_format(parser)


def run(args: argparse.Namespace) -> int:
    """Print one line a run, newest first."""
    config = edge.settings()
    args.profile = args.profile and edge.profile_name(args.profile, config)
    rows = _live(config)
    rows += _history(config, args, {row["run"] for row in rows})
    wanted = {"pr": args.pr, "state": args.state, "profile": args.profile}
    rows = [row for row in rows if all(value in (None, row[key]) for key, value in wanted.items())]
    rows = sorted(rows, key=lambda row: -float(row["created"]))[: args.limit]
    if args.format == "json":
        edge.print_json(rows)
        return EXIT_PASSED
    several = len({row["profile"] for row in rows}) > 1
    for row in rows:
        print(_line(row, profile=several))  # noqa: T201 - the answer
    if not rows:
        edge.say("no run is known here" if not any(wanted.values()) else "no run is like that")
    return EXIT_PASSED


def _line(row: dict[str, Any], *, profile: bool) -> str:
    when = time.strftime("%Y-%m-%d %H:%M", time.gmtime(row["created"]))
    pull = f"PR {row['pr']}" if row["pr"] else ""
    parent = f"re-run of {row['parent']}" if row["parent"] else ""
    done = f"{row['done']}/{row['total']} tasks" if "done" in row else ""
    first = f"{row['run']:<14} {row['state']:<10} {when}  {row['cost']:>8.1f} s"
    return printable("  ".join(filter(None, (first, done, row["profile"] if profile else "", pull, parent))))


def _history(config: Settings, args: argparse.Namespace, known: Collection[str]) -> list[dict[str, Any]]:
    store = edge.open_store(config)
    try:
        records = store.runs(args.limit + len(known), pr=args.pr, state=args.state, profile=args.profile)
    finally:
        store.close()
    return [
        {
            "run": r.id,
            "state": r.state.value,
            "profile": r.profile,
            "pr": r.pr_number,
            "parent": r.parent,
            "created": r.created,
            "cost": r.cost,
        }
        for r in records
        if r.id not in known
    ]


def _live(config: Settings) -> list[dict[str, Any]]:
    ledger = Ledger(config.redis_url, retries=1)
    try:
        ledger.check_scheme()
        found = [ledger.progress(name) for name in ledger.active()]
    except InfrastructureError as error:
        edge.say(f"mo-testplan: {error.sentence} Showing history only.")
        return []
    return [
        {
            "run": p.run,
            "state": p.state.value,
            "profile": p.profile,
            "pr": p.pr_number,
            "parent": p.parent,
            "created": p.created,
            "cost": p.cost,
            "done": p.done,
            "total": p.total,
        }
        for p in found
        if p is not None
    ]
