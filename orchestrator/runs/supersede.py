"""A new push makes an older run of its pull request pointless: it is ended, as far as the profile says."""

from __future__ import annotations

from collections.abc import Iterable

from orchestrator.domain.profile import Dispatch
from orchestrator.domain.run import TaskState
from orchestrator.ledger.client import Ledger
from orchestrator.ledger.records import Progress
from orchestrator.messaging import App
from orchestrator.runs import control


def superseded(live: Iterable[Progress]) -> list[tuple[Progress, Progress]]:
    """(older, newer) runs of one pull request whose commits differ; re-runs supersede nothing, they repeat."""
    pushes: dict[tuple[str, int], list[Progress]] = {}
    for progress in sorted(live, key=lambda one: (one.created, one.run)):
        if progress.pr_number is not None and progress.commit:
            pushes.setdefault((progress.profile, progress.pr_number), []).append(progress)
    pairs = []
    for runs in pushes.values():
        newest = next((run for run in reversed(runs) if run.parent is None), None)
        if newest is not None:
            pairs += [(run, newest) for run in runs[: runs.index(newest)] if run.commit != newest.commit]
    return pairs


def supersede(app: App, ledger: Ledger, live: Iterable[Progress], policy: Dispatch) -> None:
    """Cancel what :func:`superseded` names, all of it or what has not started (``policy.supersede``)."""
    if policy.supersede == "nothing":
        return
    waiting = policy.supersede == "waiting"
    for older, newer in superseded(live):
        if older.cancelled_by is None and (not waiting or older.tasks[TaskState.PENDING]):
            control.cancel(app, ledger, older.run, f"a newer push: run {newer.run}", waiting=waiting)
