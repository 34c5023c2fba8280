"""Does what the server answered agree with the expectation? mo-tester's verdict, leniencies included."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from orchestrator.cases.expectation import Expectation, ResultSet
from orchestrator.cases.script import Command, Script


class VerdictKind(StrEnum):
    """How one command ended."""

    PASS = "PASS"  # noqa: S105 - a verdict, no password
    FAILED = "FAILED"
    IGNORED = "IGNORED"
    ABNORMAL = "ABNORMAL"


@dataclass(frozen=True, slots=True)
class Verdict:
    """A command's end and, unless it passed, why."""

    kind: VerdictKind
    reason: str = ""


@dataclass(frozen=True, slots=True)
class ServerMessage:
    """An error as the server words it, with its MySQL code and SQLSTATE where known."""

    message: str
    code: int = 0
    sqlstate: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a command gave: nothing (all three None), a result set, or an error.

    ``broken`` says why the fetch of a started result set broke off; ``result`` then holds what came before.
    """

    result: ResultSet | None = None
    error: ServerMessage | None = None
    broken: str | None = None


def compare(command: Command, script: Script, expectation: Expectation, outcome: Outcome, *, metadata: bool) -> Verdict:
    """The verdict of mo-tester; where it would crash, ABNORMAL. ``metadata`` is the run's default (on without nometa)."""
    raise NotImplementedError
