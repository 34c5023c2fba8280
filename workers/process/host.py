"""What a worker's machine offers to the programs it runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from workers.process.model import Limits
from workers.sandbox import Confinement


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """Made once, at the edge that may read ``os.environ``; given to every suite."""

    #: The worker's whole environment. Programs see only what :func:`workers.process.scrub` lets through.
    environment: Mapping[str, str]
    #: ``None``: run unconfined (no sandbox here, or switched off).
    sandbox: Confinement | None = None
    #: Where private homes are made; ``None``: the system's temporary directory.
    scratch: Path | None = None
    limits: Limits = field(default_factory=Limits)
    #: Whether each run has a Go build cache of its own: a test could leave something in a shared one for others to run.
    private_caches: bool = False
    #: What a run's own cache starts as: a copy of this one, which only the operator writes.
    cache_seed: Path | None = None
