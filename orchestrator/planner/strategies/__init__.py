"""Strategies by name. A new one is a class with ``name`` and ``propose``, and a line in :data:`STRATEGIES`."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from orchestrator.domain.errors import UsageError, nearest
from orchestrator.planner.evidence import Strategy
from orchestrator.planner.strategies.rules import Rules
from orchestrator.planner.strategies.safety import Safety

#: Name → how to make it.
STRATEGIES: dict[str, Callable[[], Strategy]] = {"rules": Rules, "safety": Safety}

#: Used when nobody says otherwise.
DEFAULT = ("rules", "safety")


def strategies_named(names: Sequence[str]) -> tuple[Strategy, ...]:
    """The strategies of these names, each once, in this order; an unknown one is a UsageError."""
    for name in names:
        if name not in STRATEGIES:
            raise UsageError(f"unknown strategy {name!r}", nearest(name, STRATEGIES))
    if not names:
        raise UsageError("no strategy is named", f"Known: {', '.join(STRATEGIES)}.")
    return tuple(STRATEGIES[name]() for name in dict.fromkeys(names))
