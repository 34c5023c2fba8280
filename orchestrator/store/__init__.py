"""The durable history in SQL: runs, tasks, case results, the outbox and the audit log.

The types cost nothing to import; :class:`Store` brings SQLAlchemy along the moment it is first named.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from orchestrator.store.api import (
    AuditEntry,
    DayLoad,
    DueMessage,
    FlakyCase,
    OutboxEntry,
    OutboxMessage,
    OutboxState,
    PrCost,
    RunRecord,
    SlowTask,
    StoredCase,
)

if TYPE_CHECKING:
    from orchestrator.store.store import Store

__all__ = [
    "AuditEntry",
    "DayLoad",
    "DueMessage",
    "FlakyCase",
    "OutboxEntry",
    "OutboxMessage",
    "OutboxState",
    "PrCost",
    "RunRecord",
    "SlowTask",
    "Store",
    "StoredCase",
]


def __getattr__(name: str) -> Any:  # noqa: ANN401 - the protocol of module attributes
    if name == "Store":
        from orchestrator.store.store import Store

        return Store
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
