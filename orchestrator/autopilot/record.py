"""The record of a flight: what was known and what was decided, a line a step; it can be decided again, offline."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from orchestrator.autopilot.decide import Decision, decide
from orchestrator.autopilot.facts import Situation
from orchestrator.domain.errors import BadPlanError, UsageError
from orchestrator.domain.plain import from_plain, to_plain
from orchestrator.domain.profile import Autopilot

#: Version of the record. A reader refuses another.
VERSION = 1


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
    #: What a model said of the last decision; it decided nothing.
    words: str = ""


class Recorder:
    """Writes a record, a line as it happens."""

    def __init__(self, path: Path | None, header: Header) -> None:
        self._path = path
        self._write(header, "w")

    def step(self, step: Step) -> None:
        """Add a step."""
        self._write(step, "a")

    def _write(self, value: object, mode: str) -> None:
        if self._path is not None:
            with self._path.open(mode, encoding="utf-8") as file:
                file.write(json.dumps(to_plain(value), ensure_ascii=True) + "\n")


def read(path: Path) -> tuple[Header, list[Step]]:
    """A record; :class:`UsageError` for what is none."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
        rows = [json.loads(line) for line in lines if line.strip()]
    except (OSError, ValueError) as error:
        raise UsageError(f"{path} is no record: {error}", "Name a file that `autopilot --record` wrote.") from None
    if not rows or not isinstance(rows[0], dict) or rows[0].get("version") != VERSION:
        raise UsageError(f"{path} is no record of version {VERSION}", "Record the flight again with this program.")
    header = from_plain(Header, rows[0], f"{path}:1", BadPlanError)
    return header, [from_plain(Step, row, f"{path}:{number}", BadPlanError) for number, row in enumerate(rows[1:], 2)]


def replay(path: Path) -> Iterator[tuple[Step, Decision]]:
    """Each step with what is decided now, by the policy and from the facts of the record alone."""
    header, steps = read(path)
    for step in steps:
        yield step, decide(step.situation, header.policy)
