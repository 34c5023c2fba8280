"""What to plan, and the plan of it: a pull request, two revisions, or the text of a diff."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable
from dataclasses import dataclass

from orchestrator.diff.source import from_repository, from_text
from orchestrator.domain.change import DiffSummary
from orchestrator.domain.errors import MoTestplanError, UsageError
from orchestrator.domain.plan import TestPlan
from orchestrator.domain.profile import Profile
from orchestrator.planner.budget import Budget, parse_budget
from orchestrator.planner.evidence import Tree
from orchestrator.planner.known import plan_here
from orchestrator.planner.subset import subset
from orchestrator.planner.tree import GitTree
from orchestrator.service.pulls import read_pull, repository
from orchestrator.settings import Settings

#: Characters of a diff that comes by the network.
MAX_DIFF = 8 * 1024 * 1024
#: A budget as it may come by the network.
BUDGET = r"^([0-9]{1,6}(\.[0-9]{1,3})?(s|min|h)|([0-9]{1,2}|100)(\.0{1,3})?%)?$"
_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")

#: Reads a pull request where it lives: its change, with the head's commit.
ReadPull = Callable[[int], DiffSummary]


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """Exactly one of ``pull``, ``base`` (with ``head``) and ``diff`` names the change."""

    #: Number of a pull request.
    pull: int | None = None
    #: Revisions of the profile's clone.
    base: str | None = None
    head: str | None = None
    #: A unified diff; it can be run when ``commit`` says what it leads to.
    diff: str | None = None
    commit: str | None = None
    #: Categories wanted in any case.
    categories: tuple[str, ...] = ()
    #: Only this suite: ``ut``, ``bvt`` or ``sca``.
    suite: str | None = None
    #: Only these tasks.
    tasks: tuple[str, ...] = ()
    #: What the tests may cost, e.g. ``10%`` or ``30min``; empty: whatever the evidence asks for.
    budget: str = ""


def plan_change(
    profile: Profile, change: Change, read: ReadPull | None = None, settings: Settings | None = None
) -> TestPlan:
    """The plan, with all that the host of ``settings`` knows; :class:`UsageError` and its kin say what is wrong."""
    one_of(change)
    if change.diff is not None:
        plan = _of_diff(profile, change, settings)
    elif change.pull is not None:
        plan = _of_pull(profile, change, read, settings)
    else:
        plan = _of_revisions(profile, change, settings)
    chosen = [t.id for t in plan.tasks if change.suite in (None, t.type.queue)]
    if change.tasks:
        return subset(plan, change.tasks)
    return plan if len(chosen) == len(plan.tasks) else subset(plan, chosen)


def words_of(change: Change) -> str:
    """What a change is called in records: ``pull request 7``, ``main...topic``."""
    if change.pull is not None:
        return f"pull request {change.pull}"
    if not change.base:
        return "a diff"
    ends = f"{change.base}...{change.head or 'HEAD'}"[:100]
    return ends if ends.isprintable() else "a change"


def one_of(change: Change) -> None:
    """Raise :class:`UsageError` unless the change is named in just one way."""
    named = [name for name in ("pull", "base", "diff") if getattr(change, name) is not None]
    if len(named) != 1:
        raise UsageError(
            f"a change is named in one way, and this names it in {len(named)}",
            "Give exactly one of pull, base (with head) and diff.",
        )
    if (change.head and not change.base) or (change.commit and change.diff is None):
        raise UsageError("head goes with base, and commit with diff", "Leave it out, or name the change that way.")
    for name in ("base", "head"):
        revision = getattr(change, name)
        if revision is not None and (not revision or revision.startswith("-") or not revision.isprintable()):
            raise UsageError(f"{name} is no revision", "Name a branch, a tag or a commit.")


def _of_diff(profile: Profile, change: Change, settings: Settings | None) -> TestPlan:
    text = change.diff or ""
    if len(text) > MAX_DIFF:
        raise UsageError(f"the diff has {len(text)} characters", f"Send at most {MAX_DIFF}, or name revisions.")
    if change.commit is not None and not _COMMIT.fullmatch(change.commit):
        raise UsageError("commit is no commit id", "Write all of its 40 hexadecimal digits.")
    found = from_text(text.encode("utf-8", "surrogatepass"))
    found = dataclasses.replace(found, head_commit=change.commit, base_branch=profile.base_branch)
    return plan_here(found, profile, settings, asked=change.categories, budget=_budget(change))


def _of_pull(profile: Profile, change: Change, read: ReadPull | None, settings: Settings | None) -> TestPlan:
    number = change.pull or 0
    if number < 1:
        raise UsageError(f"{number} is no number of a pull request", "Numbers start at 1.")
    found, tree = read_here(profile, read(number)) if read is not None else read_pull(profile, number)
    return plan_here(found, profile, settings, tree, change.categories, _budget(change))


def read_here(profile: Profile, change: DiffSummary) -> tuple[DiffSummary, Tree | None]:
    """A change that was read elsewhere, as the clone has it, with the tree at its head; as it is where it has not."""
    if not (profile.repository and change.head_commit and change.base_commit):
        return change, None
    try:
        found = from_repository(profile.repository, change.base_commit, change.head_commit)
    except MoTestplanError:
        return change, None  # not fetched yet
    kept = {name: getattr(change, name) for name in ("pr_number", "base_branch", "head_branch")}
    return dataclasses.replace(found, **kept), GitTree(profile.repository, change.head_commit)


def _of_revisions(profile: Profile, change: Change, settings: Settings | None) -> TestPlan:
    clone, head = repository(profile), change.head or "HEAD"
    found = from_repository(clone, change.base or profile.base_branch, head)
    found = dataclasses.replace(found, base_branch=profile.base_branch)
    tree = GitTree(str(clone), found.head_commit or head)
    return plan_here(found, profile, settings, tree, change.categories, _budget(change))


def _budget(change: Change) -> Budget | None:
    return parse_budget(change.budget) if change.budget else None
