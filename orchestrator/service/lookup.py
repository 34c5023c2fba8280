"""Finding the run that a person means: by id, by the beginning of one, or the newest of a pull request."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestrator.domain.change import pull_of
from orchestrator.domain.errors import UnknownRunError, UsageError
from orchestrator.domain.plan import TestPlan
from orchestrator.domain.run import RunSummary
from orchestrator.ledger.client import Ledger
from orchestrator.planner.codec import loads
from orchestrator.runs.summarize import summary_of

if TYPE_CHECKING:
    from orchestrator.store import Store


class Lookup:
    """The runs of one profile, live and past: those of other projects are not there for it."""

    def __init__(self, ledger: Ledger, store: Store, project: str) -> None:
        self.ledger = ledger
        self.store = store
        self.project = project

    def find(self, name: str) -> tuple[RunSummary, TestPlan]:
        """How a run stands and its plan; ``name`` is an id, the beginning of one, or a pull request's number.

        :class:`UnknownRunError` for none, and for several, which it names.
        """
        if not name:
            raise UsageError("the name of the run is empty", "Give its id, or the number of a pull request.")
        pull = pull_of(name)
        found = self._starting(name) if pull is None else [row[0] for row in self.recent(1, pull=pull)]
        return self.get(self._one(name, found))

    def _one(self, name: str, found: list[str]) -> str:
        if len(found) == 1 or name in found:
            return found[0] if len(found) == 1 else name
        if found:
            raise UnknownRunError(f"{name!r} may mean several runs: {', '.join(found[:5])}", "Write more of the id.")
        known = ", ".join(run for run, _, _ in self.recent(3))
        raise UnknownRunError(f"no run {name!r}", f"The newest: {known}." if known else "")

    def _starting(self, name: str) -> list[str]:
        live = [run for run in self.ledger.active() if run.startswith(name) and self._ours(run)]
        if live:
            return live
        try:
            run = self.store.resolve(name)
        except UsageError:
            past = self.store.runs(200, profile=self.project)
            return [row.id for row in past if row.id.startswith(name)][:6]
        record = self.store.run(run)
        return [run] if record is not None and record.profile == self.project else []

    def _ours(self, run: str) -> bool:
        progress = self.ledger.progress(run)
        return progress is not None and progress.profile == self.project

    def get(self, run: str) -> tuple[RunSummary, TestPlan]:
        """A run by its whole id."""
        progress, text = self.ledger.progress(run), self.ledger.plan(run)
        if progress is not None and text is not None and progress.profile == self.project:
            plan = loads(text)
            return summary_of(self.ledger, progress, plan.id), plan
        summary, text = self.store.summary(run), self.store.plan_json(run)
        if summary is None or text is None or summary.profile != self.project:
            raise UnknownRunError(f"no run {run!r}")
        return summary, loads(text)

    def recent(self, limit: int = 10, pull: int | None = None) -> list[tuple[str, str, int | None]]:
        """(run, state, pull request) of the newest, live ones first."""
        live = [found for run in self.ledger.active() if (found := self.ledger.progress(run)) is not None]
        rows = [(p.run, p.state.value, p.pr_number) for p in reversed(live) if p.profile == self.project]
        known = {run for run, _, _ in rows}
        past = self.store.runs(limit + len(known), pr=pull, profile=self.project)
        rows += [(r.id, r.state.value, r.pr_number) for r in past if r.id not in known]
        return [row for row in rows if pull is None or row[2] == pull][:limit]

    def started_by(self, run: str) -> str:
        """Who started a run that the ledger still knows; empty otherwise."""
        progress = self.ledger.progress(run)
        return progress.who if progress is not None else ""
