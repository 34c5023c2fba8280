"""Execute a plan on the workers of MO_TESTPLAN_REDIS_URL, or with --local on this machine alone.

The exit code is the verdict: 0 passed, 1 tests failed, 3 infrastructure, 4 cancelled. Ctrl-C cancels a local run; on a
remote one it only stops watching.
"""

from __future__ import annotations

import argparse
import dataclasses
from pathlib import Path

from orchestrator.cli import edge
from orchestrator.cli.local import LocalStack
from orchestrator.cli.plan import add_plan_arguments, plan_from_args
from orchestrator.cli.progress import watch
from orchestrator.cli.show import summary_text
from orchestrator.domain.errors import EXIT_PASSED, EXIT_STOPPED_WATCHING, BadPlanError, UsageError
from orchestrator.domain.plan import Suite, TestPlan
from orchestrator.domain.profile import Profile
from orchestrator.ledger.client import Ledger
from orchestrator.messaging import make_app
from orchestrator.planner.codec import loads, subset
from orchestrator.planner.subset import first_scripts
from orchestrator.planner.tree import GitTree
from orchestrator.runs import control
from orchestrator.settings import Settings, check_profile


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of ``run``."""
    parser.add_argument("plan", nargs="?", metavar="PLAN", help="a plan file; else the options below make one")
    add_plan_arguments(parser)
    parser.add_argument("--task", action="append", default=[], metavar="ID", help="only this task; repeatable")
    parser.add_argument("--bvt-files", type=int, metavar="N", help="at most N scripts of each BVT category")
    add_stack_arguments(parser)
    wait = parser.add_mutually_exclusive_group()
    wait.add_argument("--wait", action="store_true", help="watch until the verdict (the default)")
    wait.add_argument("--detach", action="store_true", help="print the run's id and return")
    edge.add_format(parser)


def add_stack_arguments(parser: argparse.ArgumentParser) -> None:
    """``--local`` and what it takes, shared with ``rerun``."""
    parser.add_argument("--local", action="store_true", help="embedded Redis, workers and control; gone afterwards")
    parser.add_argument("--workers", type=int, default=2, metavar="N", help="worker processes of --local (default 2)")
    parser.add_argument("--server", choices=["dsn", "mariadb", "embedded"], help="SQL server for BVT (with --local)")
    parser.add_argument("--dsn", help="address of a running SQL server for BVT (with --local)")


def run(args: argparse.Namespace) -> int:
    """Start a run and, unless detached, wait for its verdict."""
    plan = read_plan(args.plan) if args.plan else plan_from_args(args)
    config = edge.settings()
    if args.repo:
        config = dataclasses.replace(config, repo=str(Path(args.repo).absolute()))
    if args.task or args.bvt_files:
        plan = cut_down(plan, check_profile(args.profile, config), args.task, args.bvt_files)
    return execute(args, config, plan, parent=None)


def cut_down(plan: TestPlan, profile: Profile, tasks: list[str], scripts: int | None) -> TestPlan:
    """The plan of ``tasks`` (all when empty), with at most ``scripts`` scripts of each BVT category."""
    chosen = tasks or [task.id for task in plan.tasks]
    limits = {}
    if scripts:
        tree = GitTree(profile.repository or ".", plan.diff_summary.head_commit or "HEAD")
        bvt = [task for task in plan.tasks if task.id in chosen and task.type is Suite.BVT and not task.skip]
        limits = {task.id: first_scripts(task, profile.bvt.cases, tree, scripts) for task in bvt}
    return subset(plan, chosen, {task: files for task, files in limits.items() if files})


def read_plan(name: str) -> TestPlan:
    """A plan file, checked."""
    try:
        data = Path(name).read_bytes()
    except OSError as error:
        raise BadPlanError(f"cannot read plan {name}: {error}", "Make one with `mo-testplan plan -o FILE`.") from None
    return loads(data, name)


def execute(args: argparse.Namespace, config: Settings, plan: TestPlan, parent: str | None) -> int:
    """Run a plan here or on the workers, as ``args`` say."""
    if not args.local:
        if args.server or args.dsn:
            raise UsageError("--server and --dsn go with --local", "Elsewhere the worker's own profile decides.")
        return _remote(args, config, plan, parent)
    if args.detach:
        raise UsageError("--detach goes with remote workers", "A local run ends with this command.")
    config = dataclasses.replace(
        config, bvt_server=args.server or config.bvt_server, bvt_dsn=args.dsn or config.bvt_dsn
    )
    with LocalStack(config, args.profile, workers=args.workers) as stack:
        return run_on(stack, plan, parent, form=args.format)


def run_on(stack: LocalStack, plan: TestPlan, parent: str | None, form: str = "text") -> int:
    """Run a plan on a local stack; Ctrl-C cancels it and waits for the end."""
    ledger, app = stack.ledger(), stack.app
    edge.say("starting local workers …")
    stack.wait_ready()
    name = control.start(app, ledger, plan, parent=parent, who=edge.who())
    edge.say(f"run {name}: {len(plan.tasks)} tasks in {len(plan.shards)} shards")
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
    name = control.start(app, ledger, plan, parent=parent, who=edge.who())
    if args.detach:
        if args.format == "json":
            edge.print_json({"run": name, "plan": plan.id, "tasks": len(plan.tasks), "shards": len(plan.shards)})
        else:
            print(name)  # noqa: T201 - the answer
        return EXIT_PASSED
    edge.say(f"run {name}: {len(plan.tasks)} tasks in {len(plan.shards)} shards")
    return follow(config, name, plan, args.format)


def follow(config: Settings, name: str, plan: TestPlan, form: str) -> int:
    """Watch a run that others execute; Ctrl-C stops watching only."""
    from orchestrator.runs.queues import unserved

    ledger, app = Ledger(config.redis_url), make_app(config.redis_url)
    queues = {shard.queue for shard in plan.shards}
    try:
        watch(ledger, name, plan, unserved=lambda: unserved(app, queues))
    except KeyboardInterrupt:
        edge.say(f"stopped watching; the run goes on. `mo-testplan cancel {name}` ends it.")
        return EXIT_STOPPED_WATCHING
    return report(config, name, form)


def report(config: Settings, name: str, form: str) -> int:
    """Print a run's summary; its exit code."""
    summary, plan = edge.find_run(config, name)
    if form == "json":
        edge.print_json(summary)
    else:
        print(summary_text(summary, plan))  # noqa: T201 - the answer
    return summary.state.exit_code
