"""What a report is made of: a run and its cases."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from orchestrator.domain.plan import TestPlan
from orchestrator.domain.run import CaseResult, RunSummary
from orchestrator.service.reads import Reads

if TYPE_CHECKING:
    from orchestrator.store import Store

#: Cases of a report; beyond them tasks are told with their failures only.
MAX_CASES = 50_000


@dataclass(frozen=True, slots=True)
class Material:
    """A run as it stands, with the cases of each task's last attempt."""

    summary: RunSummary
    plan: TestPlan
    cases: dict[str, tuple[CaseResult, ...]]

    def wholes(self) -> dict[str, str]:
        """Task → the one that it is a part of, or itself: what is compared between runs."""
        return {task.id: task.whole for task in self.plan.tasks}


def material(reads: Reads, name: str) -> Material:
    """All cases of a run that has ended; the first failures of each task of one that goes on."""
    return gathered(*reads.find(name), reads.store)


def gathered(summary: RunSummary, plan: TestPlan, store: Store) -> Material:
    """The same of a run that is at hand, with the cases that ``store`` has."""
    if not summary.state.final:
        return Material(summary, plan, {task.task: task.failures for task in summary.tasks})
    attempts = {task.task: task.attempt for task in summary.tasks}
    found: dict[str, list[CaseResult]] = defaultdict(list)
    for row in store.cases(summary.run, limit=MAX_CASES):
        if attempts.get(row.task) == row.attempt:
            found[row.task].append(row.case)
    told = {task.task: tuple(found.get(task.task) or task.failures) for task in summary.tasks}
    return Material(summary, plan, told)
