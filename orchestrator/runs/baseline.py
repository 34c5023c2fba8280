"""What fails without the change: the last runs of the base branch itself, against which a failure is new or not."""

from __future__ import annotations

from collections.abc import Callable, Set
from dataclasses import dataclass, field

from orchestrator.domain.plan import whole_of
from orchestrator.domain.run import CaseStatus, RunSummary, TaskResult, TaskState
from orchestrator.store import Store

#: Runs of the base branch that are looked at, and runs among which they are looked for.
_BASE_RUNS, _LOOKED_AT = 5, 200
_JUDGED = (TaskState.PASSED, TaskState.FAILED)


@dataclass(frozen=True, slots=True)
class Baseline:
    """Task → names of its cases that failed when the base branch last ran it; a task that never ran there is absent."""

    failing: dict[str, frozenset[str]] = field(default_factory=dict)

    def new(self, task: str, case: str) -> bool | None:
        """Whether a failure is the change's own; None when the base branch never ran the task.

        A task that fails as a whole has the case name of the empty string.
        """
        known = self.failing.get(task)
        return None if known is None else case not in known


def baseline(store: Store, profile: str, tasks: Set[str], on_base: Callable[[str], bool]) -> Baseline:
    """Of ``tasks``, what the newest runs of the base branch say.

    ``on_base`` tells whether a commit is one of the base branch; a run of a pull request never counts.
    """
    found: dict[str, frozenset[str]] = {}
    looked = 0
    for record in store.runs(_LOOKED_AT):
        if record.profile != profile or record.pr_number is not None or not record.repo_commit:
            continue
        if not record.state.final or not on_base(record.repo_commit):
            continue
        for task in tasks - found.keys():
            same = _same(store.summary(record.id), task)
            if same:
                failed = [one.task for one in same if one.state is TaskState.FAILED]
                found[task] = frozenset[str]().union(*(_failing(store, record.id, one) for one in failed))
        looked += 1
        if looked == _BASE_RUNS or len(found) == len(tasks):
            break
    return Baseline(found)


def _same(summary: RunSummary | None, task: str) -> list[TaskResult]:
    """The results of a run that say how a task ended; none if it was not judged.

    Parts of a category are made anew with every plan: all of them together, or the whole, say it of a part. A re-run
    may have some of them only.
    """
    inside = [one for one in summary.tasks if whole_of(one.task) == whole_of(task)] if summary else []
    partly = summary is not None and summary.parent is not None and any(one.task != whole_of(task) for one in inside)
    return inside if not partly and all(one.state in _JUDGED for one in inside) else []


def _failing(store: Store, run: str, task: str) -> frozenset[str]:
    bad = (CaseStatus.FAILED, CaseStatus.ERROR)
    names = {stored.case.name for status in bad for stored in store.cases(run, task, status)}
    return frozenset(names or {""})
