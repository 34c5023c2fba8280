"""Rank: the evidence for each test added up, the most urgent test first."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from orchestrator.domain.plan import Priority, Reason, Suite
from orchestrator.planner.estimate import seconds
from orchestrator.planner.evidence import ASKED, Context, Evidence

_ID_PREFIX = {Suite.UNIT_TEST: "ut", Suite.BVT: "bvt", Suite.SCA: "sca"}


def task_id(suite: Suite, name: str) -> str:
    """The readable, stable id of a test: ``ut:pkg/sql/plan/...``, ``bvt:join``, ``sca:go-vet``."""
    return f"{_ID_PREFIX[suite]}:{name}"


@dataclass(frozen=True, slots=True)
class Candidate:
    """A test with all evidence for it."""

    suite: Suite
    name: str
    #: Chance that at least one reason is right, were the weights chances and independent.
    score: float
    priority: Priority
    reasons: tuple[Reason, ...]
    files: tuple[str, ...] = ()
    note: str | None = None
    seconds: float = 0.0

    @property
    def id(self) -> str:
        """The id of the task it becomes."""
        return task_id(self.suite, self.name)

    @property
    def asked(self) -> bool:
        """Whether a person wants it."""
        return any(reason.strategy == ASKED for reason in self.reasons)

    def __str__(self) -> str:
        return f"{self.priority.name.lower():<8} {self.score:.2f} {self.seconds:7.1f} s  {self.id}"


@dataclass(frozen=True, slots=True)
class Ranked:
    """Every test that any strategy spoke for, best first."""

    candidates: tuple[Candidate, ...]

    def __str__(self) -> str:
        return "\n".join(map(str, self.candidates))


def rank(evidence: Iterable[Evidence], context: Context) -> Ranked:
    """One candidate a test: the best priority, all reasons, and the files any evidence asks for (none: all)."""
    by_test: dict[tuple[Suite, str], list[Evidence]] = {}
    for piece in evidence:
        by_test.setdefault((piece.suite, piece.name), []).append(piece)
    candidates = [_candidate(suite, name, pieces, context) for (suite, name), pieces in by_test.items()]
    return Ranked(tuple(sorted(candidates, key=order)))


def order(candidate: Candidate) -> tuple[int, float, str]:
    """The most urgent first, then the best score."""
    return candidate.priority, -candidate.score, candidate.id


def _candidate(suite: Suite, name: str, pieces: list[Evidence], context: Context) -> Candidate:
    doubt = 1.0
    for piece in pieces:
        doubt *= 1.0 - piece.weight
    whole = any(not piece.files for piece in pieces)
    files = () if whole else tuple(sorted({file for piece in pieces for file in piece.files}))
    return Candidate(
        suite=suite,
        name=name,
        score=round(1.0 - doubt, 4),
        priority=min(piece.priority for piece in pieces),
        reasons=tuple(map(_reason, pieces)),
        files=files,
        note="; ".join(dict.fromkeys(piece.note for piece in pieces if piece.note)) or None,
        seconds=seconds(suite, name, files, context),
    )


def _reason(piece: Evidence) -> Reason:
    single = piece.suite is Suite.UNIT_TEST and len(piece.files) == 1
    return Reason(piece.strategy, piece.weight, piece.detail, piece.files[0] if single else None)
