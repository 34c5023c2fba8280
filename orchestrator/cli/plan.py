"""Turn a diff into a plan of tests.

The diff is a file (--diff FILE, or - for stdin), or what a branch of a repository changed (--repo DIR --base REV
--head REV, from their merge base on). With a repository, functions are found exactly and missing tests are seen.
"""

from __future__ import annotations

import argparse
import dataclasses
import sys
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING

from orchestrator.cli.output import emit
from orchestrator.domain.change import DiffSummary
from orchestrator.domain.errors import UnknownRunError, UsageError, WorkspaceError
from orchestrator.domain.options import positive
from orchestrator.domain.plan import TestPlan
from orchestrator.domain.profile import Profile
from orchestrator.garbage import without_collection
from orchestrator.settings import Settings, load_profile, settings_from

if TYPE_CHECKING:
    from orchestrator.planner.evidence import Tree

#: The first user's.
DEFAULT_PROFILE = "matrixone"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of ``plan``."""
    add_plan_arguments(parser)
    parser.add_argument("--format", choices=("json", "text", "markdown"), help="default: text; json into a file")
    parser.add_argument(
        "-o", "--output", metavar="FILE", help="write to FILE instead of stdout, as `run FILE` reads it"
    )


def add_plan_arguments(parser: argparse.ArgumentParser) -> None:
    """The options that say which plan to make; ``run`` has them too."""
    parser.add_argument("--diff", metavar="FILE", help="a unified diff; - is stdin")
    parser.add_argument("--repo", metavar="DIR", help="a clone, bare or not; default: the profile's repository")
    parser.add_argument("--base", metavar="REV", help="the branch the change is for")
    parser.add_argument("--head", metavar="REV", help="the change; default: HEAD")
    parser.add_argument("--profile", metavar="P", default=DEFAULT_PROFILE, help="name or file of a profile")
    parser.add_argument("--strategies", metavar="A,B", help="default: rules,safety,python; with a model all there are")
    parser.add_argument("--model", metavar="FILE", help="a history model that `learn` made, or none")
    parser.add_argument("--budget", metavar="B", help="what SQL cases, or Python tests, may cost: 10%% of all, 30min")
    parser.add_argument(
        "--durations", metavar="FILE", help="measured seconds; default: what `control` wrote here, if any"
    )
    parser.add_argument("--failures", metavar="FILE", help="past failures; default: what `control` wrote here, if any")
    parser.add_argument("--category", metavar="C", action="append", default=[], help="add a category; repeatable")
    parser.add_argument("--pr", metavar="N", type=positive, help="a pull request; alone, read from GitHub or the clone")
    parser.add_argument("--base-branch", metavar="NAME", help="default: the profile's")
    parser.add_argument("--head-branch", metavar="NAME")


def run(args: argparse.Namespace) -> int:
    """Print the plan."""
    form = args.format or ("json" if args.output else "text")
    emit(_rendered(plan_from_args(args), form), args.output)
    return 0


@without_collection()
def plan_from_args(args: argparse.Namespace) -> TestPlan:
    """The plan that :func:`add_plan_arguments` asks for."""
    from orchestrator.planner.budget import parse_budget
    from orchestrator.planner.known import known
    from orchestrator.planner.pipeline import build_plan

    settings = settings_from()
    profile = load_profile(args.profile, settings)
    repository, change, tree = _change(args, settings, profile)
    change = dataclasses.replace(
        change,
        pr_number=args.pr if args.pr is not None else change.pr_number,
        base_branch=args.base_branch or change.base_branch or profile.base_branch,
        head_branch=args.head_branch or change.head_branch,
    )
    found = known(
        change,
        profile,
        settings,
        repository=repository,
        model=args.model or "",
        durations=args.durations or "",
        failures=args.failures or "",
        budget=parse_budget(args.budget) if args.budget else None,
    )
    for text in found.advice.damaged if found.advice else ():
        print(f"warning: {text}", file=sys.stderr)  # noqa: T201 - words go to stderr
    named = None if args.strategies is None else [name for name in args.strategies.split(",") if name]
    return build_plan(
        change,
        profile,
        strategies=found.strategies if named is None else named,
        tree=tree,
        asked=args.category,
        measured=found.measured,
        advice=found.advice,
    )


def _change(
    args: argparse.Namespace, settings: Settings, profile: Profile
) -> tuple[str | None, DiffSummary, Tree | None]:
    """Repository, change and the tree at its head, as far as there are any."""
    from orchestrator.diff.source import from_file, from_repository

    if args.pr is not None and not (args.diff or args.base or args.head):
        from orchestrator.cli.pull import pull_change

        return args.repo or settings.repo or profile.repository, *pull_change(args, settings, profile)
    repository = _repository(args, settings, profile)
    if repository is None:
        return None, from_file(args.diff), None
    from orchestrator.planner.tree import GitTree

    change = from_repository(repository, args.base, args.head or "HEAD")
    return repository, change, GitTree(repository, change.head_commit or args.head or "HEAD")


def bvt_scripts(args: argparse.Namespace, plan: TestPlan, limit: int) -> dict[str, tuple[str, ...]]:
    """The first ``limit`` scripts of each category that has something to run, for ``subset``.

    They are looked up in the repository of ``args`` at the plan's head; a plan of a bare diff is a UsageError.
    """
    from orchestrator.planner.subset import first_scripts

    commit = plan.diff_summary.head_commit
    if commit is None:
        raise UsageError(
            "this plan names no commit, so its scripts cannot be listed",
            "Make it with `--repo DIR --base REV --head REV`.",
        )
    profile, tree = _tree(args, commit)
    return first_scripts(plan, profile.bvt.cases, tree, limit)


def check_named(args: argparse.Namespace, plan: TestPlan, limits: Mapping[str, Collection[str]]) -> None:
    """See that what ``limits`` names is there at the plan's head; where no clone of it is at hand, say so."""
    from orchestrator.cli import edge  # late: `plan` alone starts faster without it
    from orchestrator.planner.subset import check_limits

    commit = plan.diff_summary.head_commit
    if not limits or commit is None:
        return
    try:
        profile, tree = _tree(args, commit)
        tree.has_directory("")
    except (WorkspaceError, UnknownRunError):
        edge.say(
            f"--limit is not checked: no clone here has {commit[:12]} (name one with --repo); "
            "a worker skips a task whose tree has none of what it is limited to"
        )
        return
    check_limits(plan, limits, profile.bvt.cases, tree)


def _tree(args: argparse.Namespace, commit: str) -> tuple[Profile, Tree]:
    from orchestrator.planner.tree import GitTree

    settings = settings_from()
    profile = load_profile(args.profile, settings)
    return profile, GitTree(args.repo or settings.repo or profile.repository or ".", commit)


def _repository(args: argparse.Namespace, settings: Settings, profile: Profile) -> str | None:
    """The repository to read from; ``None`` when the change is a diff file."""
    if args.pr is not None and args.pr < 1:
        raise UsageError(f"--pr {args.pr} is no number of a pull request", "Numbers start at 1.")
    if args.diff is not None:
        if args.base or args.head or args.repo:
            raise UsageError("--diff and --repo/--base/--head are two ways to name one change", "Name one of them.")
        return None
    if args.base is None:
        raise UsageError("no change is named", "Use --diff FILE, --diff - for stdin, --repo DIR --base REV, or --pr N.")
    repository = args.repo or settings.repo or profile.repository or "."
    return str(repository)


def _rendered(plan: TestPlan, form: str) -> bytes:
    if form == "json":
        from orchestrator.planner.encode import dumps

        return dumps(plan)
    if form == "markdown":
        from orchestrator.planner.render.markdown import plan_markdown

        return plan_markdown(plan).encode()
    from orchestrator.planner.render.text import plan_text

    return plan_text(plan).encode()
