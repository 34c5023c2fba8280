"""What failed lately, as a file: written from the store, read by whoever plans, without a database."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from orchestrator.domain.change import DiffSummary
from orchestrator.domain.errors import UsageError
from orchestrator.history.past import LATEST
from orchestrator.planner.measured import write_shared
from orchestrator.store.api import PastFailure

_VERSION = 1
_DAY = 86_400
#: Days after which a failure counts half; at most so much is made of one.
_HALF_LIFE, _MOST = 30.0, 0.9
#: What a changed file of the same directory counts, beside the same file's 1.
_NEIGHBOUR = 0.3


class Spoken(NamedTuple):
    """What past failures say of a test: a weight between 0 and 1, and why."""

    weight: float
    detail: str


def speak(change: DiffSummary, failures: Iterable[PastFailure]) -> dict[str, Spoken]:
    """Tests that failed when files of this change, or their neighbours, changed; of each the strongest failure.

    Ages count from the change's own time, or else from the newest failure: never from the clock.
    """
    failures = list(failures)
    now = _time(change) if change.head_time else max((one.ended for one in failures), default=0.0)
    own = {file.path for file in change.files}
    found: dict[str, Spoken] = {}
    for one in sorted(failures, key=lambda failure: (failure.ended, failure.run)):
        near, what = _likeness(own, one.files)
        weight = round(_MOST * near * 2.0 ** (-max(0.0, now - one.ended) / (_HALF_LIFE * _DAY)), 4)
        for test in one.tests if weight > 0 else ():
            if test not in found or weight >= found[test].weight:
                day = datetime.fromtimestamp(one.ended, UTC)
                detail = f"run {one.run[:8]} of {day:%Y-%m-%d} changed {what} too, and this failed"
                found[test] = Spoken(weight, detail)
    return found


def _likeness(own: set[str], files: tuple[str, ...]) -> tuple[float, str]:
    """How much of the smaller change the larger one shares, and the file or directory that tells it best."""
    folders = {path.rpartition("/")[0]: path for path in sorted(own)}
    shared = sorted(own & set(files))
    near = sorted({path.rpartition("/")[0] for path in files} & folders.keys())
    if not near:
        return 0.0, ""
    beside = sum(path not in own and path.rpartition("/")[0] in folders for path in files)
    share = (len(shared) + _NEIGHBOUR * min(beside, len(own))) / max(1, min(len(own), len(files)))
    return min(1.0, share), shared[0] if shared else f"a file of {near[0]}"


def _time(change: DiffSummary) -> float:
    return datetime.fromisoformat(change.head_time or "").timestamp()


def write_failures(path: Path, profiles: Mapping[str, Iterable[PastFailure]]) -> None:
    """Replace the file in one step; readers see the old one or the new one."""
    rows = {
        name: [{"run": one.run, "ended": one.ended, "files": one.files, "tests": one.tests} for one in failures]
        for name, failures in profiles.items()
    }
    write_shared(path, {"version": _VERSION, "profiles": rows})


def read_failures(path: Path, profile: str) -> tuple[PastFailure, ...]:
    """The failures of a profile; :class:`UsageError` for what is no such file."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        if data["version"] != _VERSION:
            raise ValueError(f"version {data['version']!r}")
        return tuple(_failure(row) for row in data["profiles"].get(profile, ()))
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}", "Name a file of past failures.") from None
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise UsageError(
            f"{path} is no file of past failures: {error}", "Write it with `mo-testplan stats --failures FILE`."
        ) from None


def _failure(row: Mapping[str, object]) -> PastFailure:
    files, tests, ended = row["files"], row["tests"], float(str(row["ended"]))
    if not isinstance(files, list) or not isinstance(tests, list) or not 0 <= ended < LATEST + 1:
        raise ValueError("a failure is no failure")
    return PastFailure(str(row["run"]), ended, tuple(map(str, files)), tuple(map(str, tests)))
