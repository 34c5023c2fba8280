"""The ranking models as `plan` uses them: three forests and two thresholds."""

from __future__ import annotations

from dataclasses import dataclass

from orchestrator.history.forest import Forest


@dataclass(frozen=True, slots=True)
class Ranker:
    """How far to trust each signal, learned."""

    cases: Forest
    categories: Forest
    packages: Forest
    #: Taken is a category whose chance is at least this, times its share of all statements to the power `SELECT_POWER`.
    category_price: float
    #: Taken is a package with at least this chance.
    package_floor: float
    #: Commits it was trained on.
    examples: int = 0


#: How much cost weighs against chance, in the order of cases, and in what categories to take.
ORDER_POWER, SELECT_POWER = 0.6, 0.85
#: Smallest share of all statements that is told from none.
_LEAST = 1e-5


def worth(chance: float, share: float, power: float) -> float:
    """A chance for its cost: chance over the share of all statements to a power."""
    return chance / max(share, _LEAST) ** power  # type: ignore[no-any-return]
