"""What history adds up to: the slowest, the flakiest, what pull requests cost."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, case, distinct, func, or_, select, true
from sqlalchemy.orm import aliased

from orchestrator.domain.run import CaseStatus, RunState, TaskState
from orchestrator.store.api import DayLoad, FlakyCase, PrCost, SlowTask
from orchestrator.store.database import Database
from orchestrator.store.models import CaseRow, DurationRow, RunRow, TaskRow

_JUDGED = (TaskState.PASSED.value, TaskState.FAILED.value)
_FAILED = (CaseStatus.FAILED.value, CaseStatus.ERROR.value)
DAY = 86400


class Statistics(Database):
    """The part of the store that counts. ``since`` is Unix seconds; ``profile`` None means all of them."""

    def slowest(self, since: float, limit: int = 20, profile: str | None = None) -> list[SlowTask]:
        """Tasks by the runner-seconds they took altogether, the most expensive first; parts of a category as one.

        A run that split a category had a first part of it, as other runs had the whole; others repeated some parts.
        """
        whole = whole_sql(TaskRow.task, self._called_as_parts(profile))
        first = case((or_(TaskRow.task == whole, TaskRow.task.like("%#1")), 1), else_=0)
        query = select(TaskRow.run, whole.label("task"), first.label("first"), TaskRow.seconds)
        query = query.join(RunRow, RunRow.id == TaskRow.run).where(TaskRow.state.in_(_JUDGED))
        each = _within(query, since, profile).subquery()
        ran = (
            select(each.c.task, func.max(each.c.first).label("first"), func.sum(each.c.seconds).label("seconds"))
            .group_by(each.c.run, each.c.task)
            .subquery()
        )
        total, complete = func.sum(ran.c.seconds), func.sum(ran.c.first)
        rows = (
            select(ran.c.task, func.coalesce(func.nullif(complete, 0), func.count()), func.max(ran.c.seconds), total)
            .group_by(ran.c.task)
            .order_by(total.desc(), ran.c.task)
            .limit(limit)
        )
        with self.reading() as session:
            return [
                SlowTask(task, runs, round(seconds / runs, 3), round(longest, 3), round(seconds, 3))
                for task, runs, longest, seconds in session.execute(rows)
            ]

    def flakiest(self, since: float, limit: int = 20, profile: str | None = None) -> list[FlakyCase]:
        """Cases that failed and passed on one and the same commit, those that did so on most commits first.

        Of ended runs of one profile, since another one builds and runs otherwise; in which part of a category it was
        makes no difference.
        """
        other_run, other, names = aliased(RunRow), aliased(TaskRow), self._called_as_parts(profile)
        whole = whole_sql(CaseRow.task, names)
        again = (
            select(CaseRow.id, CaseRow.name, whole.label("whole"), other.run, other.task)
            .add_columns(RunRow.repo_commit, RunRow.ended)
            .join(RunRow, RunRow.id == CaseRow.run)
            .join(other_run, (other_run.repo_commit == RunRow.repo_commit) & (other_run.profile == RunRow.profile))
            .join(other, (other.run == other_run.id) & (whole_sql(other.task, names) == whole))
            .where(CaseRow.status.in_(_FAILED))
            .distinct()  # a table of its own: joined flat, every part is compared with every case
        )
        failed = _within(again, since, profile).subquery()
        commits, last = func.count(distinct(failed.c.repo_commit)), func.max(failed.c.ended)
        passed = aliased(CaseRow)
        query = (
            select(failed.c.whole, failed.c.name, commits, func.count(distinct(failed.c.id)), last)
            .join(passed, (passed.run == failed.c.run) & (passed.task == failed.c.task))
            .where(passed.name == failed.c.name, passed.status == CaseStatus.PASSED.value)
            .group_by(failed.c.whole, failed.c.name)
            .order_by(commits.desc(), last.desc(), failed.c.name)
            .limit(limit)
        )
        with self.reading() as session:
            return [FlakyCase(*row) for row in session.execute(query)]

    def costs(self, since: float, limit: int = 20, profile: str | None = None) -> list[PrCost]:
        """Pull requests by the runner-seconds of all their runs, the most expensive first."""
        total = func.sum(RunRow.cost)
        failed = func.count().filter(RunRow.state == RunState.FAILED.value)
        query = (
            select(RunRow.pr_number, func.count(), failed, total, func.max(RunRow.ended))
            .where(RunRow.pr_number.is_not(None), RunRow.ended.is_not(None))
            .group_by(RunRow.pr_number)
            .order_by(total.desc(), RunRow.pr_number)
            .limit(limit)
        )
        with self.reading() as session:
            return [PrCost(*row) for row in session.execute(_within(query, since, profile))]

    def days(self, since: float, profile: str | None = None) -> list[DayLoad]:
        """Runs and runner-seconds of each day (UTC) that had some, oldest first."""
        day = func.floor(RunRow.created / DAY)
        failed = func.count().filter(RunRow.state == RunState.FAILED.value)
        query = select(day * DAY, func.count(), failed, func.sum(RunRow.cost)).where(RunRow.ended.is_not(None))
        query = _within(query.group_by(day).order_by(day), since, profile)
        with self.reading() as session:
            return [DayLoad(*row) for row in session.execute(query)]

    def _called_as_parts(self, profile: str | None) -> list[str]:
        """Tasks of categories whose names look like a part's: all of each was measured, which no part is as itself."""
        query = select(DurationRow.unit).where(DurationRow.unit.like("bvt:%#%"))
        with self.reading() as session:
            return list(session.scalars(query if profile is None else query.where(DurationRow.profile == profile)))


def whole_sql(task: Any, wholes: Sequence[str] = ()) -> ColumnElement[str]:  # noqa: ANN401 - a column
    """:func:`orchestrator.domain.plan.whole_of` in SQL, but for ``wholes``, which are none's parts."""
    head = func.rtrim(task, "0123456789")
    digits = func.length(task) - func.length(head)
    part = head.like("bvt:_%#") & digits.between(1, 4) & (func.substr(task, func.length(head) + 1, 1) != "0")
    part &= task.not_in(wholes) if wholes else true()
    return case((part, func.substr(head, 1, func.length(head) - 1)), else_=task)


def _within(query: Any, since: float, profile: str | None) -> Any:  # noqa: ANN401 - a query of any columns
    query = query.where(RunRow.created >= since)
    return query if profile is None else query.where(RunRow.profile == profile)
