"""What came of a campaign, against what its tests were written to do."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from benchmarks.rig.faults import Deeds
from benchmarks.rig.project import Behaviour, Project
from orchestrator.domain.plan import TestPlan
from orchestrator.domain.run import RunState, RunSummary, TaskResult, TaskState, verdict
from orchestrator.ledger.client import Ledger
from orchestrator.ledger.records import Event
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


@dataclass
class Tries:
    """What the events of a run say of one task's tries."""

    #: Failures that wanted to be confirmed.
    doubts: int = 0
    #: Tries that were taken down: their worker went silent, or infrastructure failed them.
    taken: int = 0
    #: One of those came after a failure that wanted to be confirmed.
    shaken: bool = False
    #: Final records, and the try that the last of them is of.
    ends: int = 0
    last: int = 0


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
        tries = tries_of(_events(ledger, run))
        found.counted_twice += _counted_twice(ledger, summary, tries)
        found.lost += len({task.id for task in plan.tasks} - {r.task for r in summary.tasks if r.state.final})
        found.states.update(result.state.value for result in summary.tasks)
        found.flaky += sum(result.flaky for result in summary.tasks)
        found.retried += sum(result.attempt > 1 for result in summary.tasks)
        found.wrong += [f"{run}: {why}" for why in _wrong(project, ledger, store, summary, deeds)]
        for result in summary.tasks:
            does = project.packages[result.task.partition(":")[2]]
            ended = run in deeds.cancelled_runs or (run, result.task) in deeds.cancelled_tasks
            found.wrong += [f"{run}: {why}" for why in wrong_task(does, result, tries[result.task], cancelled=ended)]
    return found


def _events(ledger: Ledger, run: str) -> Iterator[Event]:
    after = "0"
    while events := ledger.events(run, after):
        after = events[-1].id
        yield from events


def tries_of(events: Iterable[Event]) -> defaultdict[str, Tries]:
    """Task → its tries."""
    found = defaultdict[str, Tries](Tries)
    for event in events:
        tries = found[event.fields.get("task", "")]
        if event.kind == "retried":
            tries.doubts += event.fields["why"] == "failed"
            tries.taken += event.fields["why"] != "failed"
            tries.shaken |= tries.doubts > 0 and event.fields["why"] != "failed"
        elif event.kind == "finished":
            tries.ends += 1
            tries.last = int(event.fields.get("attempt", "0"))
    return found


def _counted_twice(ledger: Ledger, summary: RunSummary, tries: Mapping[str, Tries]) -> int:
    """Tasks with more than one final record in the run's events, its rows or its counters."""
    rows = Counter(result.task for result in summary.tasks)
    progress = ledger.progress(summary.run)
    surplus = max(0, progress.done - progress.total) if progress else 0
    return max(sum(n > 1 for n in rows.values()), sum(one.ends > 1 for one in tries.values()), surplus)


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
        if result.state in (TaskState.PASSED, TaskState.FAILED):
            cases = result.passed + result.failed + result.skipped
            if stored[result.task, result.attempt] != cases:
                yield f"{result.task}: {cases} cases, {stored[result.task, result.attempt]} in the history"


def wrong_task(does: Behaviour, result: TaskResult, tries: Tries, *, cancelled: bool) -> Iterator[str]:
    """What a result cannot be, given what the test does, what became of its tries, and whether anybody ended it."""
    may_be = {
        TaskState.PASSED: lambda: _may_pass(does, result, tries),
        TaskState.FAILED: lambda: _may_fail(does, result, tries, cancelled=cancelled),
        TaskState.CANCELLED: lambda: cancelled,
        TaskState.LOST: lambda: tries.taken > 0,
    }
    if not may_be.get(result.state, lambda: False)():
        told = f"{result.task} is {result.state} {(result.passed, result.failed)} of try {result.attempt}"
        yield f"{told}, {'' if result.flaky else 'not '}flaky; it {does.kind}; {tries}; {result.message}"


def _may_pass(does: Behaviour, result: TaskResult, tries: Tries) -> bool:
    """It did. A flaky one fails in the first of its executions: that was recorded, or taken down before it was."""
    flaky = does.kind == "flaky"
    seen = bool(tries.doubts) if flaky else False
    possible = does.kind != "fails" and (seen or not flaky or tries.taken > 0)
    return possible and result.flaky == seen and (result.passed, result.failed) == (does.cases, 0)


def _may_fail(does: Behaviour, result: TaskResult, tries: Tries, *, cancelled: bool) -> bool:
    """It did, and one more try confirmed it, unless somebody ended it.

    A flaky one fails once in a checkout. Its failure stands when every try to confirm it was taken down (the result is
    then of an earlier try than the end), or is confirmed when the last of them came later, in a checkout made anew.
    """
    if result.flaky or (result.passed, result.failed) != (does.cases - 1, 1):
        return False
    if does.kind == "flaky":
        return (result.attempt < tries.last or tries.shaken) if tries.doubts else cancelled
    return does.kind == "fails" and (cancelled or tries.doubts > 0)
