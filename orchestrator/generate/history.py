"""What past changes added to the case tree: the best hint at what a change like them should add."""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from posixpath import dirname


@dataclass(frozen=True, slots=True)
class PastChange:
    """A commit that brought cases."""

    commit: str
    title: str
    #: Changed paths outside of tests.
    paths: tuple[str, ...]
    #: Aspects of the statements that it added.
    aspects: frozenset[str]


#: An aspect of more changes than this share of all is everyday.
_EVERYDAY = 0.01
#: Special aspects that every change is taken to have besides its own, and changes that doubt what few of them say.
_SMALLEST, _DOUBT = 2.0, 3.0
_WORD = re.compile(r"[a-z_][a-z0-9_]{2,}")


def traits(title: str, paths: Iterable[str]) -> frozenset[str]:
    """What a change is recognized by: words of its title, its files, their folders and the words in their names."""
    found = {f"title {word}" for word in _WORD.findall(title.lower())}
    for path in paths:
        found.add(f"file {path}")
        found.add(f"folder {dirname(path)}")
        found |= {f"title {word}" for word in _WORD.findall(path.rpartition("/")[2].lower().replace("_", " "))}
    return frozenset(found)


class Past:
    """Past changes by their traits."""

    def __init__(self, changes: Iterable[PastChange]) -> None:
        self.changes = tuple(changes)
        self._traits = [traits(one.title, one.paths) for one in self.changes]
        self.trait_frequency = Counter(trait for each in self._traits for trait in each)
        self.aspect_frequency = Counter(aspect for one in self.changes for aspect in one.aspects)
        self._age = {one.commit: at / len(self.changes) for at, one in enumerate(self.changes, 1)}
        self._telling = self._told()
        self._by_aspect: dict[str, list[int]] | None = None

    def is_special(self, aspect: str) -> bool:
        """Whether fewer than one in a hundred changes exercise an aspect."""
        return self.aspect_frequency[aspect] < _EVERYDAY * max(1, len(self.changes))

    def telling(self, aspect: str) -> float:
        """How much of the point of a change an aspect tends to be, 1 on average.

        An aspect that comes in changes with few special ones is their point; one that comes in crowds is scenery.
        """
        return self._telling.get(aspect, 1.0)

    def _told(self) -> dict[str, float]:
        alone: dict[str, float] = defaultdict(float)
        shares = []
        for one in self.changes:
            special = sum(self.is_special(aspect) for aspect in one.aspects)
            shares.append(1 / (special + _SMALLEST))
            for aspect in one.aspects:
                alone[aspect] += shares[-1]
        mean = sum(shares) / max(1, len(shares))
        return {
            aspect: (total + _DOUBT * mean) / ((self.aspect_frequency[aspect] + _DOUBT) * mean)
            for aspect, total in alone.items()
        }

    def age(self, change: PastChange) -> float:
        """How recent a change is among those that are known: 0 to 1, the newest is 1."""
        return self._age[change.commit]

    def together(self, aspect: str) -> Counter[str]:
        """In how many changes others come with an aspect."""
        if self._by_aspect is None:
            self._by_aspect = defaultdict(list)
            for at, one in enumerate(self.changes):
                for each in one.aspects:
                    self._by_aspect[each].append(at)
        return Counter(other for at in self._by_aspect.get(aspect, ()) for other in self.changes[at].aspects)

    def near(self, wanted: frozenset[str], count: int) -> list[tuple[float, PastChange]]:
        """The past changes most like one with these traits, with a likeness of 0 to 1, best first."""
        total = len(self.changes) + 1
        weight = {
            trait: math.log(total / (self.trait_frequency[trait] + 0.5))
            for trait in wanted
            if self.trait_frequency[trait]
        }
        norm = sum(weight.values()) or 1.0
        scored = []
        for change, own in zip(self.changes, self._traits, strict=True):
            score = sum(weight[trait] for trait in own & weight.keys())
            if score:
                scored.append((score / (norm + 0.3 * len(own)), change))
        scored.sort(key=lambda one: (-one[0], one[1].commit))
        return scored[:count]
