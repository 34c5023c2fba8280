"""Where the ground truth lies that is not part of this repository."""

from __future__ import annotations

from pathlib import Path

from tests.require import SHARED, lacks


def shared_dir(*parts: str) -> Path:
    """The folder (or file) ``parts`` of the ground truth; skips the test without it."""
    path = SHARED.joinpath(*parts)
    if not path.exists():
        lacks("shared", f"no ground truth at {path}: set MO_TESTPLAN_SHARED to its folder")
    return path
