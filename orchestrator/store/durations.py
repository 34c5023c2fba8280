"""How long tasks and scripts took the last times: what plans are estimated with."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from statistics import median
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from orchestrator.domain.run import RunSummary, TaskResult, TaskState
from orchestrator.store import clean
from orchestrator.store.database import Database
from orchestrator.store.models import CaseRow, DurationRow, RunRow

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

#: Measurements kept of a unit; their median is the estimate, so that one bad day does not count.
KEPT = 9
#: Rows a statement.
_BATCH = 500


class Durations(Database):
    """The part of the store that knows measured seconds.

    A *unit* is a task's id (set-up excluded), the path in the tree of a BVT script or of a file of Python tests, or
    ``setup:`` and a suite's queue.
    """

    def durations(self, profile: str) -> dict[str, float]:
        """Unit → seconds, the median of its last measurements."""
        query = select(DurationRow.unit, DurationRow.recent).where(DurationRow.profile == profile)
        with self.reading() as session:
            return {unit: round(median(json.loads(recent)), 3) for unit, recent in session.execute(query)}

    def profiles(self) -> list[str]:
        """The profiles of which something was measured."""
        with self.reading() as session:
            return sorted(session.scalars(select(DurationRow.profile).distinct()))

    def learn(self, session: Session, summary: RunSummary) -> None:
        """Remember what a run's tasks took; called in the transaction that commits it, so once a run."""
        text = session.scalar(select(RunRow.plan_json).where(RunRow.id == summary.run))
        measured = dict(_of_tasks(summary.tasks, _cut_down(text)))
        measured |= _of_scripts(session, summary) | _of_python(session, summary)
        profile = clean.text(summary.profile, clean.NAME)
        units = sorted(measured)
        for first in range(0, len(units), _BATCH):
            batch = units[first : first + _BATCH]
            fresh = [{"profile": profile, "unit": unit, "recent": "[]", "updated": summary.ended} for unit in batch]
            session.execute(self.insert_new(DurationRow), fresh)
            known = select(DurationRow).where(DurationRow.profile == profile, DurationRow.unit.in_(batch))
            for row in session.scalars(known.order_by(DurationRow.unit).with_for_update()):
                row.recent = json.dumps([measured[row.unit], *json.loads(row.recent)][:KEPT])
                row.updated = summary.ended


def _cut_down(plan_json: str | None) -> frozenset[str]:
    """Tasks of which a plan runs a part only: their time says nothing of the whole."""
    try:
        plan = json.loads(plan_json or "{}")
        return frozenset(str(task["id"]) for task in plan.get("tasks", ()) if task.get("files"))
    except (ValueError, TypeError, KeyError, AttributeError):
        return frozenset()


def _of_tasks(tasks: Sequence[TaskResult], cut_down: frozenset[str]) -> Iterable[tuple[str, float]]:
    for task in tasks:
        if task.state not in (TaskState.PASSED, TaskState.FAILED):
            continue
        if task.task not in cut_down:
            yield clean.text(task.task, clean.NAME), round(max(0.0, clean.number(task.seconds - task.setup)), 3)
        if task.setup > 0:
            yield f"setup:{task.task.partition(':')[0]}", round(clean.number(task.setup), 3)


def _ended(summary: RunSummary) -> dict[str, int]:
    """Tasks that ran to their end, and the try that did."""
    return {t.task: t.attempt for t in summary.tasks if t.state in (TaskState.PASSED, TaskState.FAILED)}


def _of_python(session: Session, summary: RunSummary) -> dict[str, float]:
    """Files of Python tests, by the names of their tests: ``tests/test_a.py::test_b``."""
    ended, found = _ended(summary), dict[str, float]()
    query = select(CaseRow.task, CaseRow.attempt, CaseRow.name, CaseRow.seconds).where(
        CaseRow.run == summary.run, CaseRow.task.like("ut:%"), CaseRow.name.like("%.py::%")
    )
    for task, attempt, name, seconds in session.execute(query):
        file = name.partition("::")[0]
        if ended.get(task) == attempt and file.endswith(".py") and ":" not in file:  # else it could name another unit
            found[file] = found.get(file, 0.0) + seconds
    return {file: round(seconds, 3) for file, seconds in found.items()}


def _of_scripts(session: Session, summary: RunSummary) -> dict[str, float]:
    ended = _ended(summary)
    query = (
        select(CaseRow.task, CaseRow.attempt, CaseRow.file, func.sum(CaseRow.seconds))
        .where(CaseRow.run == summary.run, CaseRow.task.like("bvt:%"), CaseRow.file.is_not(None))
        .group_by(CaseRow.task, CaseRow.attempt, CaseRow.file)
    )
    return {
        file: round(float(seconds), 3)
        for task, attempt, file, seconds in session.execute(query)
        if file is not None and ended.get(task) == attempt
    }
