"""The control plane's one Celery task: the summary, called by chord bodies, cancels and the reaper."""

from __future__ import annotations

from collections.abc import Callable

from orchestrator.messaging import SUMMARIZE, App


def register(app: App, summarize: Callable[[str], object]) -> None:
    """Make ``app`` answer :data:`SUMMARIZE` with ``summarize(run)``.

    It alone is acknowledged late: if this process dies in it, another does it, and the ledger lets only one act.
    """

    @app.task(name=SUMMARIZE, acks_late=True, reject_on_worker_lost=True, ignore_result=False)  # type: ignore[untyped-decorator]
    def run_summary(run: str) -> str:
        summarize(run)
        return run
