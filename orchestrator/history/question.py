"""A change as the ranking models are asked about it."""

from __future__ import annotations

from dataclasses import dataclass

from orchestrator.history.facts import Facts
from orchestrator.surface.reach import Reached

#: What SQL reaches a change, each with its words as cases spell them.
Spoken = tuple[tuple[Reached, tuple[str, ...]], ...]


@dataclass(frozen=True, slots=True)
class Question:
    """A change, and what is asked of it."""

    facts: Facts
    #: Seconds since 1970.
    now: int
    #: Categories that the static rules name.
    ruled: frozenset[str] = frozenset()
    #: Packages that import a changed one, each with its distance.
    importers: tuple[tuple[str, int], ...] = ()
    #: What SQL reaches it, nearest first.
    reached: Spoken = ()
