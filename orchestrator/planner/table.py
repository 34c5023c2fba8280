"""The table of path prefixes: which rules know a path, and which none does."""

from __future__ import annotations

from orchestrator.domain.change import DiffSummary
from orchestrator.domain.profile import Profile
from orchestrator.planner.names import is_safe_path


def category_of(path: str, profile: Profile) -> str | None:
    """The category whose directory holds ``path``; ``None`` for files that lie directly below the case tree."""
    root = profile.bvt.cases.rstrip("/") + "/"
    if not path.startswith(root):
        return None
    category, slash, rest = path[len(root) :].partition("/")
    return category if slash and rest and is_safe_path(category) else None


def unmatched(change: DiffSummary, profile: Profile) -> tuple[str, ...]:
    """Paths that neither a rule nor the case tree knows, in the change's order."""
    prefixes = tuple(rule.prefix for rule in profile.rules)
    return tuple(
        file.path
        for file in change.files
        if not file.path.startswith(prefixes) and category_of(file.path, profile) is None
    )
