"""What failed in the last runs of a profile, and which files their changes touched."""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import ColumnElement, func, select

from orchestrator.domain.naming import script_of
from orchestrator.domain.run import CaseStatus, TaskState
from orchestrator.store.api import PastFailure
from orchestrator.store.database import Database
from orchestrator.store.models import CaseRow, RunRow, TaskRow

#: So many runs with failures, the newest, are looked at; of a run with more failures or files, so many count.
_RUNS, _TESTS, _FILES = 200, 200, 400
#: Plans held at once: one may have many MiB.
_AT_ONCE = 4
_FAILED = (TaskRow.state == TaskState.FAILED.value, TaskRow.flaky == 0, TaskRow.quarantine.is_(None))


class Failures(Database):
    """The part of the store that remembers failures."""

    def failures(self, profile: str) -> list[PastFailure]:
        """Runs of a profile with failed tests, the newest first; flaky and quarantined tests do not count."""
        query = (
            select(RunRow.id, RunRow.ended, RunRow.plan_json)
            .where(*_failed_runs(profile))
            .order_by(RunRow.ended.desc(), RunRow.id)
            .limit(_RUNS)
            .execution_options(yield_per=_AT_ONCE)
        )
        with self.reading() as session:
            found = []
            for run, ended, text in session.execute(query):
                tasks = session.scalars(select(TaskRow.task).where(TaskRow.run == run, *_FAILED).order_by(TaskRow.task))
                plan = json.loads(text or "{}")
                tests = [test for task in tasks for test in self._tests(session, run, task, plan)][:_TESTS]
                found.append(PastFailure(run, ended or 0.0, _files(plan), tuple(tests)))
        return found

    def failed_runs(self, profile: str) -> tuple[int, float]:
        """How many runs :meth:`failures` chooses from, and when the last ended: as long as both stay, so does it."""
        query = select(func.count(), func.max(RunRow.ended)).where(*_failed_runs(profile))
        with self.reading() as session:
            count, ended = session.execute(query).one()
        return int(count), float(ended or 0)

    def _tests(self, session: Any, run: str, task: str, plan: dict[str, Any]) -> list[str]:  # noqa: ANN401 - a session
        """The scripts of a SQL task that failed, where they are known; else the task itself."""
        category = next((one.get("category") for one in plan.get("tasks", ()) if one.get("id") == task), None)
        if not category:
            return [task]
        query = (
            select(CaseRow.file, func.min(CaseRow.name))
            .where(CaseRow.run == run, CaseRow.task == task, CaseRow.status == CaseStatus.FAILED.value)
            .group_by(CaseRow.file)
        )
        cases = session.execute(query)
        names = sorted(name for file, case in cases if file and (name := script_of(category, file, case)))
        return [f"bvt:{category}/{name}" for name in names] or [f"bvt:{category}"]


def _failed_runs(profile: str) -> tuple[ColumnElement[bool], ...]:
    runs = select(TaskRow.run).where(*_FAILED)
    return RunRow.profile == profile, RunRow.ended.is_not(None), RunRow.id.in_(runs)


def _files(plan: dict[str, Any]) -> tuple[str, ...]:
    files = plan.get("diff_summary", {}).get("files", ())
    return tuple(sorted(str(file["path"]) for file in files if "path" in file)[:_FILES])
