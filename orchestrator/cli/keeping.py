"""What the leading control process keeps in order beside runs: turns, the audit log, measured seconds, old rows."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from orchestrator.domain.profile import Retention
from orchestrator.ledger.client import Ledger
from orchestrator.planner.failures import write_failures
from orchestrator.planner.measured import write_durations
from orchestrator.runs.fairness import Leveller
from orchestrator.store import AuditEntry

if TYPE_CHECKING:
    from orchestrator.store import Store

logger = logging.getLogger(__name__)

DAY = 86400.0
#: Seconds between two looks for what may be forgotten, and between two writings of the measured seconds.
_FORGET_EVERY, _WRITE_EVERY = 3600.0, 30.0


class Keeper:
    """One :meth:`tick` does what is due, if ``leads`` says that this process is the one to do it."""

    def __init__(  # noqa: PLR0913 - what is kept, and where
        self,
        ledger: Ledger,
        store: Store,
        leveller: Leveller,
        leads: Callable[[], bool],
        retention: Retention,
        durations: Path,
        failures: Path,
    ) -> None:
        self.ledger, self.store, self.leveller, self.leads = ledger, store, leveller, leads
        self.retention, self.durations, self.failures = retention, durations, failures
        self._forget_at = self._write_at = 0.0
        #: Of each profile, the failed runs that are in the file.
        self._written: dict[str, tuple[int, float]] | None = None

    def tick(self) -> None:
        """Turns and deeds each time, the rest when it is due."""
        if not self.leads():
            return
        self.leveller.tick()
        keep_deeds(self.ledger, self.store)
        now = time.monotonic()
        if now >= self._write_at:
            self._write_at = now + _WRITE_EVERY
            names = self.store.profiles()
            write_durations(self.durations, {name: self.store.durations(name) for name in names})
            self._write_failures(names)
        if now >= self._forget_at:
            self._forget_at = now + _FORGET_EVERY
            self._forget(time.time())

    def _write_failures(self, names: list[str]) -> None:
        """Reading what failed means reading up to 200 plans a profile: only after another run failed."""
        seen = {name: self.store.failed_runs(name) for name in names}
        if seen != self._written:
            write_failures(self.failures, {name: self.store.failures(name) for name in names})
            self._written = seen

    def _forget(self, now: float) -> None:
        keep = self.retention
        gone = self.store.forget(
            cases=now - keep.cases_days * DAY, runs=now - keep.runs_days * DAY, audit=now - keep.audit_days * DAY
        )
        if gone.cases or gone.runs or gone.deeds:
            logger.info(
                "history: %d case results, %d runs and %d deeds are forgotten", gone.cases, gone.runs, gone.deeds
            )


def keep_deeds(ledger: Ledger, store: Store) -> int:
    """Move deeds from the ledger into the audit log; one that is moved twice is there once. How many."""
    moved = 0
    while deeds := ledger.deeds():
        store.audit_deeds(
            [(source, AuditEntry(d.at, d.who, d.origin, d.action, d.target, d.result)) for source, d in deeds]
        )
        ledger.deeds_kept([source for source, _ in deeds])
        moved += len(deeds)
    return moved
