"""Where the sources are: benchmarks also run without an installation."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
