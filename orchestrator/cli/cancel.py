"""End a run, a suite or some tasks of it, or every run of a pull request. What runs is killed within a second.

With --wait this returns when no process is left, and says how long each step took.
"""

from __future__ import annotations

import argparse
import time

from orchestrator.cli import edge
from orchestrator.cli.show import stop_words
from orchestrator.domain.errors import EXIT_INFRASTRUCTURE, EXIT_PASSED, UsageError
from orchestrator.domain.naming import tasks_named
from orchestrator.domain.options import positive
from orchestrator.domain.plan import Suite
from orchestrator.domain.run import Stop, TaskState
from orchestrator.ledger.client import Ledger
from orchestrator.messaging import App, make_app
from orchestrator.runs import control

_PATIENCE = 60.0
_SUITES = {suite.queue: suite for suite in Suite}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of ``cancel``."""
    edge.add_run(parser, nargs="?")
    part = parser.add_mutually_exclusive_group()
    part.add_argument("--task", action="append", default=[], metavar="ID", help="only this task; repeatable")
    part.add_argument("--suite", choices=sorted(_SUITES), help="only the tasks of this suite")
    part.add_argument("--pr", type=positive, metavar="N", help="every run of this pull request, instead of RUN")
    parser.add_argument(
        "--profile", default="", metavar="P", help="with --pr: only runs of this profile; its name or file"
    )
    parser.add_argument("--wait", action="store_true", help="until nothing of it runs, and say how that went")
    edge.add_format(parser)


def run(args: argparse.Namespace) -> int:
    """Set the flag that ends it."""
    config = edge.settings()
    if args.run is None and args.pr is None:
        raise UsageError("cancel what? Neither a RUN nor --pr N is named", "`mo-testplan runs` lists them.")
    if args.run is not None and args.pr is not None:
        raise UsageError("a RUN and --pr N are two ways to say what to cancel", "Name one of them.")
    if args.profile and args.pr is None:
        raise UsageError("--profile goes with --pr", "A RUN has one profile only.")
    app, ledger = make_app(config.redis_url), Ledger(config.redis_url)
    if args.pr is not None:
        profile = args.profile and edge.profile_name(args.profile, config)
        names = control.cancel_pull(app, ledger, args.pr, edge.who(), profile)
        for name in names:
            edge.record(ledger, "cancel", name, f"asked for all runs of PR {args.pr}")
        edge.say(f"cancelling {', '.join(names)}" if names else f"no run of PR {args.pr} is under way")
        return _tell(ledger, args, names, {"tasks": "all"})
    summary, plan = edge.find_run(config, args.run)
    for task in args.task:
        tasks_named(task, (one.id for one in plan.tasks), f"run {summary.run}")
    if summary.state.final:
        edge.say(f"run {summary.run} has ended already: {summary.state.value}")
        return _tell(ledger, args, [], {"tasks": [], "ended_already": summary.state})
    return _cancel(app, ledger, summary.run, args)


def _cancel(app: App, ledger: Ledger, name: str, args: argparse.Namespace) -> int:
    suite = _SUITES[args.suite] if args.suite else None
    control.cancel(app, ledger, name, edge.who(), args.task, suite=suite)
    what = f"suite {args.suite}" if suite else ", ".join(args.task) or "all"
    edge.record(ledger, "cancel", name, f"asked for {what}")
    edge.say(f"cancelling {what} of run {name}")
    return _tell(ledger, args, [name], {"tasks": what if suite or not args.task else args.task})


def _tell(ledger: Ledger, args: argparse.Namespace, names: list[str], what: dict[str, object]) -> int:
    """Wait where that is wanted, and print what was done as JSON where that is; the exit code."""
    waited = _wait(ledger, names) if args.wait else {}
    if args.format == "json":
        edge.print_json({"cancelled": names, **what, **waited})
    return EXIT_INFRASTRUCTURE if waited.get("still_running") else EXIT_PASSED


def _wait(ledger: Ledger, names: list[str]) -> dict[str, object]:
    """Until no task that was cancelled runs any more; the seconds it took, those of each task, and runs that go on."""
    began = time.monotonic()
    left = set(names)
    while left and time.monotonic() - began < _PATIENCE:
        left = {name for name in left if _running(ledger, name)}
        if left:
            time.sleep(0.1)
    stops = {name: dict(sorted(_stops(ledger, name).items())) for name in names}
    for name, tasks in stops.items():
        for task, stop in tasks.items():
            edge.say(f"  {name} {task}: {stop_words(stop)}")
    seconds = round(time.monotonic() - began, 2)
    if left:
        edge.say(f"after {_PATIENCE:g} s something of {', '.join(sorted(left))} still runs: see `mo-testplan status`")
    elif names:
        edge.say(f"nothing of it runs any more after {seconds:.2f} s")
    return {"seconds": seconds, "still_running": sorted(left), "stops": stops}


def _running(ledger: Ledger, name: str) -> bool:
    cancelled = ledger.stopping(name)
    return any(state is TaskState.RUNNING and task in cancelled for task, state in ledger.states(name).items())


def _stops(ledger: Ledger, name: str) -> dict[str, Stop]:
    return {task: result.stop for task, result in ledger.results(name).items() if result.stop is not None}
