"""What a worker's machine offers to the programs it runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from workers.process.model import Limits
from workers.sandbox import Sandbox


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """Made once, at the edge that may read ``os.environ``; given to every suite."""

    #: The worker's whole environment. Programs see only what :func:`workers.process.scrub` lets through.
    environment: Mapping[str, str]
    #: ``None``: run unconfined (no sandbox here, or switched off).
    sandbox: Sandbox | None = None
    #: Where private homes are made; ``None``: the system's temporary directory.
    scratch: Path | None = None
    limits: Limits = field(default_factory=Limits)
