"""What history adds up to: the slowest, the flakiest, what pull requests cost."""

from __future__ import annotations

from typing import Any

from sqlalchemy import distinct, func, select
from sqlalchemy.orm import aliased

from orchestrator.domain.run import CaseStatus, RunState, TaskState
from orchestrator.store.api import DayLoad, FlakyCase, PrCost, SlowTask
from orchestrator.store.database import Database
from orchestrator.store.models import CaseRow, RunRow, TaskRow

_JUDGED = (TaskState.PASSED.value, TaskState.FAILED.value)
_FAILED = (CaseStatus.FAILED.value, CaseStatus.ERROR.value)
DAY = 86400


class Statistics(Database):
    """The part of the store that counts. ``since`` is Unix seconds; ``profile`` None means all of them."""

    def slowest(self, since: float, limit: int = 20, profile: str | None = None) -> list[SlowTask]:
        """Tasks by the runner-seconds they took altogether, the most expensive first."""
        total, mean, runs = func.sum(TaskRow.seconds), func.avg(TaskRow.seconds), func.count()
        query = (
            select(TaskRow.task, runs, mean, func.max(TaskRow.seconds), total)
            .join(RunRow, RunRow.id == TaskRow.run)
            .where(TaskRow.state.in_(_JUDGED))
            .group_by(TaskRow.task)
            .order_by(total.desc(), TaskRow.task)
            .limit(limit)
        )
        with self.reading() as session:
            rows = session.execute(_within(query, since, profile)).all()
        return [
            SlowTask(task, runs, round(mean, 3), round(most, 3), round(sum_, 3))
            for task, runs, mean, most, sum_ in rows
        ]

    def flakiest(self, since: float, limit: int = 20, profile: str | None = None) -> list[FlakyCase]:
        """Cases that failed and passed on one and the same commit, those that did so on most commits first."""
        other, other_run = aliased(CaseRow), aliased(RunRow)
        commits, last = func.count(distinct(RunRow.repo_commit)), func.max(RunRow.ended)
        query = (
            select(CaseRow.task, CaseRow.name, commits, func.count(distinct(CaseRow.id)), last)
            .join(RunRow, RunRow.id == CaseRow.run)
            .join(other_run, other_run.repo_commit == RunRow.repo_commit)
            .join(other, (other.run == other_run.id) & (other.task == CaseRow.task) & (other.name == CaseRow.name))
            .where(CaseRow.status.in_(_FAILED), other.status == CaseStatus.PASSED.value)
            .group_by(CaseRow.task, CaseRow.name)
            .order_by(commits.desc(), last.desc(), CaseRow.name)
            .limit(limit)
        )
        with self.reading() as session:
            return [FlakyCase(*row) for row in session.execute(_within(query, since, profile))]

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


def _within(query: Any, since: float, profile: str | None) -> Any:  # noqa: ANN401 - a query of any columns
    query = query.where(RunRow.created >= since)
    return query if profile is None else query.where(RunRow.profile == profile)
