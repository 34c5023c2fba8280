"""What is to come of a run: who is ahead of it, how long it takes; and what happened to each of its tasks."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from orchestrator.domain.plan import TestPlan
from orchestrator.domain.run import TaskResult, TaskState
from orchestrator.ledger.client import Ledger

#: How far what was measured in a run may stretch the estimates of the rest.
_PACE = (0.2, 5.0)


@dataclass(frozen=True, slots=True)
class Ahead:
    """Shards of one run that are served sooner."""

    run: str
    pull: int | None
    shards: int


@dataclass(frozen=True, slots=True)
class Waits:
    """A run's place in one queue: that of its next shard."""

    queue: str
    #: Shards of this run that wait there.
    waiting: int
    #: Shards that are served before the next of them.
    ahead: int
    #: Whose they are, most first.
    who: tuple[Ahead, ...]


@dataclass(frozen=True, slots=True)
class Outlook:
    """What can be said of a run that goes on."""

    #: Seconds until its last task ends, when at least one runs; by measured seconds where history has them.
    seconds_left: float | None
    queues: tuple[Waits, ...]


@dataclass(frozen=True, slots=True)
class Moment:
    """Something that happened to a task."""

    #: Seconds after the run was created.
    at: float
    words: str


def outlook(ledger: Ledger, run: str, plan: TestPlan) -> Outlook:
    """How long a run takes and what it waits for; costs a look at every shard that waits, of whatever run."""
    return Outlook(_seconds_left(ledger, run, plan), waits(ledger, run))


def waits(ledger: Ledger, run: str) -> tuple[Waits, ...]:
    """The run's place in every queue where shards of it wait."""
    order = {member: place for place, member in enumerate(ledger.members()[0])}
    queues: dict[str, list[tuple[int, int, str]]] = {}
    for message in ledger.current(list(order)):
        row = (message.priority, order[message.run, message.shard], message.run)
        queues.setdefault(message.queue, []).append(row)
    found = []
    for queue, rows in sorted(queues.items()):
        rows.sort()
        mine = [place for place, row in enumerate(rows) if row[2] == run]
        if mine:
            before = Counter(row[2] for row in rows[: mine[0]])
            found.append(Waits(queue, len(mine), mine[0], tuple(_ahead(ledger, *one) for one in before.most_common())))
    return tuple(found)


def _ahead(ledger: Ledger, run: str, shards: int) -> Ahead:
    progress = ledger.progress(run)
    return Ahead(run, progress.pr_number if progress else None, shards)


def _seconds_left(ledger: Ledger, run: str, plan: TestPlan) -> float | None:
    """Shards that run go on where they are, the others follow on as many workers as the run has now, longest first."""
    states, results, now = ledger.states(run), ledger.results(run), ledger.now()
    estimates = {task.id: task.est_duration for task in plan.tasks}
    pace = _pace(estimates, results)
    running, waiting = [], []
    since = ledger.since(run)
    for shard in plan.shards:
        left = sum(estimates[task] * pace for task in shard.tasks if states.get(task) is TaskState.PENDING)
        current = next((task for task in shard.tasks if states.get(task) is TaskState.RUNNING), None)
        if current is not None:
            running.append(left + max(0.0, estimates[current] * pace - (now - since.get(shard.id, now))))
        elif left:
            waiting.append(left)
    if not running:
        return None
    heapq.heapify(running)
    for seconds in sorted(waiting, reverse=True):
        heapq.heapreplace(running, running[0] + seconds)
    return max(running)


def _pace(estimates: Mapping[str, float], results: Mapping[str, TaskResult]) -> float:
    """Measured over estimated seconds of what has ended; 1 before anything has."""
    ended = [result for result in results.values() if result.state in (TaskState.PASSED, TaskState.FAILED)]
    estimated = sum(estimates.get(result.task, 0.0) for result in ended)
    if not estimated:
        return 1.0
    return min(max(sum(result.seconds for result in ended) / estimated, _PACE[0]), _PACE[1])


def timeline(ledger: Ledger, run: str, task: str) -> list[Moment]:
    """What happened to a task, oldest first; nothing once the run has left the ledger."""
    progress = ledger.progress(run)
    if progress is None:
        return []
    moments, after = [Moment(0.0, "queued")], "0"
    while events := ledger.events(run, after):
        after = events[-1].id
        for event in events:
            words = _words(event.kind, event.fields) if event.fields.get("task") == task else ""
            if words:
                moments.append(Moment(round(event.seconds - progress.created, 3), words))
    return moments


def _words(kind: str, fields: Mapping[str, str]) -> str:
    host = fields.get("host", "").partition(":")[0]
    where = f" on {host}" if host else ""
    if kind == "started":
        return f"attempt {fields.get('attempt', '?')} starts{where}"
    if kind == "retried":
        why = {"silent": "its worker went silent", "error": "infrastructure failed it", "failed": "it failed"}
        return f"attempt {fields.get('attempt', '?')} ends{where}: {why.get(fields.get('why', ''), 'lost')}; once more"
    if kind == "overlap":
        return f"ran{where}, too, for {fields.get('seconds', '?')} s: its lease had ended"
    if kind == "yielded":
        return f"had ended{where} {fields.get('seconds', '?')} s before the next attempt began"
    if kind == "finished":
        by = f" by {fields['by']}" if fields.get("by") else ""
        return f"{fields.get('state', 'ended')}{by}{where}"
    return ""
