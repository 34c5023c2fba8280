"""What a person asked for by name."""

from __future__ import annotations

from collections.abc import Iterator

from orchestrator.domain.change import DiffSummary
from orchestrator.domain.plan import Priority, Suite
from orchestrator.planner.evidence import ASKED, Context, Evidence


class Asked:
    """Always at work: a wish needs no strategy to be switched on."""

    name = ASKED

    def propose(self, change: DiffSummary, context: Context) -> Iterator[Evidence]:
        """Evidence of weight 1 for each category named by hand."""
        for category in context.asked:
            yield Evidence(self.name, Suite.BVT, category, Priority.HIGH, 1.0, "asked for by name")
