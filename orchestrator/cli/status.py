"""Say where a run stands: verdict or progress, how long it takes, what it waits for, what failed and how to run that.

With --task: what happened to one task, moment by moment.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator

from orchestrator.cli import edge
from orchestrator.cli.progress import printable, seconds_words
from orchestrator.cli.reports import FORMATS, report_text
from orchestrator.cli.show import summary_text, task_lines
from orchestrator.domain.errors import EXIT_PASSED, BrokerError, UsageError
from orchestrator.domain.naming import task_named
from orchestrator.domain.plain import to_plain
from orchestrator.domain.plan import TestPlan
from orchestrator.domain.run import RunSummary
from orchestrator.ledger.client import Ledger
from orchestrator.planner.summary import count
from orchestrator.runs.outlook import Moment, Outlook, Waits, outlook, timeline
from orchestrator.settings import Settings

_NAMED = 3


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of ``status``."""
    edge.add_run(parser)
    parser.add_argument("--task", metavar="ID", help="what happened to this task")
    parser.add_argument("--exit-code", action="store_true", help="end with the run's own exit code; 3 while it goes on")
    edge.add_format(parser, *FORMATS)


def run(args: argparse.Namespace) -> int:
    """Print the run's summary as it stands, or one task's history."""
    config = edge.settings()
    summary, plan = edge.find_run(config, args.run)
    if args.task and args.format in FORMATS:
        raise UsageError(f"--task has no form {args.format}", "Leave --task out, or print text or json.")
    if args.task:
        _task(config, summary, args.task, args.format)
    else:
        _whole(config, summary, plan, args.format)
    return summary.state.exit_code if args.exit_code else EXIT_PASSED


def _whole(config: Settings, summary: RunSummary, plan: TestPlan, form: str) -> None:
    if form in FORMATS:
        edge.print_text(report_text(config, summary, plan, form))
        return
    coming = None if summary.state.final else outlook(Ledger(config.redis_url), summary.run, plan)
    if form == "json":
        live = {"ended": None, "outlook": to_plain(coming)} if coming else {}
        edge.print_json({**to_plain(summary), **live})
        return
    lines = [summary_text(summary, plan), *(outlook_lines(coming) if coming else ())]
    print("\n".join(lines))  # noqa: T201 - the answer


def outlook_lines(coming: Outlook) -> Iterator[str]:
    """How long it takes, and its place in each queue."""
    if coming.seconds_left is not None:
        yield f"  about {seconds_words(coming.seconds_left)} left"
    for place in coming.queues:
        yield f"  {waits_words(place)}"


def waits_words(place: Waits) -> str:
    """``12 shards wait in queue ut behind 30 others: 28 of run 1125-… (PR 7), 2 of run 1125-…``."""
    mine = f"{count(place.waiting, ('shard waits', 'shards wait'))} in queue {place.queue}"
    if not place.ahead:
        return f"{mine}, {'the first of them' if place.waiting > 1 else 'it'} is next"
    who = [f"{one.shards} of run {one.run}{f' (PR {one.pull})' if one.pull else ''}" for one in place.who[:_NAMED]]
    more = [f"and {count(len(place.who) - _NAMED, ('more run', 'more runs'))}"] if len(place.who) > _NAMED else []
    return f"{mine} behind {count(place.ahead, ('other', 'others'))}: {', '.join(who + more)}"


def _task(config: Settings, summary: RunSummary, task: str, form: str) -> None:
    results = {one.task: one for one in summary.tasks}
    result = results[task_named(task, results, f"run {summary.run}")]
    moments = _moments(config, summary.run, result.task)
    if form == "json":
        edge.print_json({"task": to_plain(result), "timeline": to_plain(moments)})
        return
    lines = [*task_lines(result), *(printable(f"  {moment.at:>9.2f} s  {moment.words}") for moment in moments)]
    print("\n".join(lines))  # noqa: T201 - the answer


def _moments(config: Settings, run: str, task: str) -> list[Moment]:
    try:
        return timeline(Ledger(config.redis_url, retries=1), run, task)
    except BrokerError:  # the history has the run, and no moments
        return []
