"""What the runner tells of each command and script, and who listens."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from workers.bvt.compare import VerdictKind

#: Texts are told up to this many characters; results can be larger than any reader.
SHOWN = 16_000


@dataclass(frozen=True, slots=True)
class CommandResult:
    """How one command ended. ``expected`` is the result file's own text, ``actual`` the answer in full form."""

    path: str
    #: Line of the script where the command ends, 1-based.
    line: int
    sql: str
    verdict: VerdictKind
    seconds: float = 0.0
    reason: str = ""
    expected: str | None = None
    actual: str | None = None
    #: How cells are told apart in a legacy expectation.
    separator: str = "both"
    #: What strict finds wrong; None when strict did not look.
    findings: tuple[str, ...] | None = None

    @property
    def strict(self) -> str | None:
        """PASS or FAILED by the strict comparison; None when it did not look."""
        if self.findings is None:
            return None
        return "FAILED" if self.findings else "PASS"


@dataclass(slots=True)
class ScriptResult:
    """How one script ended."""

    path: str
    seconds: float = 0.0
    total: int = 0
    skipped: bool = False
    #: Whether it ran to its end: not when the run was ended before, by a lost server or a cancel.
    ended: bool = True
    #: Commands by verdict.
    counts: dict[VerdictKind, int] = field(default_factory=dict)
    #: Commands that pass and that strict would fail.
    strict_only: int = 0
    #: Whether method genrs wrote its result file.
    recorded: bool = False
    #: What a person must know: an unreadable directive, a statement that was stopped.
    notes: list[str] = field(default_factory=list)

    def count(self, kind: VerdictKind) -> int:
        """How many commands ended so."""
        return self.counts.get(kind, 0)

    def add(self, result: CommandResult) -> None:
        """Count one command."""
        self.counts[result.verdict] = self.count(result.verdict) + 1
        self.strict_only += result.verdict is VerdictKind.PASS and bool(result.findings)


def success_rate(scripts: Sequence[ScriptResult]) -> int:
    """Whole percent of the commands that were to run and passed, rounded down; 100 when there was none."""
    ran = sum(script.total - script.count(VerdictKind.IGNORED) for script in scripts)
    passed = sum(script.count(VerdictKind.PASS) for script in scripts)
    return passed * 100 // ran if ran else 100


def unfinished(scripts: Sequence[ScriptResult]) -> int:
    """How many did not run to their end; while there is one, a success rate says nothing."""
    return sum(not script.ended for script in scripts)


def outcome(scripts: Sequence[ScriptResult]) -> str:
    """The last words of a run, for people."""
    left = unfinished(scripts)
    return f"{left} did not run to their end" if left else f"success rate {success_rate(scripts)}%"


class Listener(Protocol):
    """Takes results as they come. Calls never overlap."""

    def command(self, result: CommandResult) -> None:
        """A command ended."""
        ...

    def script(self, result: ScriptResult) -> None:
        """A script ended."""
        ...

    def close(self, scripts: Sequence[ScriptResult]) -> None:
        """The run ended; all ``scripts`` in the order they were to run."""
        ...


def shortened(text: str | None, limit: int = SHOWN) -> str | None:
    """``text``, cut after ``limit`` characters with a word on what is missing."""
    if text is None or len(text) <= limit:
        return text
    return f"{text[:limit]}… ({len(text) - limit} more characters)"
