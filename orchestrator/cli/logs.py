"""Print the log of a task: all of it on the host where it ran, elsewhere what the ledger keeps of its end."""

from __future__ import annotations

import argparse
import time
from pathlib import Path

from orchestrator.cli import edge
from orchestrator.cli.progress import printable
from orchestrator.domain.errors import EXIT_PASSED
from orchestrator.domain.naming import task_named
from orchestrator.domain.run import TaskResult, TaskState
from orchestrator.ledger.client import Ledger
from orchestrator.settings import Settings
from workers.sink import task_folder


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of ``logs``."""
    parser.add_argument("run", metavar="RUN", help="a run's id, or the beginning of one")
    parser.add_argument("--task", required=True, metavar="ID")
    parser.add_argument("--follow", "-f", action="store_true", help="go on as long as the task runs")


def run(args: argparse.Namespace) -> int:
    """Print what there is; with --follow, what comes."""
    config = edge.settings()
    summary, plan = edge.find_run(config, args.run)
    task = task_named(args.task, (task.id for task in plan.tasks), f"run {summary.run}")
    (result,) = (result for result in summary.tasks if result.task == task)
    kept = _kept(config, summary.run, task, result.attempt)
    if kept is not None and result.state.final:
        if not kept.exists():
            edge.say(f"mo-testplan: {task} said nothing")
            return EXIT_PASSED
        with kept.open(encoding="utf-8", errors="replace") as lines:
            for line in lines:
                print(printable(line.rstrip("\n")))  # noqa: T201 - the answer
        return EXIT_PASSED
    if not _from_ledger(Ledger(config.redis_url), summary.run, task, follow=args.follow):
        edge.say(f"mo-testplan: {_no_lines(result)}")
    return EXIT_PASSED


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


def _from_ledger(ledger: Ledger, run: str, task: str, *, follow: bool) -> bool:
    """Print what the ledger has, with ``follow`` until the task ends; whether there was anything."""
    last = "0"
    while True:
        state = ledger.states(run).get(task)
        rows = ledger.read_log(run, task, last)
        for entry, line in rows:
            last = entry
            print(printable(line), flush=follow)  # noqa: T201 - the answer
        if not rows and (not follow or state is None or state.final):
            return last != "0"
        if not rows:
            time.sleep(0.3)
