"""A history model's reasons as a plan's reasons."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from orchestrator.domain.plan import Priority, Reason

if TYPE_CHECKING:
    from orchestrator.history.because import Because

#: Chances from which a test is urgent, and from which it matters.
_HIGH, _MEDIUM = 0.5, 0.1


def as_reasons(parts: Iterable[Because], test: str | None = None) -> tuple[Reason, ...]:
    """Parts of a chance as reasons; ``test`` is the file of a task that they speak for."""
    return tuple(Reason(part.strategy, part.weight, part.detail, test) for part in parts)


def priority_of(chance: float) -> Priority:
    """How urgent a test of a chance is."""
    return Priority.HIGH if chance >= _HIGH else Priority.MEDIUM if chance >= _MEDIUM else Priority.LOW
