"""Waiting for what comes true by itself."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

Found = TypeVar("Found")


def until(holds: Callable[[], Found], what: str = "what the test waits for", *, seconds: float = 120.0) -> Found:
    """Ask until ``holds`` answers with something true, which is returned; fail naming ``what`` when it never does.

    The patience is that of a loaded machine: how soon things happen is measured in ``benchmarks``, not tested.
    """
    deadline, pause = time.monotonic() + seconds, 0.01
    while not (found := holds()):
        assert time.monotonic() < deadline, f"never: {what}"
        time.sleep(pause)
        pause = min(0.2, pause * 1.2)  # asking costs what is waited for its time
    return found
