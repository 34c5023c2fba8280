"""The store: one object over one database."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from orchestrator.store import scheme
from orchestrator.store.audit import Audit
from orchestrator.store.cases import Cases
from orchestrator.store.failures import Failures
from orchestrator.store.outbox import Outbox
from orchestrator.store.quarantine import Quarantines
from orchestrator.store.retention import Retention
from orchestrator.store.runs import Runs
from orchestrator.store.statistics import Statistics


class Store(Runs, Cases, Failures, Outbox, Audit, Statistics, Retention, Quarantines):
    """History, outbox and audit log at a SQLAlchemy URL.

    ``sqlite:///FILE`` (write-ahead log, so readers never wait), ``sqlite://`` (in memory, for tests) or
    ``postgresql://USER:PASSWORD@HOST/DATABASE``. An empty database is laid out; one of a newer scheme is refused.
    Every trouble with the database is an :class:`~orchestrator.domain.errors.InfrastructureError` naming the remedy.
    Safe to use from several threads and processes.
    """

    def __init__(self, url: str, busy_timeout: float = 10.0) -> None:
        super().__init__(url, busy_timeout)
        try:
            scheme.ensure(self)
        except BaseException:
            self.close()
            raise

    def check_writable(self) -> None:
        """Raise where it can be read only: what keeps runs must know before there are any."""
        scheme.check_writable(self)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
