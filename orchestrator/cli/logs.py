"""Print the log of a task: all of it on the host where it ran, elsewhere what the ledger keeps of its end."""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from pathlib import Path

from orchestrator.cli import edge
from orchestrator.cli.progress import printable
from orchestrator.domain.errors import EXIT_PASSED, UsageError
from orchestrator.domain.naming import task_named
from orchestrator.domain.run import TaskResult, TaskState
from orchestrator.ledger.client import Ledger
from orchestrator.settings import Settings
from workers.sink import task_folder


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of ``logs``."""
    edge.add_run(parser)
    parser.add_argument("--task", required=True, metavar="ID")
    parser.add_argument("--follow", "-f", action="store_true", help="go on as long as the task runs")
    edge.add_format(parser)


def run(args: argparse.Namespace) -> int:
    """Print what there is; with --follow, what comes."""
    if args.follow and args.format == "json":
        raise UsageError(
            "--follow prints lines as they come, and JSON is one document",
            "Leave one of them out; `mo-testplan serve` streams events.",
        )
    config = edge.settings()
    summary, _ = edge.find_run(config, args.run)
    results = {result.task: result for result in summary.tasks}  # by the names in the history, which cuts long ones
    result = results[task_named(args.task, results, f"run {summary.run}")]
    lines = _lines(config, summary.run, result, follow=args.follow)
    if args.format == "json":
        what = {name: getattr(result, name) for name in ("task", "state", "attempt", "host")}
        edge.print_json({"run": summary.run, **what, "lines": list(lines)})
        return EXIT_PASSED
    count = 0
    for count, line in enumerate(lines, 1):  # noqa: B007 - whether there was one
        print(printable(line), flush=args.follow)  # noqa: T201 - the answer
    if not count:
        edge.say(f"mo-testplan: {f'{result.task} said nothing' if args.follow else _no_lines(result)}")
    return EXIT_PASSED


def _lines(config: Settings, run: str, result: TaskResult, *, follow: bool) -> Iterator[str]:
    """All lines from this host's file of a task that has ended here, else what the ledger has."""
    kept = _kept(config, run, result.task, result.attempt)
    if kept is None or not result.state.final:
        yield from _from_ledger(Ledger(config.redis_url), run, result.task, follow=follow)
    elif kept.exists():
        with kept.open(encoding="utf-8", errors="replace") as lines:
            yield from (line.rstrip("\n") for line in lines)


def _no_lines(result: TaskResult) -> str:
    """Why there is nothing to print."""
    if result.state is TaskState.RUNNING:
        return f"{result.task} runs and has said nothing yet; --follow waits for it"
    if result.state is TaskState.PENDING:
        return f"{result.task} has not started"
    if not result.attempt:
        return f"{result.task} never started: {result.message or result.state.value}"
    where = result.host or "a host that was lost"
    return f"{result.task} said nothing, or what it said is no longer kept here; it ran on {where}"


def _kept(config: Settings, run: str, task: str, attempt: int) -> Path | None:
    """The log file of an attempt that was made on this host; there is none if it said nothing."""
    path = task_folder(Path(config.artifacts), run, task) / str(attempt) / "log.txt"
    return path if path.parent.is_dir() else None


def _from_ledger(ledger: Ledger, run: str, task: str, *, follow: bool) -> Iterator[str]:
    """What the ledger has, with ``follow`` until the task ends."""
    last = "0"
    while True:
        state = ledger.states(run).get(task)
        rows = ledger.read_log(run, task, last)
        for entry, line in rows:
            last = entry
            yield line
        if not rows and (not follow or state is None or state.final):
            return
        if not rows:
            time.sleep(0.3)
