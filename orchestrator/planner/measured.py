"""Measured seconds as a file: written by the control process, read by whoever plans, without a database."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from orchestrator.domain.errors import UsageError

_VERSION = 1


@dataclass(frozen=True, slots=True)
class Measured:
    """Unit → seconds: a task's id, the path of a BVT script or of Python tests, or ``setup:`` and a suite's queue."""

    seconds: Mapping[str, float] = field(default_factory=dict)

    def task(self, task_id: str, scripts: tuple[str, ...] = ()) -> float | None:
        """Seconds of a task; with ``scripts`` (paths in the tree) of these alone, the unknown ones at their mean."""
        if not scripts:
            return self.seconds.get(task_id)
        known = [self.seconds[script] for script in scripts if script in self.seconds]
        return sum(known) * len(scripts) / len(known) if known else None

    def setup(self, queue: str) -> float | None:
        """Seconds before the first task of a shard of that suite starts."""
        return self.seconds.get(f"setup:{queue}")


def write_durations(path: Path, profiles: Mapping[str, Mapping[str, float]]) -> None:
    """Replace the file in one step; readers see the old one or the new one."""
    write_shared(path, {"version": _VERSION, "profiles": profiles})


def write_shared(path: Path, data: Mapping[str, object]) -> None:
    """Write JSON that other users may read; readers see the old file or the new one, and a full disk keeps nothing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        written = Path(folder, path.name)
        written.write_text(json.dumps(data, indent=1, sort_keys=True), encoding="utf-8")
        written.chmod(0o644)  # CI reads what control wrote
        written.replace(path)


def read_durations(path: Path, profile: str) -> Measured:
    """What the file says of a profile; :class:`UsageError` for what is no such file."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        if data["version"] != _VERSION:
            raise ValueError(f"version {data['version']!r}")
        rows = data["profiles"].get(profile, {})
        seconds = {str(unit): float(value) for unit, value in rows.items()}
        if not all(0 <= value < 1e9 for value in seconds.values()):
            raise ValueError("seconds are out of bounds")
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}", "Name a file of measured seconds.") from None
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError) as error:
        raise UsageError(
            f"{path} is no file of measured seconds: {error}", "Write it with `mo-testplan stats --durations FILE`."
        ) from None
    return Measured(seconds)
