"""Waiting for what comes true by itself, and how long that took."""

from __future__ import annotations

import time
from collections.abc import Callable

from orchestrator.domain.errors import BrokerError


def seconds_until(
    holds: Callable[[], object], what: str, *, began: float | None = None, patience: float = 180.0
) -> float:
    """Seconds from ``began``, or from now, until ``holds``; while the broker is away nothing does.

    :raises TimeoutError: it does not within ``patience`` seconds.
    """
    began = time.monotonic() if began is None else began
    while not _asked(holds):
        if time.monotonic() - began > patience:
            raise TimeoutError(f"never: {what}")
        time.sleep(0.02)
    return time.monotonic() - began


def _asked(holds: Callable[[], object]) -> object:
    try:
        return holds()
    except BrokerError:
        return False
