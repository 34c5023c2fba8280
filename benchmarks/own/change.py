"""The last change, and all of them, of the repository this project stands in."""

from __future__ import annotations

import subprocess
from pathlib import Path

from orchestrator.planner.globs import matches
from orchestrator.settings import check_profile, settings_from

ROOT = Path(__file__).resolve().parents[2]
PROFILE = str(ROOT / "config" / "mo-testplan.yaml")
#: First parents that are looked at for a change that is more than documents.
_BACK = 50


class NoHistoryError(Exception):
    """There is no change to plan: the message says why, and what to do."""


def git(folder: Path, *words: str) -> str | None:
    """What git answers; ``None`` when it refuses."""
    done = subprocess.run(["git", "-C", str(folder), *words], capture_output=True, text=True, check=False)
    return None if done.returncode else done.stdout.strip()


def last_change(root: Path = ROOT) -> str:
    """The commit that the last change started from: the first parent of HEAD, of a merge the branch it was merged into.

    Where only documents changed since, older first parents are taken until something has tests.

    :raises NoHistoryError: no repository, a single commit, or a shallow clone that ends there.
    """
    if git(root, "rev-parse", "-q", "--verify", "HEAD") is None:
        raise NoHistoryError(f"{root} is no git repository with a commit: there is no last change to plan")
    documentation = check_profile(PROFILE, settings_from({})).documentation
    for back in range(1, _BACK + 1):
        base = git(root, "rev-parse", "-q", "--verify", f"HEAD~{back}")
        if base is None:
            raise NoHistoryError(_no_parent(root, back))
        names = (git(root, "diff", "--name-only", "-z", base, "HEAD") or "").split("\0")
        if any(name and not matches(name, documentation) for name in names):
            return base
    raise NoHistoryError(f"the last {_BACK} changes are documents alone: nothing of them calls for a test")


def first_change(root: Path = ROOT) -> str:
    """The commit that everything came after.

    :raises NoHistoryError: no repository, or a single commit.
    """
    first = (git(root, "rev-list", "--max-parents=0", "HEAD") or "").rpartition("\n")[2]
    if first in ("", git(root, "rev-parse", "HEAD")):
        raise NoHistoryError(f"{root} is no git repository with two commits: there is no change to plan")
    return first


def _no_parent(root: Path, back: int) -> str:
    seen = (
        "HEAD has no parent" if back == 1 else f"the {back} newest commits are documents alone, and the last has none"
    )
    if git(root, "rev-parse", "--is-shallow-repository") == "true":
        return f"{seen} in this shallow clone: there is no last change to plan. `git fetch --deepen 10` brings some."
    return f"{seen}: a repository of {back} commit(s) has no last change to plan"
