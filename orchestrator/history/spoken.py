"""In words, what of the SQL that reaches a change a case says."""

from __future__ import annotations

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
    #: What is looked for, the rarest first: its words that tell cases apart, where they are looked for, how it is told.
    _wanted: list[tuple[tuple[str, ...], TextIndex, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        found = []
        for one, words in self.reached:
            index = self.book.results if is_error(one) else self.book.scripts
            telling = tuple(word for word in words if index.rarity(word) > 0)
            if not all(map(index.is_common, telling)):
                worth = max(map(index.rarity, telling)) * 0.5**one.distance
                found.append((-worth, telling, index, _told(one)))
        self._wanted = [(words, index, told) for _, words, index, told in sorted(found, key=lambda row: row[0])[:_MOST]]

    def of(self, number: int) -> str:
        """What a case, by number, says; empty when it says nothing of it."""
        told = []
        for words, index, text in self._wanted:
            document = index.documents.get(number, {})
            if all(word in document for word in words):
                told.append(text)
                if len(told) == _TOLD:
                    break
        return "; ".join(told)


def _told(one: Reached) -> str:
    if is_error(one):
        return f"its result holds the message of {one.name}, which the change {'names' if not one.by else 'can raise'}"
    name = one.name.upper()
    if one.distance:
        return f"its script says {name}, which reaches the change through {one.by}"
    does = "implements" if one.by or one.kind == Kind.OPERATOR.value else "names"
    return f"its script says {name}, which the change {does}"
