"""A Go build cache for one run: what a test leaves in it, no other run executes."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path

from orchestrator.domain.errors import InfrastructureError

_COPY_SECONDS = 900.0


def private_cache(home: Path, seed: Path | None) -> Path:
    """The cache in ``home``, the directory of a run's checkout, with which it is removed; made if it is not there.

    It starts as a copy of ``seed``. A link would not do: who writes through a link writes the seed.

    :raises InfrastructureError: the disk is full, the seed cannot be read.
    """
    cache = home / "gocache"
    if cache.is_dir():
        return cache
    try:
        made = Path(tempfile.mkdtemp(prefix="gocache-", dir=home))
        if seed is not None:
            subprocess.run(
                ["cp", "-a", "--reflink=auto", f"{seed}/.", str(made)],
                check=True,
                capture_output=True,
                timeout=_COPY_SECONDS,
            )
        try:
            made.rename(cache)
        except OSError:  # another shard of the run was first
            shutil.rmtree(made, ignore_errors=True)
    except (OSError, subprocess.SubprocessError) as error:
        raise InfrastructureError(f"no build cache can be made in {home}: {error}", "Free space.") from error
    return cache
