"""What history adds up to: the slowest tasks, the flakiest cases, what pull requests cost, each day's load.

--pictures DIR draws them as SVG files. --durations FILE writes the measured seconds of a profile's tasks and scripts,
which `plan --durations FILE` estimates with, --failures FILE what `plan --failures FILE` draws on.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from orchestrator.cli import charts, edge
from orchestrator.domain.errors import EXIT_PASSED, UsageError
from orchestrator.domain.options import positive
from orchestrator.planner.failures import write_failures
from orchestrator.planner.measured import write_durations
from orchestrator.planner.summary import count, duration
from orchestrator.store import DayLoad, FlakyCase, PrCost, SlowTask

if TYPE_CHECKING:
    from orchestrator.store import Store

_RUN = ("run", "runs")
Row = tuple[str, float, str]


@dataclass(frozen=True, slots=True)
class Figures:
    """All of it, as the JSON has it."""

    #: Unix seconds: runs created since then.
    since: float
    slowest: list[SlowTask]
    flakiest: list[FlakyCase]
    costs: list[PrCost]
    days: list[DayLoad]

    def charts(self) -> dict[str, tuple[str, list[Row]]]:
        """Name → title and rows (label, length, words)."""
        slow = [(s.task, s.total, f"{duration(s.total)}: {s.runs} × {duration(s.mean)}") for s in self.slowest]
        flaky = [(f.name, float(f.commits), _flaky_words(f)) for f in self.flakiest]
        cost = [
            (f"PR {c.pr}", c.seconds, f"{duration(c.seconds)}: {count(c.runs, _RUN)}, {c.failed} failed")
            for c in self.costs
        ]
        days = [
            (time.strftime("%Y-%m-%d", time.gmtime(d.day)), d.seconds, f"{duration(d.seconds)}: {count(d.runs, _RUN)}")
            for d in self.days
        ]
        return {
            "slowest": ("Slowest: runner time of tasks", slow),
            "flakiest": ("Flakiest: failed and passed on one commit", flaky),
            "cost": ("Cost: runner time of pull requests", cost),
            "days": ("Load: runner time of days", days),
        }


def _flaky_words(case: FlakyCase) -> str:
    failures = count(case.failures, ("failure", "failures"))
    return f"{failures} on {count(case.commits, ('commit', 'commits'))}"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of ``stats``."""
    parser.add_argument("--days", type=positive, default=30, metavar="N", help="of the last N days (default 30)")
    parser.add_argument("--limit", type=positive, default=10, metavar="N", help="rows a list (default 10)")
    parser.add_argument("--profile", metavar="P", help="only runs of this profile; its name or file")
    parser.add_argument(
        "--pictures", metavar="DIR", help="write slowest.svg, flakiest.svg, cost.svg and days.svg there"
    )
    parser.add_argument("--durations", metavar="FILE", help="write measured seconds there; needs --profile")
    parser.add_argument("--failures", metavar="FILE", help="write what failed lately there; needs --profile")
    edge.add_format(parser)


def run(args: argparse.Namespace) -> int:
    """Print the lists."""
    if (args.durations or args.failures) and not args.profile:
        option = "--durations" if args.durations else "--failures"
        raise UsageError(f"{option} writes what is known of one profile, and none is named", "Add --profile P.")
    config = edge.settings()
    args.profile = args.profile and edge.profile_name(args.profile, config)
    store = edge.open_store(config)
    try:
        figures = collect(store, time.time() - args.days * 86400.0, args.limit, args.profile)
        if args.durations:
            write_durations(Path(args.durations), {args.profile: store.durations(args.profile)})
        if args.failures:
            write_failures(Path(args.failures), {args.profile: store.failures(args.profile)})
    finally:
        store.close()
    if args.pictures:
        draw(figures, Path(args.pictures))
    if args.format == "json":
        edge.print_json(figures)
    else:
        print("\n\n".join(_section(title, rows) for title, rows in figures.charts().values()))  # noqa: T201
    return EXIT_PASSED


def collect(store: Store, since: float, limit: int, profile: str | None) -> Figures:
    """Ask the history."""
    return Figures(
        since,
        store.slowest(since, limit, profile),
        store.flakiest(since, limit, profile),
        store.costs(since, limit, profile),
        store.days(since, profile),
    )


def draw(figures: Figures, folder: Path) -> None:
    """One SVG file a list."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, (title, rows) in figures.charts().items():
        (folder / f"{name}.svg").write_text(charts.bars(title, rows), encoding="utf-8")


def _section(title: str, rows: list[Row]) -> str:
    most = max((length for _, length, _ in rows), default=0.0) or 1.0
    width = min(48, max((len(label) for label, _, _ in rows), default=0))
    lines = [
        f"  {label[-48:]:<{width}}  {'█' * max(1, round(20 * length / most)):<20}  {words}"
        for label, length, words in rows
    ]
    return "\n".join([title, *(lines or ["  nothing in this time"])])
