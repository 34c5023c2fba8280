"""Tests that are known to be bad: they run and are shown, and until a day their failures block nobody.

    mo-testplan quarantine add TEST --owner WHO --until 14d --reason WHY
    mo-testplan quarantine list | remove TEST

TEST is a task (ut:pkg/a) or the name of a case in any task (TestA, with its subtests).
"""

from __future__ import annotations

import argparse
import re
import time
from typing import TYPE_CHECKING

from orchestrator.cli import edge
from orchestrator.domain.errors import EXIT_PASSED, UnknownRunError, UsageError, nearest
from orchestrator.domain.quarantine import Quarantine

if TYPE_CHECKING:
    from orchestrator.store import Store

_DAY = 86400.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of ``quarantine``."""
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="add|list|remove")
    add = verbs.add_parser("add", help="put a test on the list, or change its entry")
    add.add_argument("test", metavar="TEST")
    add.add_argument("--owner", required=True, metavar="WHO", help="who mends it")
    add.add_argument("--until", required=True, metavar="WHEN", help="a day (2026-01-31) or so many days (14d)")
    add.add_argument("--reason", default="", metavar="WHY")
    remove = verbs.add_parser("remove", help="take a test off the list")
    remove.add_argument("test", metavar="TEST")
    for one in (add, remove, verbs.add_parser("list", help="print the list")):
        one.add_argument("--profile", default="matrixone", metavar="P", help="whose tests (default matrixone)")
        edge.add_format(one)


def run(args: argparse.Namespace) -> int:
    """Change or print the list."""
    config = edge.settings()
    args.profile = edge.profile_name(args.profile, config)
    store = edge.open_store(config)
    try:
        if args.verb == "add":
            if not args.test.strip():
                raise UsageError("the name of the test is empty", "`mo-testplan status RUN` names those that failed.")
            entry = Quarantine(args.test, args.owner, expiry(args.until, time.time()), args.reason)
            store.quarantine(args.profile, entry)
            store.audit(edge.who(), "cli", "quarantine", args.test, entry.words)
        elif args.verb == "remove":
            _remove(store, args.profile, args.test)
        rows = store.quarantines(args.profile)
    finally:
        store.close()
    if args.format == "json":
        edge.print_json([{"test": r.test, "owner": r.owner, "until": r.until, "reason": r.reason} for r in rows])
    else:
        print("\n".join(map(_line, rows)) or "the list is empty")  # noqa: T201 - the answer
    return EXIT_PASSED


def _remove(store: Store, profile: str, test: str) -> None:
    if not store.release_quarantine(profile, test):
        known = [entry.test for entry in store.quarantines(profile)]
        raise UnknownRunError(f"{test!r} is not in quarantine", nearest(test, known))
    store.audit(edge.who(), "cli", "quarantine", test, "taken off the list")


def _line(entry: Quarantine) -> str:
    over = "" if entry.until > time.time() else "  (expired: it blocks again)"
    return f"{entry.test}  {entry.words}{over}"


def expiry(text: str, now: float) -> float:
    """When an entry ends (Unix seconds): the end of a day in UTC, or so many days from ``now``; at most a year."""
    days = re.fullmatch(r"([1-9]\d{0,2})d", text)
    try:
        until = now + int(days[1]) * _DAY if days else _end_of(text)
    except ValueError:
        raise UsageError(f"--until {text!r} is no day", "Write 2026-01-31, or 14d.") from None
    if not now < until <= now + 366 * _DAY:
        raise UsageError(f"--until {text!r} is not within a year from now", "Everything in quarantine has to end.")
    return until


def _end_of(day: str) -> float:
    import calendar

    return calendar.timegm(time.strptime(day, "%Y-%m-%d")) + _DAY
