"""Where the ground truth lies that is not part of this repository."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


def shared_dir(*parts: str) -> Path:
    """The folder (or file) ``parts`` of the ground truth; skips the test without it."""
    default = Path(__file__).resolve().parents[1] / ".." / "shared"
    path = Path(os.environ.get("MO_TESTPLAN_SHARED", default)).joinpath(*parts)
    if not path.exists():
        pytest.skip(f"no ground truth at {path}: set MO_TESTPLAN_SHARED to its folder")
    return path
