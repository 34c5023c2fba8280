"""What GitHub is told of runs: planned, now and then how far, and the verdict."""

from __future__ import annotations

import json
import logging
import time

from orchestrator.domain.errors import BadPlanError, MoTestplanError
from orchestrator.domain.plan import TestPlan
from orchestrator.domain.run import RunSummary
from orchestrator.notify.github import words
from orchestrator.planner.codec import loads
from orchestrator.runs.summarize import summary_of
from orchestrator.service.pulls import baseline_of
from orchestrator.service.service import Service
from orchestrator.store import OutboxMessage

CHANNEL = "github"
#: The comment is written anew when a run has passed these shares of its tasks, in percent.
_STEPS = (0, 25, 50, 75)

logger = logging.getLogger(__name__)


class GitHubTeller:
    """Writes messages into the outbox for the runs of pull requests."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._told: set[tuple[str, int]] = set()

    def tick(self) -> None:
        """Look once at every live run; a step that was told is not told again, by whomever."""
        ledger = self._service.ledger
        live = ledger.active()
        self._told = {row for row in self._told if row[0] in live}
        for run in live:
            progress = ledger.progress(run)
            if progress is None or progress.profile != self._service.profile.name or not progress.pr_number:
                continue
            share = 100 * progress.done // max(1, progress.total)
            step = max(passed for passed in _STEPS if share >= passed)
            if progress.complete or (run, step) in self._told:
                continue
            text = ledger.plan(run)
            if text is None:
                continue
            try:
                plan = loads(text)
            except BadPlanError as error:  # of another version, say: the other runs are told of all the same
                logger.warning("of run %s is not told how far it is: %s", run, error.message)
            else:
                message = self._message(summary_of(ledger, progress, plan.id), plan, f"step-{step}")
                self._service.store.enqueue([message], time.time())
            self._told.add((run, step))

    def verdict(self, summary: RunSummary) -> list[OutboxMessage]:
        """The message of a finished run, for the transaction that keeps its summary; none without a plan."""
        if not summary.pr_number or summary.profile != self._service.profile.name:
            return []
        try:
            text = self._service.ledger.plan(summary.run) or self._service.store.plan_json(summary.run)
            plan = loads(text) if text is not None else None
        except MoTestplanError as error:
            logger.warning("of run %s no verdict is told: %s", summary.run, error.message)
            plan = None
        return [self._message(summary, plan, "verdict")] if plan is not None else []

    def _message(self, summary: RunSummary, plan: TestPlan, kind: str) -> OutboxMessage:
        final = kind == "verdict"
        base = baseline_of(self._service.store, self._service.profile, summary) if final else None
        comment = words.run_comment(summary, plan, base)
        payload: dict[str, object] = {"pull": summary.pr_number, "comment": comment}
        if plan.diff_summary.head_commit and (final or kind == "step-0"):
            payload["check"] = {
                "run": summary.run,
                "sha": plan.diff_summary.head_commit,
                "title": words.headline(summary),
                "summary": comment.partition("<details>")[0],
                "conclusion": words.conclusion(summary.state) if final else None,
                "annotations": words.annotated(summary) if final else [],
            }
        text = json.dumps(payload, ensure_ascii=False)
        return OutboxMessage(summary.run, CHANNEL, kind, text, f"{summary.run}:{kind}:{CHANNEL}")
