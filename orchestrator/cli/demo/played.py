"""A run that was played, and what of it failed."""

from __future__ import annotations

from dataclasses import dataclass

from orchestrator.domain.plan import Suite, TestPlan
from orchestrator.domain.run import CaseResult, RunSummary


@dataclass(frozen=True, slots=True)
class Played:
    """A run that has ended."""

    summary: RunSummary
    plan: TestPlan
    #: SQL commands that pass as mo-tester compares and that the strict comparison finds wrong, in the order they ran.
    strict: tuple[CaseResult, ...] = ()

    def failures(self, suite: Suite) -> list[CaseResult]:
        """The failed cases of a suite, in the order of the tasks."""
        tasks = {task.id for task in self.plan.tasks if task.type is suite}
        return [case for result in self.summary.tasks if result.task in tasks for case in result.failures]
