"""Strategies by name, imported when they are asked for.

A new one is a module with a class that has ``name`` and ``propose``, and a line in :data:`STRATEGIES`.
"""

from __future__ import annotations

import importlib
from collections.abc import Sequence

from orchestrator.domain.errors import UsageError, nearest
from orchestrator.planner.evidence import Strategy

#: Name → module below this package, and its class.
STRATEGIES: dict[str, tuple[str, str]] = {
    "rules": ("rules", "Rules"),
    "safety": ("safety", "Safety"),
    "history": ("history", "History"),
    "lexical": ("history", "Lexical"),
    "surface": ("history", "Surface"),
    "imports": ("history", "Imports"),
    "changed": ("history", "Changed"),
    "python": ("python", "Python"),
    "failures": ("failures", "Failures"),
}

#: Used when nobody says otherwise; without a history model, and with one.
DEFAULT = ("rules", "safety", "python")
OF_MODEL = ("history", "lexical", "surface", "imports", "changed")
WITH_MODEL = (*DEFAULT, *OF_MODEL)


def strategies_named(names: Sequence[str]) -> tuple[Strategy, ...]:
    """The strategies of these names, each once, in this order; an unknown one is a UsageError."""
    for name in names:
        if name not in STRATEGIES:
            raise UsageError(f"unknown strategy {name!r}", nearest(name, STRATEGIES))
    if not names:
        raise UsageError("no strategy is named", f"Known: {', '.join(STRATEGIES)}.")
    return tuple(_make(*STRATEGIES[name]) for name in dict.fromkeys(names))


def _make(module: str, kind: str) -> Strategy:
    made: Strategy = getattr(importlib.import_module(f"{__name__}.{module}"), kind)()
    return made
