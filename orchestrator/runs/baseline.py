"""What fails without the change: the last runs of the base branch itself, against which a failure is new or not."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence, Set
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from orchestrator.domain.plan import whole_of
from orchestrator.domain.run import RunSummary, TaskResult, TaskState

if TYPE_CHECKING:
    from orchestrator.store import Store

#: Runs of the base branch that are looked at, and runs of no pull request among which they are looked for.
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
    for record in store.runs(_LOOKED_AT, profile=profile, of_pulls=False):
        if not record.repo_commit or not record.state.final or not on_base(record.repo_commit):
            continue
        summary, torn = store.summary(record.id), _torn(store.plan_json(record.id))
        for task in tasks - found.keys():
            same = _same(summary, task) if whole_of(task) not in torn else []
            failing = _failing(store, record.id, same)
            if same and failing is not None:
                found[task] = failing
        looked += 1
        if looked == _BASE_RUNS or len(found) == len(tasks):
            break
    return Baseline(found)


def _torn(plan_json: str | None) -> frozenset[str]:
    """Categories of which a plan has some parts only, because others were left out on request or in a re-run."""
    left = {f"{one.get('type')}:{one.get('name')}" for one in json.loads(plan_json or "{}").get("omitted", ())}
    return frozenset(whole for name in left if (whole := whole_of(name)) != name)


def _same(summary: RunSummary | None, task: str) -> list[TaskResult]:
    """The results of a run that say how a task ended; none if it was not judged.

    Parts of a category are made anew with every plan: all of them together, or the whole, say it of a part.
    """
    inside = [one for one in summary.tasks if whole_of(one.task) == whole_of(task)] if summary else []
    return inside if all(one.state in _JUDGED for one in inside) else []


def _failing(store: Store, run: str, same: Sequence[TaskResult]) -> frozenset[str] | None:
    """Cases that failed in a task, or in all parts of a category; the empty string when it failed as a whole.

    None when some parts failed without a case: nobody knows which cases those would have been.
    """
    failed = [store.failed_cases(run, one.task) for one in same if one.state is TaskState.FAILED]
    silent = sum(not cases for cases in failed)
    if 0 < silent < len(same):
        return None
    return frozenset({""}) if silent else frozenset[str]().union(*failed)
