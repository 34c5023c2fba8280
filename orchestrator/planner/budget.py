"""A budget for SQL cases: a share of all statements, or a time."""

from __future__ import annotations

import re
from dataclasses import dataclass

from orchestrator.domain.errors import UsageError

_FORM = re.compile(r"(\d{1,6}(?:\.\d{1,3})?)(%|s|min|h)")
_SECONDS = {"s": 1.0, "min": 60.0, "h": 3600.0}


@dataclass(frozen=True, slots=True)
class Budget:
    """What may be spent: a share of all statements between 0 and 1, or seconds."""

    text: str
    share: float | None = None
    seconds: float | None = None

    def statements(self, total: int, seconds_per_statement: float) -> float:
        """How many statements of ``total`` it buys; by estimate until durations are known."""
        if self.share is not None:
            return self.share * total
        return (self.seconds or 0.0) / max(seconds_per_statement, 1e-9)


def parse_budget(text: str) -> Budget:
    """``10%``, ``90s``, ``30min``, ``1.5h``; anything else is a UsageError."""
    match = _FORM.fullmatch(text.strip())
    if match is None:
        raise UsageError(f"{text!r} is no budget", "Write a share of all statements (10%) or a time (90s, 30min, 1h).")
    amount = float(match[1])
    if match[2] != "%":
        return Budget(text.strip(), seconds=amount * _SECONDS[match[2]])
    if amount > 100:
        raise UsageError(f"a budget of {text} is more than everything", "Write at most 100%.")
    return Budget(text.strip(), share=amount / 100)
