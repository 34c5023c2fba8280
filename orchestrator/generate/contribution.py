"""What somebody else than our own rules brings to a generation: a model's cases and its view of the kinds of test."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from orchestrator.generate.draft import Draft
from orchestrator.generate.inputs import Inputs
from orchestrator.generate.sixkinds import Coverage


@dataclass(frozen=True, slots=True)
class Contribution:
    """Cases, which must pass the gates like any other, and what is thought of the kinds of test."""

    drafts: Sequence[Draft] = ()
    #: What went wrong, in words.
    notes: Sequence[str] = ()
    kinds: Sequence[Coverage] = ()


class Source(Protocol):
    """Somebody else who writes cases: a model."""

    def write(self, inputs: Inputs, key: str) -> Contribution:
        """What it brings for a change. Never raises for what it answers."""
