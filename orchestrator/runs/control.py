"""Start, cancel and re-run: the only ways a run comes to be or is told to end."""

from __future__ import annotations

import secrets
import time
from collections.abc import Collection

from orchestrator.domain.errors import BrokerError, UnknownRunError, UsageError, nearest
from orchestrator.domain.plan import TestPlan
from orchestrator.domain.run import RunSummary, ShardSpec, TaskState
from orchestrator.ledger.client import Ledger
from orchestrator.messaging import App, ask_summary
from orchestrator.planner.codec import dumps, loads, subset
from orchestrator.planner.verify import check
from orchestrator.runs import canvas

#: What ``rerun --failed`` runs again: what failed, and what infrastructure took down.
RERUN = frozenset({TaskState.FAILED, TaskState.ERROR, TaskState.LOST})


def start(  # noqa: PLR0913 - who starts what, for whom, and how much it counts
    app: App,
    ledger: Ledger,
    plan: TestPlan,
    *,
    parent: str | None = None,
    who: str = "",
    run: str | None = None,
    weight: float = 1.0,
) -> str:
    """Write the run into the ledger, then send its shards; the run's id, which is ``run`` if the caller chose one.

    If the sending is interrupted, the reaper finds shards whose message is missing and sends them; the
    :class:`BrokerError` then names the run.
    """
    check(plan)
    commit = commit_of(plan)
    run = run or new_run_id()
    first = canvas.deliveries(run, plan, weight)
    header = {
        "pr": plan.diff_summary.pr_number or "",
        "profile": plan.profile,
        "plan": plan.id,
        "parent": parent or "",
        "who": who,
        "weight": weight,
    }
    tasks = [(task.id, task.shard or "", task.skip) for task in plan.tasks]
    by_shard = {spec.shard: spec for spec in specs(run, plan, commit)}
    text = dumps(plan).decode()
    if not ledger.create(run, text, header, tasks, [(delivery, by_shard[delivery.shard]) for delivery in first]):
        raise UsageError(f"run {run} exists already", "Try again: ids are random.")
    try:
        canvas.submit(app, run, plan, first)
    except BrokerError as error:
        raise BrokerError(
            f"run {run} is recorded, but not all of it was sent: {error.message}",
            f"The control process sends the rest once Redis takes messages: `mo-testplan watch {run}`.",
        ) from None
    return run


def commit_of(plan: TestPlan) -> str:
    """The commit a plan runs on, empty when it runs nothing; :class:`UsageError` for the plan of a bare diff."""
    commit = plan.diff_summary.head_commit
    if plan.tasks and not commit:
        raise UsageError(
            "this plan names no commit to run on: it was made from a bare diff",
            "Make it with `--repo DIR --base REV --head REV`.",
        )
    return commit or ""


def new_run_id() -> str:
    """Short enough to type, sorted by day: ``1123-9f8e7d6c``."""
    return f"{time.strftime('%m%d', time.gmtime())}-{secrets.token_hex(4)}"


def specs(run: str, plan: TestPlan, commit: str) -> list[ShardSpec]:
    """What each shard's worker is told."""
    tasks = {task.id: task for task in plan.tasks}
    return [
        ShardSpec(
            run, shard.id, plan.profile, commit, tuple(tasks[name] for name in shard.tasks if not tasks[name].skip)
        )
        for shard in plan.shards
    ]


def cancel(app: App, ledger: Ledger, run: str, who: str, tasks: Collection[str] = ()) -> None:
    """End ``tasks`` of a run, or with none named all of it. Harmless when it has ended already."""
    text = ledger.plan(run)
    if text is None:
        raise UnknownRunError(f"no run {run!r} is known here", "`mo-testplan runs` lists them.")
    plan = loads(text)
    known = {task.id: task.shard or "" for task in plan.tasks}
    for task in tasks:
        if task not in known:
            raise UnknownRunError(f"run {run} has no task {task!r}", nearest(task, known))
    chosen = [(task, known[task]) for task in (tasks or known)]
    if ledger.cancel(run, who, chosen, whole_run=not tasks):
        ask_summary(app, run)


def rerun_plan(plan: TestPlan, summary: RunSummary, *, failed: bool, tasks: Collection[str] = ()) -> TestPlan:
    """The same plan, cut down to ``tasks``, or to what failed (``failed``), or as it is."""
    if tasks:
        return subset(plan, tasks)
    if not failed:
        return plan
    again = [result.task for result in summary.tasks if result.state in RERUN]
    if not again:
        raise UsageError(f"nothing failed in run {summary.run}", "Name tasks with --task, or leave --failed out.")
    return subset(plan, again)
