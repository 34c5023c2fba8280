"""What runs leave in the artifact store of a host, and when it goes: logs and reports, and what they built."""

from __future__ import annotations

import contextlib
import os
import re
import time
from collections.abc import Callable, Collection
from pathlib import Path

from orchestrator.domain.errors import BrokerError
from workers.process import remove_tree

_DAY = 86400.0
#: Seconds between two looks, whoever of the store's workers looks; and that what a run built is kept for its shards.
_EVERY, _BUILT_KEPT = 3600.0, 2 * _DAY
#: A run's id, as :func:`orchestrator.runs.control.new_run_id` makes it: what is called otherwise is not ours to remove.
_RUN = re.compile(r"\d{4}-[0-9a-f]{8}")
_BUILT = re.compile(r"build-[0-9a-f]{64}\.tar")


def prune(artifacts: Path, days: float, live: Callable[[], Collection[str]]) -> None:
    """Remove the folders of runs that began nothing here for so many ``days``, and after two days what they built.

    Runs that are ``live`` keep everything: a shard may have waited that long for a host. While the ledger that knows
    them is away nothing is removed. What cannot go stays, silently.
    """
    now, mark = time.time(), artifacts / "pruned"
    with contextlib.suppress(OSError, BrokerError):
        if mark.exists() and now - mark.stat().st_mtime < _EVERY:
            return
        mark.touch()
        kept = set(live())
        for folder in artifacts.iterdir():
            if not _RUN.fullmatch(folder.name) or folder.name in kept:
                continue
            if not folder.is_symlink() and folder.is_dir():
                with contextlib.suppress(OSError):  # another worker of the store was first
                    _prune_run(folder, now, days * _DAY)


def _prune_run(folder: Path, now: float, keep: float) -> None:
    found = folder.stat()
    if now - found.st_mtime > keep:
        remove_tree(folder)
    elif now - found.st_mtime > _BUILT_KEPT:
        for file in folder.iterdir():
            if _BUILT.fullmatch(file.name):
                file.unlink(missing_ok=True)
        os.utime(folder, ns=(found.st_atime_ns, found.st_mtime_ns))  # that it was tidied makes it no younger
