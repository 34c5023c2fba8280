"""What past changes added to the case tree: the best hint at what a change like them should add."""

from __future__ import annotations

import math
import re
from collections import Counter
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

    def is_special(self, aspect: str) -> bool:
        """Whether fewer than one in a hundred changes exercise an aspect."""
        return self.aspect_frequency[aspect] < _EVERYDAY * max(1, len(self.changes))

    def near(self, wanted: frozenset[str], count: int) -> list[tuple[float, PastChange]]:
        """The past changes most like one with these traits, with a likeness of 0 to 1, best first."""
        total = len(self.changes) + 1
        weight = {
            trait: math.log(total / (self.trait_frequency[trait] + 0.5))
            for trait in sorted(wanted)
            if self.trait_frequency[trait]
        }
        norm = sum(weight.values()) or 1.0
        scored = []
        for change, own in zip(self.changes, self._traits, strict=True):
            score = math.fsum(weight[trait] for trait in own & weight.keys())  # the same in any order
            if score:
                scored.append((score / (norm + 0.3 * len(own)), change))
        scored.sort(key=lambda one: (-one[0], one[1].commit))
        return scored[:count]
