"""List runs: what goes on now, and what history knows."""

from __future__ import annotations

import argparse
import time
from typing import Any

from orchestrator.cli import edge
from orchestrator.domain.errors import EXIT_PASSED, BrokerError
from orchestrator.ledger.client import Ledger
from orchestrator.settings import Settings


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of ``runs``."""
    parser.add_argument("--limit", type=edge.positive, default=20, metavar="N", help="at most N (default 20)")
    parser.add_argument("--pr", type=edge.positive, help="only runs of this pull request")
    edge.add_format(parser)


def run(args: argparse.Namespace) -> int:
    """Print one line a run, newest first."""
    config = edge.settings()
    rows = _live(config, args.pr)
    known = {row["run"] for row in rows}
    store = edge.open_store(config)
    try:
        history = store.runs(args.limit, pr=args.pr)
    finally:
        store.close()
    rows += [
        {
            "run": r.id,
            "state": r.state.value,
            "pr": r.pr_number,
            "parent": r.parent,
            "created": r.created,
            "cost": r.cost,
        }
        for r in history
        if r.id not in known
    ]
    rows = sorted(rows, key=lambda row: -float(row["created"]))[: args.limit]
    if args.format == "json":
        edge.print_json(rows)
        return EXIT_PASSED
    for row in rows:
        when = time.strftime("%Y-%m-%d %H:%M", time.gmtime(row["created"]))
        pull = f"PR {row['pr']}" if row["pr"] else ""
        parent = f"re-run of {row['parent']}" if row["parent"] else ""
        done = f"{row['done']}/{row['total']} tasks" if "done" in row else ""
        words = (f"{row['run']:<14} {row['state']:<10} {when}  {row['cost']:>8.1f} s", done, pull, parent)
        print("  ".join(filter(None, words)))  # noqa: T201
    return EXIT_PASSED


def _live(config: Settings, pull: int | None) -> list[dict[str, Any]]:
    ledger = Ledger(config.redis_url, retries=1)
    try:
        found = [ledger.progress(name) for name in ledger.active()]
    except BrokerError as error:
        edge.say(f"mo-testplan: {error.message} Showing history only.")
        return []
    return [
        {
            "run": p.run,
            "state": p.state.value,
            "pr": p.pr_number,
            "parent": p.parent,
            "created": p.created,
            "cost": p.cost,
            "done": p.done,
            "total": p.total,
        }
        for p in found
        if p is not None and (pull is None or p.pr_number == pull)
    ]
