"""What the profile lists under ``bvt.always``, in plans with a budget."""

from __future__ import annotations

from collections.abc import Iterator

from orchestrator.domain.change import DiffSummary
from orchestrator.domain.plan import Priority, Suite
from orchestrator.history.layout import SCRIPTS
from orchestrator.planner.evidence import Context, Evidence, Remark
from orchestrator.planner.names import mention


class Always:
    """Speaks for them where no history model spends the budget; tells of those that are not there."""

    name = "rules"

    def propose(self, change: DiffSummary, context: Context) -> Iterator[Evidence | Remark]:
        """Evidence for each category, or each of its cases where a tree tells their files."""
        if context.budget is None:
            return
        lost = []
        for name in context.profile.bvt.always:
            category, _, stem = name.partition("/")
            files = _files(category, stem, context)
            if category not in context.categories or files == ():
                lost.append(name)
            elif context.outlook is None:
                detail = "the profile always runs it"
                yield Evidence(self.name, Suite.BVT, category, Priority.HIGH, 1.0, detail, files or ())
        if lost:
            yield Remark(self.name, f"Not there, though the profile lists it under bvt.always: {mention(lost)}.")


def _files(category: str, stem: str, context: Context) -> tuple[str, ...] | None:
    """The scripts of a case; ``None`` for a whole category, or when no tree tells."""
    if not stem or context.tree is None:
        return None
    names = {f"{stem}.{extension}" for extension in SCRIPTS}
    return tuple(sorted(names.intersection(context.tree.files(f"{context.profile.bvt.cases.rstrip('/')}/{category}"))))
