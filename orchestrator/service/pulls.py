"""A number becomes a pull request: ``refs/pull/N/head`` in the clone that the profile names."""

from __future__ import annotations

import dataclasses
import functools
from pathlib import Path
from typing import TYPE_CHECKING

from orchestrator.diff.git import find_git
from orchestrator.diff.source import from_repository
from orchestrator.domain.change import DiffSummary
from orchestrator.domain.errors import MoTestplanError, UnknownRunError, UsageError
from orchestrator.domain.plan import Suite, TestPlan
from orchestrator.domain.profile import Profile
from orchestrator.domain.run import RunSummary, TaskState
from orchestrator.planner.evidence import Tree
from orchestrator.planner.known import plan_here
from orchestrator.planner.subset import subset
from orchestrator.planner.tree import GitTree
from orchestrator.runs.baseline import Baseline, baseline
from orchestrator.settings import Settings

if TYPE_CHECKING:
    from orchestrator.store import Store


def repository(profile: Profile) -> Path:
    """The profile's clone."""
    if not profile.repository:
        raise UsageError(
            f"profile {profile.name!r} names no repository", "Set MO_TESTPLAN_REPO to a clone on the control host."
        )
    return Path(profile.repository)


def read_pull(profile: Profile, number: int) -> tuple[DiffSummary, Tree]:
    """The change of a pull request against the base branch, and the tree at its head."""
    clone, head = repository(profile), f"refs/pull/{number}/head"
    try:
        change = from_repository(clone, profile.base_branch, head)
    except UnknownRunError as error:
        raise UnknownRunError(
            f"pull request {number} is not in the clone ({error.message})",
            "Fetch it there: git fetch origin 'refs/pull/*/head:refs/pull/*/head'.",
        ) from None
    change = dataclasses.replace(change, pr_number=number, base_branch=profile.base_branch)
    return change, GitTree(str(clone), change.head_commit or head)


def baseline_of(store: Store, profile: Profile, summary: RunSummary) -> Baseline:
    """What of a pull request's failures is on the base branch, too; nothing is known when it cannot be found out."""
    failed = {task.task for task in summary.tasks if task.state is TaskState.FAILED}
    if not failed or summary.pr_number is None:
        return Baseline()
    try:
        return baseline(store, profile.name, failed, functools.partial(on_base_branch, profile))
    except MoTestplanError:
        return Baseline()


def plan_pull(profile: Profile, number: int, suite: str = "", settings: Settings | None = None) -> TestPlan:
    """The plan of a pull request; with ``suite`` (``ut``, ``bvt``, ``sca``) that part alone."""
    change, tree = read_pull(profile, number)
    plan = plan_here(change, profile, settings, tree)
    if not suite:
        return plan
    return subset(plan, [task.id for task in plan.tasks if task.type.queue == suite])


def author_email(profile: Profile, commit: str) -> str:
    """The address of a commit's author; empty when the clone does not tell."""
    done = find_git(repository(profile)).run("show", "--no-patch", "--format=%ae", f"{commit}^{{commit}}", "--")
    return done.stdout.decode("utf-8", "replace").strip() if done.returncode == 0 else ""


def on_base_branch(profile: Profile, commit: str) -> bool:
    """Whether a commit is one of the base branch; yes when there is no clone to ask."""
    if not profile.repository:
        return True
    words = ("merge-base", "--is-ancestor", commit, profile.base_branch)
    return find_git(repository(profile)).run(*words).returncode == 0


def pull_author(profile: Profile, number: int) -> str:
    """The address of who wrote the head of a pull request; empty when the clone does not tell."""
    return author_email(profile, f"refs/pull/{number}/head") if profile.repository else ""


def suites_of(plan: TestPlan) -> str:
    """``UT 3 · BVT 2``."""
    counts = [(suite.label, sum(task.type is suite for task in plan.tasks)) for suite in Suite]
    return " · ".join(f"{label} {count}" for label, count in counts if count)
