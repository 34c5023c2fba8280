"""What history adds up to: the slowest, the flakiest, what pull requests cost."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator
from typing import Any

from sqlalchemy import distinct, func, select
from sqlalchemy.orm import aliased

from orchestrator.domain.plan import part_id, whole_of
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
        """Tasks by the runner-seconds they took altogether, the most expensive first; parts of a category as one."""
        seconds = TaskRow.seconds
        query = (
            select(TaskRow.task, func.count(), func.avg(seconds), func.max(seconds), func.sum(seconds))
            .join(RunRow, RunRow.id == TaskRow.run)
            .where(TaskRow.state.in_(_JUDGED))
            .group_by(TaskRow.task)
        )
        with self.reading() as session:
            rows = [SlowTask(*row) for row in session.execute(_within(query, since, profile))]
        return sorted(_wholes(rows), key=lambda row: (-row.total, row.task))[:limit]

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
            rows = [FlakyCase(*row) for row in session.execute(_within(query, since, profile))]
        return [dataclasses.replace(row, task=whole_of(row.task)) for row in rows]

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


def _wholes(rows: Iterable[SlowTask]) -> Iterator[SlowTask]:
    """One row a task: a run that split a category had a first part of it, as other runs had the whole."""
    found: dict[str, list[SlowTask]] = {}
    for row in rows:
        found.setdefault(whole_of(row.task), []).append(row)
    for task, inside in found.items():
        first = sum(row.runs for row in inside if row.task in (task, part_id(task, 1)))
        runs = first or max(row.runs for row in inside)
        total = sum(row.total for row in inside)
        longest = max(row.longest for row in inside)
        yield SlowTask(task, runs, round(total / runs, 3), round(longest, 3), round(total, 3))


def _within(query: Any, since: float, profile: str | None) -> Any:  # noqa: ANN401 - a query of any columns
    query = query.where(RunRow.created >= since)
    return query if profile is None else query.where(RunRow.profile == profile)
