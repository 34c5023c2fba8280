"""Of the failures of a full run: which would selection have missed, strategy by strategy?

The change of the run is planned again with each strategy alone, and with all of them under --budget. With --repo the
changed lines are read, too; a run whose commits are not in the clone is judged by its files and functions.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from orchestrator.cli import edge
from orchestrator.domain.errors import EXIT_PASSED, UsageError
from orchestrator.domain.naming import script_of
from orchestrator.domain.plan import Suite, TestPlan
from orchestrator.domain.run import CaseStatus, RunSummary, TaskState
from orchestrator.domain.shown import printable
from orchestrator.planner.escapes import Escape, Failure, judge, missed
from orchestrator.planner.known import advice_for
from orchestrator.settings import Settings, load_profile

if TYPE_CHECKING:
    from orchestrator.planner.budget import Budget

#: Failing commands of a run that are looked at.
_MOST_CASES = 100_000


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of ``escapes``."""
    edge.add_run(parser)
    parser.add_argument("--budget", metavar="B", default="10%", help="of the plan with all strategies (default 10%%)")
    parser.add_argument("--model", metavar="FILE", help="a history model that `learn` made, or none")
    parser.add_argument("--profile", help="default: the run's own")
    parser.add_argument("--repo", metavar="DIR", help="a clone that has the run's commits")
    edge.add_format(parser)


def run(args: argparse.Namespace) -> int:
    """Print every failure with the strategies that find it, and how many each would have missed."""
    from orchestrator.planner.budget import parse_budget

    budget = parse_budget(args.budget)  # a wrong one is told, whether there is a model to use it or not
    config = edge.settings()
    summary, plan = edge.find_run(config, args.run)
    if not summary.state.final:
        raise UsageError(f"run {summary.run} still runs", "Wait for its end.")
    plans = _plans(args, config, plan, budget)
    found = judge(_failures(config, summary, plan), plans)
    counts = missed(found, plans)
    if args.format == "json":
        edge.print_json({"run": summary.run, "failures": [_row(one) for one in found], "missed": counts})
        return EXIT_PASSED
    for one in found:
        test = printable(str(one.failure))  # a test host said what it is called
        print(f"{test}: found by {', '.join(one.found_by) or 'nothing'}")  # noqa: T201 - the answer
    for name, count in counts.items():
        print(f"{name}: would have missed {count} of {len(found)}")  # noqa: T201 - the answer
    return EXIT_PASSED


def _row(escape: Escape) -> dict[str, Any]:
    return {"test": str(escape.failure), "found_by": list(escape.found_by)}


def _failures(config: Settings, summary: RunSummary, plan: TestPlan) -> list[Failure]:
    """The failed tests of a run; of a SQL category the scripts that failed, where the store knows them."""
    failed = [task for result in summary.tasks if result.state is TaskState.FAILED and (task := plan.task(result.task))]
    store = edge.open_store(config)
    try:
        found: list[Failure] = []
        for task in failed:
            files: dict[str, None] = {}
            if task.type is Suite.BVT:
                cases = store.cases(summary.run, task.id, CaseStatus.FAILED, _MOST_CASES)
                found_in = [(row.case.file, row.case.name) for row in cases if row.case.file]
                names = [script_of(task.category or "", file, case) for file, case in found_in]
                files = dict.fromkeys(name for name in names if name)
            found += [Failure(task, file) for file in files] or [Failure(task)]
    finally:
        store.close()
    return found


def _plans(args: argparse.Namespace, config: Settings, plan: TestPlan, budget: Budget) -> dict[str, TestPlan]:
    """The change planned with each strategy alone, and with all of them under the budget."""
    from orchestrator.diff.source import from_repository
    from orchestrator.planner.pipeline import build_plan
    from orchestrator.planner.strategies import DEFAULT, WITH_MODEL

    profile = load_profile(args.profile or plan.profile, config)
    change = plan.diff_summary
    if args.repo and change.base_commit and change.head_commit:
        change = from_repository(args.repo, change.base_commit, change.head_commit)
    advice = advice_for(args.model, config, profile, change, args.repo)
    names = WITH_MODEL if advice and advice.outlook else DEFAULT
    plans = {name: build_plan(change, profile, strategies=(name,), advice=advice) for name in names if name != "safety"}
    if advice and advice.outlook:
        limited = advice._replace(budget=budget)
        plans[f"all, {args.budget}"] = build_plan(change, profile, strategies=names, advice=limited)
    return plans
