"""Runs and their tasks: planned once, committed once."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select, update

from orchestrator.domain.errors import UnknownRunError
from orchestrator.domain.plain import from_json, from_plain, to_plain
from orchestrator.domain.run import CaseResult, RunState, RunSummary, Stop, TaskResult, TaskState
from orchestrator.store import clean
from orchestrator.store.api import OutboxMessage, RunRecord
from orchestrator.store.durations import Durations
from orchestrator.store.models import OutboxRow, RunRow, TaskRow
from orchestrator.store.outbox import message_row

if TYPE_CHECKING:
    from sqlalchemy.orm import Session


class Runs(Durations):
    """The part of the store that knows runs."""

    def record_plan(  # noqa: PLR0913 - the columns of a run's first row
        self,
        run_id: str,
        plan_json: str,
        *,
        parent: str | None,
        pr_number: int | None,
        profile: str,
        repo_commit: str | None,
        created: float,
    ) -> None:
        """Write that a run starts and what it will do. Said again, it changes nothing."""
        row = {
            "id": run_id,
            "plan_json": clean.text(plan_json, len(plan_json)),
            "parent": clean.text(parent, clean.NAME),
            "pr_number": pr_number,
            "profile": clean.text(profile, clean.NAME),
            "repo_commit": clean.text(repo_commit, clean.NAME),
            "created": clean.number(created),
        }
        with self.writing() as session:
            session.execute(self.insert_new(RunRow), [row])

    def commit_run(self, summary: RunSummary, messages: Sequence[OutboxMessage]) -> bool:
        """Write how a run ended and what is to be told, in one transaction.

        ``True`` the first time for a run; ``False``, with nothing written, ever after.
        """
        with self.writing() as session:
            if not self._first_commit(session, summary):
                return False
            tasks = [_task_row(summary.run, place, task) for place, task in enumerate(summary.tasks)]
            if tasks:
                session.execute(self.insert_new(TaskRow), tasks)
            self.learn(session, summary)
            if messages:
                session.execute(self.insert_new(OutboxRow), [message_row(m, time.time()) for m in messages])
        return True

    def _first_commit(self, session: Session, summary: RunSummary) -> bool:
        """Close the run's row if nobody has; the row of a run that was never planned here is made on the way."""
        bare = {
            "id": summary.run,
            "profile": clean.text(summary.profile, clean.NAME),
            "pr_number": summary.pr_number,
            "parent": summary.parent,
            "created": clean.number(summary.created),
        }
        session.execute(self.insert_new(RunRow), [bare])
        closed = session.execute(
            update(RunRow)
            .where(RunRow.id == summary.run, RunRow.state.is_(None))
            .values(
                state=summary.state.value,
                plan=summary.plan,
                profile=bare["profile"],
                pr_number=summary.pr_number,
                parent=summary.parent,
                created=bare["created"],
                ended=clean.number(summary.ended),
                cost=clean.number(summary.cost),
                cancelled_by=clean.text(summary.cancelled_by, clean.NAME),
            )
            .returning(RunRow.id)
        )
        return closed.scalar() is not None

    def run(self, run_id: str) -> RunRecord | None:
        """One run, by its whole id."""
        with self.reading() as session:
            row = session.get(RunRow, run_id)
            return None if row is None else _record(row)

    def runs(
        self,
        limit: int = 20,
        pr: int | None = None,
        *,
        state: str | None = None,
        profile: str | None = None,
        of_pulls: bool = True,
    ) -> list[RunRecord]:
        """The newest runs first: of a pull request, of a profile, in a state (``running``: not ended), if named.

        Without ``of_pulls`` only those that belong to no pull request.
        """
        query = select(RunRow).order_by(RunRow.created.desc(), RunRow.id.desc()).limit(limit)
        if pr is not None:
            query = query.where(RunRow.pr_number == pr)
        if state is not None:
            query = query.where(RunRow.state.is_(None) if state == RunState.RUNNING.value else RunRow.state == state)
        if not of_pulls:
            query = query.where(RunRow.pr_number.is_(None))
        if profile is not None:
            query = query.where(RunRow.profile == clean.text(profile, clean.NAME))
        with self.reading() as session:
            return [_record(row) for row in session.scalars(query)]

    def plan_json(self, run_id: str) -> str | None:
        """The plan a run was started with."""
        with self.reading() as session:
            return session.scalar(select(RunRow.plan_json).where(RunRow.id == run_id))

    def summary(self, run_id: str) -> RunSummary | None:
        """What was told when the run ended; ``None`` before that."""
        with self.reading() as session:
            row = session.get(RunRow, run_id)
            if row is None or row.state is None:
                return None
            tasks = session.scalars(select(TaskRow).where(TaskRow.run == run_id).order_by(TaskRow.position))
            return RunSummary(
                run=row.id,
                state=RunState(row.state),
                plan=row.plan,
                profile=row.profile,
                pr_number=row.pr_number,
                parent=row.parent,
                created=row.created,
                ended=row.ended or row.created,
                tasks=tuple(map(_task, tasks)),
                cost=row.cost,
                cancelled_by=row.cancelled_by,
            )

    def resolve(self, prefix: str) -> str:
        """The id of the one run whose id starts with ``prefix``; :class:`UnknownRunError` for none or several."""
        wanted = clean.text(prefix, clean.NAME)
        same_start = func.substr(RunRow.id, 1, len(wanted)) == wanted
        with self.reading() as session:
            found = list(session.scalars(select(RunRow.id).where(same_start).order_by(RunRow.id).limit(6)))
        if wanted and (len(found) == 1 or wanted in found[:1]):
            return found[0]
        if wanted and found:
            names = ", ".join(found[:5]) + (", …" if len(found) > 5 else "")
            raise UnknownRunError(f"{prefix!r} may mean several runs: {names}", "Write more of the run's id.")
        raise UnknownRunError(f"there is no run {prefix!r} in the history", "`mo-testplan runs` lists them.")


def _record(row: RunRow) -> RunRecord:
    return RunRecord(
        id=row.id,
        state=RunState.RUNNING if row.state is None else RunState(row.state),
        plan=row.plan,
        profile=row.profile,
        pr_number=row.pr_number,
        parent=row.parent,
        repo_commit=row.repo_commit,
        created=row.created,
        ended=row.ended,
        cost=row.cost,
        cancelled_by=row.cancelled_by,
    )


def _task_row(run_id: str, place: int, task: TaskResult) -> dict[str, Any]:
    return {
        "run": run_id,
        "task": clean.text(task.task, clean.NAME),
        "position": place,
        "state": task.state.value,
        "attempt": clean.count(task.attempt),
        "seconds": clean.number(task.seconds),
        "setup": clean.number(task.setup),
        "passed": clean.count(task.passed),
        "failed": clean.count(task.failed),
        "skipped": clean.count(task.skipped),
        "message": clean.text(task.message),
        "failures": json.dumps(to_plain(task.failures)),  # ASCII: escapes keep every character, NUL included
        "host": clean.text(task.host, clean.NAME),
        "reproduce": clean.text(task.reproduce),
        "flaky": int(task.flaky),
        "quarantine": clean.text(task.quarantine, clean.NAME),
        "stop": json.dumps(to_plain(task.stop)) if task.stop else None,
    }


def _task(row: TaskRow) -> TaskResult:
    failures = json.loads(row.failures)
    return TaskResult(
        task=row.task,
        state=TaskState(row.state),
        attempt=row.attempt,
        seconds=row.seconds,
        setup=row.setup,
        passed=row.passed,
        failed=row.failed,
        skipped=row.skipped,
        message=row.message,
        failures=tuple(from_plain(CaseResult, failure, f"task {row.task}") for failure in failures),
        host=row.host,
        reproduce=row.reproduce,
        flaky=bool(row.flaky),
        quarantine=row.quarantine,
        stop=from_json(Stop, row.stop, f"task {row.task}") if row.stop else None,
    )
