"""What came of a campaign, against what its tests were written to do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from benchmarks.rig.faults import Deeds
from benchmarks.rig.project import Behaviour, Project
from orchestrator.domain.plan import TestPlan
from orchestrator.domain.run import RunState, RunSummary, TaskResult, TaskState, verdict
from orchestrator.ledger.client import Ledger
from orchestrator.store import Store


@dataclass
class Verdict:
    """Figures of a campaign, and what is behind those that are not as promised."""

    one_summary: int = 0
    counted_twice: int = 0
    lost: int = 0
    wrong: list[str] = field(default_factory=list)
    states: Counter[str] = field(default_factory=Counter)
    #: Tasks that were tried again, and those that failed first and passed then.
    retried: int = 0
    flaky: int = 0


def judge(project: Project, plans: dict[str, TestPlan], ledger: Ledger, store: Store, deeds: Deeds) -> Verdict:
    """Look at every run of ``plans`` (by run id) in history and ledger."""
    found = Verdict()
    for run, plan in plans.items():
        summary = store.summary(run)
        told = [entry for entry in store.outbox(run) if entry.message.kind == "summary"]
        found.one_summary += summary is not None and len(told) == 1
        if summary is None:
            found.lost += len(plan.tasks)
            found.wrong.append(f"{run}: no summary; the ledger says {ledger.progress(run)}")
            continue
        found.counted_twice += _counted_twice(ledger, summary)
        found.lost += len({task.id for task in plan.tasks} - {r.task for r in summary.tasks if r.state.final})
        found.states.update(result.state.value for result in summary.tasks)
        found.flaky += sum(result.flaky for result in summary.tasks)
        found.retried += sum(result.attempt > 1 for result in summary.tasks)
        found.wrong += [f"{run}: {why}" for why in _wrong(project, ledger, store, summary, deeds)]
    return found


def _counted_twice(ledger: Ledger, summary: RunSummary) -> int:
    """Tasks with more than one final record in the run's events, its rows or its counters."""
    rows, ends = Counter(result.task for result in summary.tasks), Counter[str]()
    after = "0"
    while events := ledger.events(summary.run, after):
        after = events[-1].id
        ends.update(event.fields["task"] for event in events if event.kind == "finished")
    progress = ledger.progress(summary.run)
    surplus = max(0, progress.done - progress.total) if progress else 0
    return max(sum(n > 1 for n in rows.values()), sum(n > 1 for n in ends.values()), surplus)


def _wrong(project: Project, ledger: Ledger, store: Store, summary: RunSummary, deeds: Deeds) -> Iterator[str]:
    progress = ledger.progress(summary.run)
    if progress is not None:
        counted = Counter(result.state for result in summary.tasks)
        if any(progress.tasks[state] != counted[state] for state in TaskState):
            yield f"counters {dict(progress.tasks)}, results {dict(counted)}"
        passed, failed = (sum(getattr(r, name) for r in summary.tasks) for name in ("passed", "failed"))
        if (passed, failed) != (progress.cases_passed, progress.cases_failed):
            yield f"cases {(passed, failed)}, counters {(progress.cases_passed, progress.cases_failed)}"
    states = tuple(result.state for result in summary.tasks)
    if summary.state is not verdict(states, cancelled=summary.cancelled_by is not None):
        yield f"verdict {summary.state} of {Counter(states)}"
    if summary.cancelled_by is not None and summary.run not in deeds.cancelled_runs:
        yield f"cancelled by {summary.cancelled_by}, and nobody did"
    if summary.state is RunState.PASSED and summary.run in deeds.cancelled_runs and summary.cancelled_by:
        yield "cancelled, and told as passed"
    stored = Counter((row.task, row.attempt) for row in store.cases(summary.run, limit=1_000_000))
    for result in summary.tasks:
        yield from _wrong_task(project.packages[result.task.partition(":")[2]], summary.run, result, deeds)
        if result.state in (TaskState.PASSED, TaskState.FAILED):
            cases = result.passed + result.failed + result.skipped
            if stored[result.task, result.attempt] != cases:
                yield f"{result.task}: {cases} cases, {stored[result.task, result.attempt]} in the history"


def _wrong_task(does: Behaviour, run: str, result: TaskResult, deeds: Deeds) -> Iterator[str]:
    if result.state in (TaskState.PASSED, TaskState.FAILED):
        wanted = TaskState.FAILED if does.kind == "fails" else TaskState.PASSED
        if does.kind == "flaky" and result.state is TaskState.FAILED:
            return  # every try to confirm it was killed, so the failure stands
        if result.state is not wanted or (result.passed, result.failed) != does.counts:
            yield f"{result.task} is {result.state} {(result.passed, result.failed)}, it {does.kind} {does.counts}"
    elif result.state is TaskState.CANCELLED:
        if run not in deeds.cancelled_runs and (run, result.task) not in deeds.cancelled_tasks:
            yield f"{result.task} is cancelled, and nobody did"
    elif result.state is not TaskState.LOST:
        yield f"{result.task} is {result.state}: {result.message}"
