"""Start, cancel and re-run: the only ways a run comes to be or is told to end."""

from __future__ import annotations

import json
import logging
import secrets
import time
from collections.abc import Collection, Mapping

from orchestrator.domain.errors import BrokerError, UnknownRunError, UsageError
from orchestrator.domain.naming import tasks_named
from orchestrator.domain.plan import Suite, TestPlan
from orchestrator.domain.run import RunSummary, ShardSpec, TaskState
from orchestrator.ledger.client import Ledger
from orchestrator.messaging import App, ask_summary, broker_reported, host_label, message_id, run_suite
from orchestrator.planner.codec import dumps, subset
from orchestrator.planner.subset import labelled
from orchestrator.planner.verify import check
from orchestrator.runs import canvas

logger = logging.getLogger(__name__)

#: Messages in a queue from which on no run is taken: some 200 MB of Redis.
MOST_WAITING = 100_000
#: What ``rerun --failed`` runs again: what failed, and what infrastructure took down.
RERUN = frozenset({TaskState.FAILED, TaskState.ERROR, TaskState.LOST})
#: What ``rerun --lost`` runs again.
LOST = RERUN - {TaskState.FAILED}


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
    _room(ledger, plan)
    run = run or new_run_id()
    first = canvas.deliveries(run, plan, weight)
    header = {
        "pr": plan.diff_summary.pr_number or "",
        "profile": plan.profile,
        "plan": plan.id,
        "parent": parent or "",
        "who": who,
        "weight": weight,
        "commit": commit,
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


def _room(ledger: Ledger, plan: TestPlan) -> None:
    """Refuse a run when a queue it needs is full: nobody serves it, or far too few do."""
    for queue in sorted({shard.queue for shard in plan.shards}):
        if ledger.queue_length(queue) >= MOST_WAITING:
            raise BrokerError(
                f"queue {queue!r} holds {MOST_WAITING} messages: nothing more is taken",
                "Start workers for it (`mo-testplan doctor` says who serves it), or cancel runs that wait.",
            )


def commit_of(plan: TestPlan) -> str:
    """The commit a plan runs on, empty when it runs nothing; :class:`UsageError` for the plan of a bare diff."""
    commit = plan.diff_summary.head_commit
    if plan.tasks and not commit:
        raise UsageError(
            "this plan names no commit to run on: it was made from a bare diff",
            "Plan a pull request, or a base and a head; beside a diff the API takes the commit that it leads to.",
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


def cancel(  # noqa: PLR0913 - what to end, and how much of it
    app: App,
    ledger: Ledger,
    run: str,
    who: str,
    tasks: Collection[str] = (),
    *,
    suite: Suite | None = None,
    waiting: bool = False,
) -> None:
    """End ``tasks`` of a run, those of a ``suite``, or with none named all of it; harmless when it has ended already.

    With ``waiting`` what runs goes on. The flag in the ledger is what ends a test; the messages are then revoked, so
    that Flower shows it and workers throw them away faster.
    """
    if not (tasks or suite or waiting):
        ledger.cancel(run, who, [], whole_run=True)  # the flag first: what runs need not wait for us to read the plan
    known = _tasks_of(ledger, run)
    tasks = [task for name in tasks for task in tasks_named(name, known, f"run {run}")]
    if suite is not None:
        tasks = [task for task, (_, kind) in known.items() if kind == suite.value]
        if not tasks:
            raise UsageError(f"run {run} has no tasks of suite {suite.label}", "`mo-testplan status` lists its tasks.")
    whole = not tasks and not waiting
    chosen = [(task, known[task][0]) for task in (tasks or known)]
    if ledger.cancel(run, who, chosen, whole_run=whole, waiting=waiting):
        ask_summary(app, run)
    if waiting:
        return
    if whole or suite is not None:
        _revoke(app, {"run": [run]} if suite is None else {"run_suite": [run_suite(run, suite.label)]})
    else:
        _revoke(app, _messages(ledger, run, known, frozenset(tasks)))


def _tasks_of(ledger: Ledger, run: str) -> dict[str, tuple[str, str]]:
    """Task id → its shard and suite. The plan was checked when the run began, so it is read without ceremony."""
    text = ledger.plan(run)
    if text is None:
        raise UnknownRunError(f"no run {run!r} is known here", "`mo-testplan runs` lists them.")
    return {task["id"]: (task["shard"] or "", task["type"]) for task in json.loads(text)["tasks"]}


def cancel_pull(app: App, ledger: Ledger, pull: int, who: str, profile: str = "") -> list[str]:
    """End every run of a pull request, e.g. because it was closed, of one ``profile`` if named; the runs' ids."""
    ended = []
    for run in ledger.active():
        progress = ledger.progress(run)
        if progress is None or profile not in ("", progress.profile):
            continue
        if progress.pr_number == pull and progress.cancelled_by is None:
            cancel(app, ledger, run, who)
            ended.append(run)
    return ended


def _revoke(app: App, whom: dict[str, list[str]] | list[str]) -> None:
    """Revoke messages by stamp, or the few of single shards by id. Never the truth, so no trouble is worth an error."""
    try:
        with broker_reported():
            if isinstance(whom, dict):
                app.control.revoke_by_stamped_headers(whom)
            elif whom:
                app.control.revoke(whom)
    except BrokerError as error:
        logger.info("messages were not revoked: %s", error.message)


def _messages(ledger: Ledger, run: str, known: Mapping[str, tuple[str, str]], tasks: frozenset[str]) -> list[str]:
    """Ids of the messages of those shards that no worker has and of which ``tasks`` are all there is."""
    kept = {shard for task, (shard, _) in known.items() if task not in tasks}
    ids = []
    for shard in sorted({known[task][0] for task in tasks} - kept):
        delivery = ledger.delivery(run, shard)
        if delivery is not None and not ledger.holder(run, shard):
            ids.append(message_id(run, shard, delivery.delivery))
    return ids


def rerun_plan(  # noqa: PLR0913 - what to run again, and where
    plan: TestPlan,
    summary: RunSummary,
    *,
    failed: bool,
    tasks: Collection[str] = (),
    lost: bool = False,
    host: str = "",
) -> TestPlan:
    """The same plan, cut down to ``tasks``, to what failed (``failed``), to what infrastructure took down (``lost``).

    With ``host``, a host's name, for the workers there alone.
    """
    if tasks:
        plan = subset(plan, tasks)
    elif failed or lost:
        wanted = RERUN if failed else LOST
        again = [result.task for result in summary.tasks if result.state in wanted]
        if not again:
            what = "failed" if failed else "was lost"
            raise UsageError(f"nothing {what} in run {summary.run}", "Name tasks, or run all of it again.")
        plan = subset(plan, again)
    return labelled(plan, host_label(host)) if host else plan
