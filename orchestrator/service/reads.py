"""Questions about runs, logs, queues and history. Every answer is bounded; nothing here changes anything."""

from __future__ import annotations

import dataclasses
import re
import statistics
import time
from typing import TYPE_CHECKING, Literal, TypeVar

from orchestrator.domain.errors import UsageError
from orchestrator.domain.naming import task_named, tasks_named
from orchestrator.domain.plan import TestPlan
from orchestrator.domain.run import CaseResult, RunState, RunSummary, TaskResult, TaskState
from orchestrator.ledger.client import Ledger
from orchestrator.ledger.hosts import Host
from orchestrator.messaging import App
from orchestrator.runs.hosts import faults
from orchestrator.service import views
from orchestrator.service.lookup import Lookup

if TYPE_CHECKING:
    from orchestrator.store import Store

_QUIET = (TaskState.PASSED, TaskState.SKIPPED, TaskState.PENDING, TaskState.RUNNING)
_BAD = (TaskState.FAILED, TaskState.ERROR, TaskState.LOST)
T = TypeVar("T")
#: What a watcher waits for.
Until = Literal["event", "failure", "end"]

_CURSOR = re.compile(r"[0-9]{1,20}(-[0-9]{1,20})?")
#: Failed cases of a task that are looked at together.
FAILED_KEPT = 1000
#: Characters of one line of a log.
_LINE = 2000
#: Runs that statistics look at.
_HISTORY = 500
#: Days, and rows of each list, of what is slow, flaky and dear.
_DAYS, _TOP = 30, 10


class Reads:
    """Questions about the runs of one profile. Safe to use from several threads."""

    def __init__(self, ledger: Ledger, store: Store, app: App, project: str) -> None:
        self.ledger, self.store, self.app = ledger, store, app
        self.lookup = Lookup(ledger, store, project)
        self.project = project

    def runs(self, limit: int = 20, pull: int | None = None, state: str | None = None) -> list[views.RunRow]:
        """The newest runs, live ones first."""
        live = [p for run in self.ledger.active() if (p := self.ledger.progress(run)) and p.profile == self.project]
        rows = [
            views.RunRow(p.run, p.state, p.pr_number, p.parent, p.created, p.ended, p.cost, p.cancelled_by)
            for p in reversed(live)
            if pull in (None, p.pr_number)
        ]
        known = {row.run for row in rows}
        past = self.store.runs(limit + len(known), pr=pull, state=state, profile=self.project)
        rows += [
            views.RunRow(r.id, r.state, r.pr_number, r.parent, r.created, r.ended, r.cost, r.cancelled_by)
            for r in past
            if r.id not in known
        ]
        return [row for row in rows if state in (None, row.state.value)][: _limited(limit, _HISTORY)]

    def find(self, name: str) -> tuple[RunSummary, TestPlan]:
        """A run and its plan, by id, by the beginning of one, or the newest of a pull request by its number."""
        return self.lookup.find(name)

    def run(self, name: str) -> views.RunView:
        """How a run stands."""
        summary, plan = self.find(name)
        telling = [dataclasses.replace(t, failures=()) for t in summary.tasks if t.state not in _QUIET]
        final = summary.state.final
        return views.RunView(
            run=summary.run,
            state=summary.state,
            plan=summary.plan,
            commit=plan.diff_summary.head_commit,
            pull=summary.pr_number,
            parent=summary.parent,
            created=summary.created,
            ended=summary.ended if final else None,
            cost=summary.cost,
            estimated_cost=plan.cost.runner_seconds,
            cancelled_by=summary.cancelled_by,
            counts=views.count(tuple(task.state for task in summary.tasks)),
            total=len(summary.tasks),
            exit_code=summary.state.exit_code if final else None,
            attention=tuple(telling[:50]),
            attention_total=len(telling),
        )

    def tasks(self, name: str, offset: int = 0, limit: int = 50, state: str | None = None) -> views.TaskPage:
        """Tasks of a run, each with its first failures."""
        summary, _ = self.find(name)
        found = [task for task in summary.tasks if state in (None, task.state.value)]
        page, following = _page(found, offset, limit)
        return views.TaskPage(tuple(page), len(found), following)

    def failures(self, name: str, task: str | None = None, offset: int = 0, limit: int = 50) -> views.FailurePage:
        """What failed, case by case; all of it once the run has ended, the first of each task while it runs."""
        summary, _ = self.find(name)
        known = [one.task for one in summary.tasks]  # by the names in the history, which cuts long ones
        wanted = known if task is None else tasks_named(task, known, f"run {summary.run}")
        chosen = [t for t in summary.tasks if t.state in _BAD and t.task in wanted]
        start, total = max(0, offset), 0
        end = start + _limited(limit)
        found: list[views.Failure] = []
        for one in chosen:
            stored = self.store.count_failures(summary.run, one.task, one.attempt)
            first, last = max(0, start - total), max(0, end - total)
            cases = list(one.failures[first:last])
            if stored:
                cases = self.store.failures_of(summary.run, one.task, one.attempt, last - first, first)
            found += [views.Failure(one.task, one.attempt, case) for case in cases]
            total += stored or len(one.failures)
        return views.FailurePage(summary.run, tuple(found), total, end if end < total else None)

    def failed(self, summary: RunSummary, result: TaskResult) -> list[CaseResult]:
        """The first :data:`FAILED_KEPT` of a task that the history has, once it has the run; until then those few that
        the worker told.
        """
        known = self.store.failures_of(summary.run, result.task, result.attempt, FAILED_KEPT)
        return known or list(result.failures)

    def log(self, name: str, task: str, after: str = "0", limit: int = 200) -> views.LogPage:
        """The log of a task from a cursor on, as far as the ledger keeps it."""
        summary, _ = self.find(name)
        ended = {one.task: one.state.final for one in summary.tasks}
        task = task_named(task, ended, f"run {summary.run}")
        rows = self.ledger.read_log(summary.run, task, cursor(after), _limited(limit, 1000))
        lines = tuple(line[:_LINE] for _, line in rows)
        return views.LogPage(summary.run, task, lines, rows[-1][0] if rows else after, ended[task])

    def events(self, name: str, after: str = "0", wait: float = 0.0) -> views.EventPage:
        """What happened after a cursor, waiting up to ``wait`` (< 5) seconds for the first event."""
        summary, _ = self.find(name)
        final = self.committed(summary.run)  # asked before the events: what follows it cannot be missed
        rows = self.ledger.events(summary.run, cursor(after), 0.0 if final else min(max(wait, 0.0), 4.5))
        found = tuple(views.EventView(row.id, row.kind, row.fields) for row in rows)
        ended = final or any(row.kind == "ended" for row in rows)
        return views.EventPage(summary.run, found, rows[-1].id if rows else after, ended)

    def watch(self, name: str, after: str = "0", wait: float = 0.0, until: Until = "event") -> views.Watched:
        """Wait up to ``wait`` seconds for the next event, the first failure, or the end; then, how the run stands.

        A page of events that is full ends the wait, too: go on at its cursor.
        """
        run, _ = self.find(name)
        deadline, found = time.monotonic() + wait, list[views.EventView]()
        while True:
            page = self.events(run.run, after, min(max(0.0, deadline - time.monotonic()), 4.0))
            after = page.cursor
            found += page.events
            met = until == "event" or (until == "failure" and any(map(_is_failure, page.events)))
            if page.ended or (met and page.events) or len(found) >= views.MAX_PAGE or time.monotonic() >= deadline:
                break
        summary, _ = self.find(run.run)
        counts = views.count(tuple(task.state for task in summary.tasks))
        return views.Watched(run.run, summary.state, counts, len(summary.tasks), tuple(found), after, page.ended)

    def committed(self, run: str) -> bool:
        """Whether a run has its one summary: a moment after its last task has ended."""
        progress = self.ledger.progress(run)
        return progress is None or progress.state.final

    def fleet(self) -> views.Fleet:
        """Queues with their length and age, and the workers that were heard of."""
        now, oldest = self.ledger.now(), self.ledger.waiting_since()
        hosts = tuple(_host(host) for host in self.ledger.hosts())
        served = {queue for host in hosts for queue in host.queues}
        rows = [
            views.QueueView(
                queue,
                self.ledger.queue_length(queue),
                max(0.0, now - oldest.get(queue, now)),
                tuple(sorted(host.name for host in hosts if queue in host.queues)),
            )
            for queue in sorted({*served, *oldest})
        ]
        return views.Fleet(tuple(rows), hosts)

    def stats(self) -> views.Stats:
        """The last runs in figures."""
        rows, since = self.runs(_HISTORY), time.time() - _DAYS * 86400.0
        ended = [row for row in rows if row.ended is not None and row.state.final]
        seconds = sorted(max(0.0, (row.ended or 0.0) - row.created) for row in ended)
        states = {state.value: sum(row.state is state for row in rows) for state in RunState}
        return views.Stats(
            runs=len(rows),
            by_state={state: number for state, number in states.items() if number},
            median_seconds=round(statistics.median(seconds), 3) if seconds else 0.0,
            p90_seconds=round(seconds[int(0.9 * (len(seconds) - 1))], 3) if seconds else 0.0,
            runner_seconds=round(sum(row.cost for row in rows), 3),
            live=len(rows) - len(ended),
            slowest=tuple(self.store.slowest(since, _TOP, self.project)),
            flakiest=tuple(self.store.flakiest(since, _TOP, self.project)),
            costs=tuple(self.store.costs(since, _TOP, self.project)),
        )

    def audit(self, limit: int = 50, target: str | None = None) -> list[views.AuditView]:
        """The newest entries of the audit log."""
        rows = self.store.audit_log(_limited(limit), target)
        return [views.AuditView(r.at, r.who, r.origin, r.action, r.target, r.result) for r in rows]


def _host(host: Host) -> views.HostView:
    record = host.record
    return views.HostView(
        name=host.name,
        version=record.version if record else "",
        queues=record.queues if record else (),
        concurrency=record.concurrency if record else 0,
        running=tuple(shard for shard, _ in record.running[:50]) if record else (),
        silent=round(host.silent, 1),
        load=record.load if record else 0.0,
        wanted=host.wanted.want.value,
        faults=tuple(faults(host)),
    )


def cursor(text: str) -> str:
    """``text`` when it is the id of a stream's entry; else :class:`UsageError`."""
    if not _CURSOR.fullmatch(text) or any(int(part) >= 2**64 for part in text.split("-")):
        raise UsageError(f"{text[:40]!r} is no cursor", "Give back the cursor of the answer before, or 0.")
    return text


def _is_failure(event: views.EventView) -> bool:
    bad = event.kind == "finished" and event.fields.get("state") in [state.value for state in _BAD]
    return bad or event.kind == "failure"


def _limited(limit: int, most: int = views.MAX_PAGE) -> int:
    return max(1, min(limit, most))


def _page(rows: list[T], offset: int, limit: int) -> tuple[list[T], int | None]:
    end = max(0, offset) + _limited(limit)
    return rows[max(0, offset) : end], end if end < len(rows) else None
