"""The ranking models as `plan` uses them: three forests and two thresholds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from orchestrator.history.features import strategy_of
from orchestrator.history.forest import Attribution, Forest


@dataclass(frozen=True)
class Ranker:
    """How far to trust each signal, learned."""

    cases: Forest
    categories: Forest
    packages: Forest
    #: Taken is a category whose `worths` are at least this.
    category_price: float
    #: Taken is a package with at least this chance.
    package_floor: float
    #: Commits it was trained on.
    examples: int = 0

    @cached_property
    def attributions(self) -> tuple[Attribution, ...]:
        """What strategies add to the chances of cases, categories and packages."""
        return tuple(Attribution(forest, strategy_of) for forest in (self.cases, self.categories, self.packages))


#: How much cost weighs against chance: in the order of cases, in that of categories, and in what categories to take.
ORDER_POWER, RANK_POWER, SELECT_POWER = 0.6, 0.75, 0.95
#: Smallest share of all statements that is told from none.
_LEAST = 1e-5


#: The weight of how many categories a change may concern: the more, the less each is worth. It also keeps what is spent
#: near what is meant to be when later changes are wider than those learned from.
_CROWD_POWER, _LEAST_CROWD = 0.75, 0.05


#: The part of a category's own forest in its chance.
_OWN_PART = 0.7


def mixed(of_category: float, any_case: float) -> float:
    """One chance of a category from two: its own forest's, and that of any of its cases (a weighted geometric mean)."""
    return of_category**_OWN_PART * any_case ** (1 - _OWN_PART)  # type: ignore[no-any-return]


def worths(chances: Sequence[float], shares: Sequence[float]) -> list[float]:
    """What a change's categories are worth: chance for cost, over what all of them together promise.

    Where little is likely each hit is much of all there is to find; where much is likely it is one of many.
    """
    crowd = max(sum(chances), _LEAST_CROWD) ** _CROWD_POWER
    return [worth(chance, share, SELECT_POWER) / crowd for chance, share in zip(chances, shares, strict=True)]


def worth(chance: float, share: float, power: float) -> float:
    """A chance for its cost: chance over the share of all statements to a power."""
    return chance / max(share, _LEAST) ** power  # type: ignore[no-any-return]
