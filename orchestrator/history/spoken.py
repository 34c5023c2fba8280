"""In words, what of the SQL that reaches a change a case says."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from orchestrator.history.casebook import Casebook
from orchestrator.history.question import Spoken
from orchestrator.history.surface import is_error
from orchestrator.history.text import TextIndex
from orchestrator.surface.model import Kind
from orchestrator.surface.reach import Reached

#: So many of the rarest are looked for, and so many told.
_MOST, _TOLD = 40, 2


@dataclass
class SpokenOf:
    """Looks for what reaches a change in the texts of cases."""

    reached: Spoken
    book: Casebook
    #: What each case says, the rarest first, by number.
    _said: dict[int, list[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        found = []
        for one, words in self.reached:
            index = self.book.results if is_error(one) else self.book.scripts
            telling = tuple(word for word in words if index.rarity(word) > 0)
            if not all(map(index.is_common, telling)):
                worth = max(map(index.rarity, telling)) * 0.5**one.distance
                found.append((-worth, telling, index, _told(one)))
        for _, words, index, told in sorted(found, key=lambda row: row[0])[:_MOST]:
            for number in _with_all(index, words):
                said = self._said.setdefault(number, [])
                if len(said) < _TOLD:
                    said.append(told)

    def of(self, number: int) -> str:
        """What a case, by number, says; empty when it says nothing of it."""
        return "; ".join(self._said.get(number, ()))


def _with_all(index: TextIndex, words: Iterable[str]) -> Iterable[int]:
    """The documents that have all of some words."""
    rarest, *others = sorted(map(index.documents_with, words), key=len)
    return [number for number in rarest if all(number in other for other in others)]


def _told(one: Reached) -> str:
    if is_error(one):
        return f"its result holds the message of {one.name}, which the change {'names' if not one.by else 'can raise'}"
    name = one.name.upper()
    if one.distance:
        return f"its script says {name}, which reaches the change through {one.by}"
    does = "implements" if one.by or one.kind == Kind.OPERATOR.value else "names"
    return f"its script says {name}, which the change {does}"
