"""Python tests that can notice the change, by who imports, starts or reads what changed."""

from __future__ import annotations

from collections.abc import Iterator

from orchestrator.domain.change import ChangeKind, DiffSummary
from orchestrator.domain.plan import Suite
from orchestrator.planner.evidence import Context, Evidence, Remark
from orchestrator.planner.names import left_out, mention
from orchestrator.planner.python.chances import chances
from orchestrator.planner.python.graph import LIKELY
from orchestrator.planner.python.homes import can_be_named, homes, paths_of
from orchestrator.planner.reasons import priority_of


class Python:
    """Speaks for projects that pytest tests, when their tree is at hand; else silent."""

    name = "python"

    def propose(self, change: DiffSummary, context: Context) -> Iterator[Evidence | Remark]:
        """Evidence for each test file that notices the change likely enough; under a budget for all that might."""
        graph = context.graph
        if graph is None:
            return
        floor = 0.0 if context.budget is not None else LIKELY
        likely = {test: found for test, found in chances(change, graph).items() if found.chance >= floor}
        for name, files in homes(likely, context, graph):
            for test, file in zip(paths_of(name, files, graph), files or (None,), strict=True):
                found, only = likely[test], (file,) if file else ()
                priority = priority_of(found.chance)
                yield Evidence(self.name, Suite.UNIT_TEST, name, priority, found.chance, found.detail, only)
        blind = [
            file.path
            for file in change.files
            if file.path in graph.sources and file.change_kind is not ChangeKind.DELETED and not graph.reach(file.path)
        ]
        if blind:
            yield Remark(self.name, f"No test imports, starts or reads {mention(blind)}.")
        odd = [test for test in graph.tests if not can_be_named(test)]
        if odd:
            yield Remark(self.name, left_out(odd))
