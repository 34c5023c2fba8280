"""Who serves which queue: said before people wait in vain."""

from __future__ import annotations

from collections.abc import Collection

from orchestrator.messaging import App, broker_reported


def served(app: App, timeout: float = 1.0) -> dict[str, list[str]]:
    """Queue name → names of the workers that consume it, as they answer within ``timeout`` seconds."""
    with broker_reported():
        answers = app.control.inspect(timeout=timeout).active_queues() or {}
    queues: dict[str, list[str]] = {}
    for worker, rows in answers.items():
        for row in rows:
            queues.setdefault(row["name"], []).append(worker)
    return queues


def unserved(app: App, queues: Collection[str]) -> list[str]:
    """Those of ``queues`` that no worker consumes."""
    known = served(app)
    return sorted(queue for queue in queues if queue not in known)
