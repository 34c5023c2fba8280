"""What fails without the change: the last runs of the base branch itself, against which a failure is new or not."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field

from orchestrator.domain.run import CaseStatus, TaskState
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


def baseline(store: Store, profile: str, tasks: Collection[str], on_base: Callable[[str], bool]) -> Baseline:
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
        summary = store.summary(record.id)
        for task in summary.tasks if summary is not None else ():
            if task.task in tasks and task.task not in found and task.state in _JUDGED:
                failed = task.state is TaskState.FAILED
                found[task.task] = _failing(store, record.id, task.task) if failed else frozenset()
        looked += 1
        if looked == _BASE_RUNS or len(found) == len(tasks):
            break
    return Baseline(found)


def _failing(store: Store, run: str, task: str) -> frozenset[str]:
    bad = (CaseStatus.FAILED, CaseStatus.ERROR)
    names = {stored.case.name for status in bad for stored in store.cases(run, task, status)}
    return frozenset(names or {""})
