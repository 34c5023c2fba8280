"""Execute a plan on the workers of MO_TESTPLAN_REDIS_URL, or with --local on this machine alone.

The exit code is the verdict: 0 passed, 1 tests failed, 3 infrastructure, 4 cancelled. Ctrl-C cancels a local run; on a
remote one it only stops watching.
"""

from __future__ import annotations

import argparse
import dataclasses
from pathlib import Path

from orchestrator.cli import edge
from orchestrator.cli.explain import read_plan
from orchestrator.cli.life import ended_by_signals
from orchestrator.cli.local import LocalStack
from orchestrator.cli.plan import DEFAULT_PROFILE, add_plan_arguments, bvt_scripts, check_named, plan_from_args
from orchestrator.cli.progress import watch
from orchestrator.cli.show import summary_text
from orchestrator.diff.git import find_git
from orchestrator.domain.errors import EXIT_PASSED, EXIT_STOPPED_WATCHING, BadProfileError, UsageError
from orchestrator.domain.options import positive
from orchestrator.domain.plan import TestPlan
from orchestrator.domain.run import RunState, RunSummary
from orchestrator.ledger.client import Ledger
from orchestrator.messaging import make_app
from orchestrator.planner.subset import subset
from orchestrator.runs import control
from orchestrator.runs.hosts import waiting_for
from orchestrator.settings import Settings, check_profile, profile_path

#: Worker processes of a local run, unless said otherwise.
_WORKERS = 2
#: Options that make a plan, and would change nothing of one that is made.
_MAKE_A_PLAN = (
    *("diff", "base", "head", "pr", "category", "budget", "strategies", "model"),
    *("durations", "failures", "base_branch", "head_branch"),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of ``run``."""
    parser.add_argument("plan", nargs="?", metavar="PLAN", help="a plan file; else the options below make one")
    add_plan_arguments(parser)
    parser.add_argument("--task", action="append", default=[], metavar="ID", help="only this task; repeatable")
    parser.add_argument(
        "--limit",
        action="append",
        default=[],
        metavar="TASK=PATHS",
        help="only these scripts of a BVT task, or packages of an analyser (comma-separated); repeatable",
    )
    parser.add_argument("--bvt-files", type=positive, metavar="N", help="at most N scripts of each BVT category")
    add_stack_arguments(parser)
    add_weight(parser)
    add_wait(parser)
    edge.add_format(parser)


def add_wait(parser: argparse.ArgumentParser) -> None:
    """``--wait`` and ``--detach``, shared with ``rerun``."""
    wait = parser.add_mutually_exclusive_group()
    wait.add_argument("--wait", action="store_true", help="watch until the verdict (the default)")
    wait.add_argument("--detach", action="store_true", help="print the run's id and return")


def add_stack_arguments(parser: argparse.ArgumentParser) -> None:
    """``--local`` and what it takes, shared with ``rerun``."""
    parser.add_argument("--local", action="store_true", help="embedded Redis, workers and control; gone afterwards")
    parser.add_argument(
        "--workers",
        type=positive,
        metavar="N",
        help="worker processes of --local, at most one a shard (default 2)",
    )
    parser.add_argument("--no-sandbox", action="store_true", help="with --local: your own code, run unconfined")
    parser.add_argument("--server", choices=["dsn", "mariadb", "embedded"], help="SQL server for BVT (with --local)")
    parser.add_argument("--dsn", help="address of a running SQL server for BVT (with --local)")


def add_weight(parser: argparse.ArgumentParser) -> None:
    """``--weight``, shared with ``rerun``."""
    parser.add_argument(
        "--weight",
        type=positive,
        default=1,
        metavar="N",
        help="share of the workers among pull requests (default 1)",
    )


def check_stack(args: argparse.Namespace) -> None:
    """:class:`UsageError` for options of a local run that would be passed over in silence, or contradict each other."""
    if not args.local and (args.server or args.dsn):
        raise UsageError("--server and --dsn go with --local", "Elsewhere the worker's own profile decides.")
    if not args.local and (args.workers or args.no_sandbox):
        raise UsageError("--workers and --no-sandbox go with --local", "Elsewhere they are the workers' own.")
    if args.dsn and args.server not in (None, "dsn"):
        raise UsageError(f"--server {args.server} and --dsn name two servers", "Give one of them.")


def check_wait(args: argparse.Namespace) -> None:
    """:class:`UsageError` for ``--detach`` of a run that only lives while its command does."""
    if args.local and args.detach:
        raise UsageError("--detach goes with remote workers", "A local run ends with this command.")


def workers_of(args: argparse.Namespace) -> int:
    """How many worker processes a local run has at most."""
    return int(args.workers or _WORKERS)


def run(args: argparse.Namespace) -> int:
    """Start a run and, unless detached, wait for its verdict."""
    check_stack(args)
    check_wait(args)
    config = edge.settings()
    if args.plan:
        beside = next((name for name in _MAKE_A_PLAN if getattr(args, name) not in (None, [])), None)
        if beside is not None:
            raise UsageError(
                f"a plan file and --{beside.replace('_', '-')} are two ways to say what runs",
                "Name one of them; `plan -o FILE` takes this option, too.",
            )
        plan = read_plan(args.plan)
        args.profile = plan.profile if args.profile == DEFAULT_PROFILE else args.profile
    else:
        check_profile(args.profile, config)
        plan = plan_from_args(args)
    return execute(args, config, cut_down(args, plan), parent=None)


def cut_down(args: argparse.Namespace, plan: TestPlan) -> TestPlan:
    """The part of the plan that ``--task``, ``--limit`` and ``--bvt-files`` ask for."""
    if not (args.task or args.limit or args.bvt_files):
        return plan
    part = subset(plan, args.task or [task.id for task in plan.tasks])
    first: dict[str, tuple[str, ...]] = bvt_scripts(args, part, args.bvt_files) if args.bvt_files else {}
    limits: dict[str, tuple[str, ...]] = {}
    for words in args.limit:
        task, equals, names = words.partition("=")
        if not equals:
            raise UsageError(f"--limit {words!r} names no files", "Write --limit TASK=PATH,PATH.")
        limits[task] = (*limits.get(task, ()), *filter(None, names.split(",")))
    cut = subset(part, [task.id for task in part.tasks], {**first, **limits})
    check_named(args, part, limits)
    return cut


def execute(args: argparse.Namespace, config: Settings, plan: TestPlan, parent: str | None) -> int:
    """Run a plan here or on the workers, as ``args`` say; one with nothing in it is done at once."""
    if not plan.tasks:
        edge.say("; ".join(["nothing to run", *plan.notes]))
        if args.format == "json":
            nothing = {"tasks": 0, "shards": 0} if args.detach else {"state": RunState.PASSED.value, "tasks": []}
            edge.print_json({"run": None, "plan": plan.id, **nothing})
        return EXIT_PASSED
    if not args.local:
        return _remote(args, config, plan, parent)
    config = local_settings(args, config, plan)
    workers = min(workers_of(args), len(plan.shards))  # one without work would be started for nothing
    with ended_by_signals(), LocalStack(config, args.profile, workers=workers) as stack:
        return run_on(stack, plan, parent, form=args.format)


def local_settings(args: argparse.Namespace, config: Settings, plan: TestPlan) -> Settings:
    """What a local stack needs to run ``plan``; everything that can be wrong with it is said before it starts."""
    control.commit_of(plan)
    if args.profile == plan.profile and not profile_path(args.profile, config).is_file():
        raise BadProfileError(
            f"the plan's profile {plan.profile!r} is not in {config.config_dir}", "Name its file with --profile FILE."
        )
    profile = check_profile(args.profile, config)
    if profile.name != plan.profile:
        raise UsageError(
            f"the plan was made with profile {plan.profile!r}, and {args.profile} is {profile.name!r}",
            "Name the profile it was made with, or make the plan again.",
        )
    git = find_git(Path(args.repo or profile.repository or "."))  # as `plan` finds it
    return dataclasses.replace(
        config,
        repo=str(git.git_dir),
        bvt_server=args.server or config.bvt_server,
        bvt_dsn=args.dsn or config.bvt_dsn,
        sandbox="off" if args.no_sandbox else config.sandbox,
    )


def announce(name: str, plan: TestPlan) -> None:
    """Say what a run is about to do."""
    edge.say(f"run {name}: {len(plan.tasks)} tasks in {len(plan.shards)} shards")


def run_on(stack: LocalStack, plan: TestPlan, parent: str | None, form: str = "text") -> int:
    """Run a plan on a local stack; Ctrl-C cancels it and waits for the end."""
    ledger, app = stack.ledger(), stack.app
    edge.say("starting local workers …")
    stack.wait_ready()
    name = control.start(app, ledger, plan, parent=parent, who=edge.who())
    announce(name, plan)
    try:
        watch(ledger, name, plan, check=stack.check)
    except KeyboardInterrupt:
        edge.say("cancelling …")
        control.cancel(app, ledger, name, edge.who())
        watch(ledger, name, plan, check=stack.check)
    return report(stack.settings, name, form)


def _remote(args: argparse.Namespace, config: Settings, plan: TestPlan, parent: str | None) -> int:
    ledger, app = Ledger(config.redis_url), make_app(config.redis_url)
    ledger.ping()
    name = control.start(app, ledger, plan, parent=parent, who=edge.who(), weight=args.weight)
    edge.record(ledger, "rerun" if parent else "run", name, f"plan {plan.id[:12]}{f' of {parent}' if parent else ''}")
    if args.detach:
        for queue in waiting_for(ledger.hosts(), {shard.queue for shard in plan.shards}):
            edge.say(f"queue {queue}: no worker host serves it now; what is for it waits for one")
        if args.format == "json":
            edge.print_json({"run": name, "plan": plan.id, "tasks": len(plan.tasks), "shards": len(plan.shards)})
        else:
            print(name)  # noqa: T201 - the answer
        return EXIT_PASSED
    announce(name, plan)
    return follow(config, name, plan, args.format)


def follow(config: Settings, name: str, plan: TestPlan, form: str) -> int:
    """Watch a run that others execute; Ctrl-C stops watching only."""
    from orchestrator.runs.queues import unserved

    ledger, app = Ledger(config.redis_url), make_app(config.redis_url)
    try:
        watch(ledger, name, plan, unserved=lambda queues: unserved(app, queues))
    except KeyboardInterrupt:
        edge.say(f"stopped watching; the run goes on. `mo-testplan cancel {name}` ends it.")
        return EXIT_STOPPED_WATCHING
    return report(config, name, form)


def report(config: Settings, name: str, form: str) -> int:
    """Print a run's summary; its exit code."""
    return tell(*edge.find_run(config, name), form)


def tell(summary: RunSummary, plan: TestPlan, form: str) -> int:
    """:func:`report` of a run that is at hand."""
    if form == "json":
        edge.print_json(summary)
    else:
        print(summary_text(summary, plan))  # noqa: T201 - the answer
    return summary.state.exit_code
