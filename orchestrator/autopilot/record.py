"""The record of a flight: what was known and what was decided, a line a step; it can be decided again, offline.

Each line has a seal, the SHA-256 of itself after the seal before; the audit log has them, too.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from orchestrator.autopilot.decide import Decision, decide
from orchestrator.autopilot.facts import Situation
from orchestrator.domain.errors import BadPlanError, UsageError
from orchestrator.domain.plain import from_plain, to_plain
from orchestrator.domain.profile import Autopilot

#: Version of the record. A reader refuses another.
VERSION = 2


@dataclass(frozen=True, slots=True)
class Header:
    """The first line."""

    version: int
    profile: str
    #: What was flown: ``pull request 7``, ``main...topic``.
    subject: str
    policy: Autopilot


@dataclass(frozen=True, slots=True)
class Step:
    """Every further line."""

    number: int
    #: Unix seconds; decides nothing.
    at: float
    situation: Situation
    decision: Decision
    #: The run the decision led to, where it did.
    run: str | None = None
    #: Of a last line that repeats the end: what a model said of it, which decided nothing.
    words: str = ""


class Recorder:
    """Writes a record, a line as it happens, each sealed together with all before it."""

    def __init__(self, path: Path | None, header: Header) -> None:
        self._path = path
        #: Of what was written so far.
        self.seal = ""
        self._write(header, "w")

    def seal_with(self, step: Step) -> str:
        """What :attr:`seal` will be when ``step`` is added."""
        return _sealed(self.seal, to_plain(step))

    def step(self, step: Step) -> None:
        """Add a step."""
        self._write(step, "a")

    def _write(self, value: object, mode: str) -> None:
        row = to_plain(value)
        self.seal = _sealed(self.seal, row)
        if self._path is not None:
            with self._path.open(mode, encoding="utf-8") as file:
                file.write(json.dumps({**row, "seal": self.seal}, ensure_ascii=True) + "\n")


def _sealed(before: str, row: dict[str, Any]) -> str:
    """The seal of a row after those before it: what is changed, left out or put elsewhere shows."""
    text = json.dumps(row, sort_keys=True, ensure_ascii=True)
    return hashlib.sha256(f"{before}\n{text}".encode()).hexdigest()


def read(path: Path) -> tuple[Header, list[Step]]:
    """A record; :class:`UsageError` for what is none, or is no longer what was written."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
        rows = [json.loads(line) for line in lines if line.strip()]
    except (OSError, ValueError, RecursionError) as error:
        raise UsageError(f"{path} is no record: {error}", "Name a file that `autopilot --record` wrote.") from None
    if not rows or not all(isinstance(row, dict) for row in rows) or rows[0].get("version") != VERSION:
        raise UsageError(f"{path} is no record of version {VERSION}", "Record the flight again with this program.")
    _check_seals(path, rows)
    header = from_plain(Header, rows[0], f"{path}:1", BadPlanError)
    return header, [from_plain(Step, row, f"{path}:{number}", BadPlanError) for number, row in enumerate(rows[1:], 2)]


def _check_seals(path: Path, rows: list[dict[str, Any]]) -> None:
    """Take the seals off; one that does not fit ends it."""
    seal = ""
    for number, row in enumerate(rows, 1):
        said = row.pop("seal", None)
        seal = _sealed(seal, row)
        if said != seal:
            raise UsageError(
                f"{path}:{number} was changed after it was written, or a line before it was",
                "The audit log has the seal of each step: `[record …]`. Take the record from where it was written.",
            )


def replay(path: Path) -> Iterator[tuple[Step, Decision]]:
    """Each step with what is decided now, by the policy and from the facts of the record alone."""
    header, steps = read(path)
    for step in steps:
        yield step, decide(step.situation, header.policy)
