"""One summary a run: three triggers call, the ledger's ``commit`` lets one act, the store's transaction keeps it."""

from __future__ import annotations

import dataclasses
import json
import secrets
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING

from orchestrator.domain.errors import UsageError
from orchestrator.domain.plain import from_json
from orchestrator.domain.quarantine import Quarantine, apply
from orchestrator.domain.run import CaseResult, RunSummary, TaskResult, TaskState, verdict
from orchestrator.ledger.client import Ledger
from orchestrator.ledger.records import Progress
from orchestrator.store import OutboxMessage, StoredCase

if TYPE_CHECKING:
    from orchestrator.store import Store

#: Why a task that never finished by itself ended as it did.
_SAID = {
    TaskState.LOST: "every worker that took it went silent; see `mo-testplan logs`",
    TaskState.SKIPPED: "nothing to run",
    TaskState.CANCELLED: "cancelled",
}


def summarize(
    ledger: Ledger, store: Store, run: str, messages: Callable[[RunSummary], Sequence[OutboxMessage]]
) -> RunSummary | None:
    """Write history and outbox of a complete run and close it; None when that is not this caller's to do.

    ``messages`` says what is to be told of the run; it is told by whoever drains the outbox.
    """
    if ledger.commit(run, secrets.token_hex(8)) != "ok":
        return None
    progress, text = ledger.progress(run), ledger.plan(run)
    if progress is None or text is None:
        return None
    store.record_plan(
        run,
        text,
        parent=progress.parent,
        pr_number=progress.pr_number,
        profile=progress.profile,
        repo_commit=progress.commit or None,
        created=progress.created,
    )
    collect_cases(ledger, store, run, "0")
    quarantines = store.quarantines(progress.profile, at=progress.ended or ledger.now())
    summary = summary_of(ledger, progress, progress.plan, quarantines, _categories(text))
    store.commit_run(summary, messages(summary))
    marked = [result for result in summary.tasks if result.quarantine]
    ledger.close_run(run, summary.state, (result.task for result in summary.tasks), marked)
    return summary


def _categories(plan_json: str) -> dict[str, str]:
    """Task → category, of those that have one."""
    return {task["id"]: task["category"] for task in json.loads(plan_json).get("tasks", ()) if task.get("category")}


def summary_of(
    ledger: Ledger,
    progress: Progress,
    plan_id: str,
    quarantines: Sequence[Quarantine] = (),
    categories: Mapping[str, str] = MappingProxyType({}),
) -> RunSummary:
    """How a run stands, as its summary would say it; final once the run has its summary."""
    run = progress.run
    results, attempts, doubts = ledger.results(run), ledger.attempts(run), ledger.doubts(run)
    tasks = []
    for task, state in sorted(ledger.states(run).items()):
        known = results.get(task)
        if known is None or known.state is not state:
            known = TaskResult(task, state, attempts.get(task, 0), message=_SAID.get(state, ""))
        elif task in doubts and state is TaskState.PASSED:
            first = doubts[task]
            known = dataclasses.replace(
                known,
                flaky=True,
                message=f"failed in attempt {first.attempt}: {first.message}",
                failures=first.failures,
            )
        tasks.append(known)
    told, run_state = apply(tasks, quarantines, categories), progress.state
    if progress.complete and not run_state.final:
        run_state = verdict(tuple(result.counts_as for result in told), cancelled=progress.cancelled_by is not None)
    return RunSummary(
        run=run,
        state=run_state,
        plan=plan_id,
        profile=progress.profile,
        pr_number=progress.pr_number,
        parent=progress.parent,
        created=progress.created,
        ended=progress.ended or ledger.now(),
        tasks=told,
        cost=progress.cost,
        cancelled_by=progress.cancelled_by,
    )


def collect_cases(ledger: Ledger, store: Store, run: str, after: str) -> str:
    """Move case results from the run's stream into the store; the id of the last one, to go on from."""
    while rows := ledger.read_cases(run, after):
        stored = []
        for source, row in rows:
            try:
                case = from_json(CaseResult, row["case"], "case")
                stored.append(StoredCase(source, row["task"], int(row["attempt"]), case))
            except (UsageError, ValueError, KeyError):
                continue  # a worker's answer is not to be trusted: what is no case is no history
        store.add_cases(run, stored)
        after = rows[-1][0]
    return after
