"""The past as an index: which tests moved with which files, functions, packages and words."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

from orchestrator.history.facts import Facts

DAY = 86_400
#: The last second that a calendar can show, since 1970: the end of the year 9999.
LATEST = 253_402_300_799
#: Days after which an observation counts half.
HALF_LIFE = 270.0
#: Words of a change, and of its names, that are kept, the most telling first; likeness is measured by all of them.
_MOST_WORDS = 240
#: So many of them are asked one by one which tests moved with them.
_HEARD = {"word": 80, "name": 80}
#: The kinds of token a change has.
CHANNELS = ("file", "function", "package", "word", "name")
#: The vectors of a change, by the kind of likeness they measure: their channels.
VECTORS = {"near": ("file", "function", "package"), "words": ("word",), "names": ("name",)}
#: What tests are looked for by: cases by number, categories and packages by name.
TARGETS = ("cases", "categories", "packages")
#: A change's tokens by channel.
Tokens = dict[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Observed:
    """A commit that touched tests, as far as it teaches."""

    sha: str
    time: int
    #: Numbers of the cases it modified or added, and their categories.
    cases: tuple[int, ...]
    categories: tuple[str, ...]
    #: Package directories whose tests it changed.
    packages: tuple[str, ...]
    #: Lengths of its token vectors, in the order of `VECTORS`.
    norms: tuple[float, ...]


#: An observation that touched more tests than this speaks less for each.
_FEW = 4


@dataclass(slots=True)
class Columns:
    """What every change asks of all observations, by their numbers: kept, so that none of it is worked out again."""

    times: list[int] = field(default_factory=list)
    #: Lengths of their vectors, by kind of likeness.
    norms: dict[str, list[float]] = field(default_factory=lambda: {name: [] for name in VECTORS})
    #: Of each of `TARGETS`: the tests each touched; what it says of one of them when they are many; which touched any.
    tests: dict[str, list[tuple[Any, ...]]] = field(default_factory=lambda: {target: [] for target in TARGETS})
    crowds: dict[str, list[float]] = field(default_factory=lambda: {target: [] for target in TARGETS})
    touching: dict[str, list[int]] = field(default_factory=lambda: {target: [] for target in TARGETS})

    def add(self, observed: Observed) -> None:
        """Keep what is asked of one more."""
        for target, touched in zip(TARGETS, (observed.cases, observed.categories, observed.packages), strict=True):
            if touched:
                self.touching[target].append(len(self.times))
            self.tests[target].append(touched)
            self.crowds[target].append(1.0 if len(touched) <= _FEW else (_FEW / len(touched)) ** 0.5)
        for lengths, norm in zip(self.norms.values(), observed.norms, strict=True):
            lengths.append(norm)
        self.times.append(observed.time)


@dataclass(slots=True)
class Fading:
    """A sum whose terms lose half of their weight every so many days."""

    value: float = 0.0
    time: int = 0

    def add(self, time: int, half_life: float = HALF_LIFE) -> None:
        """Count something that happened at ``time`` (seconds since 1970)."""
        self.value = self.at(time, half_life) + 1.0
        self.time = max(time, self.time)

    def at(self, time: int, half_life: float = HALF_LIFE) -> float:
        """The sum at a time."""
        return self.value * fade(time - self.time, half_life) if self.value else 0.0


def fade(seconds: float, half_life: float = HALF_LIFE) -> float:
    """The weight that is left after some seconds; 1 for what lies ahead."""
    return math.exp2(-max(0.0, seconds) / (half_life * DAY))


def faded(times: Iterable[int], now: int, half_life: float = HALF_LIFE) -> list[float]:
    """The weight that is left of what happened at each of some times: `fade` of many."""
    exp2, span = math.exp2, half_life * DAY
    return [exp2((time - now) / span) if time < now else 1.0 for time in times]


@dataclass(slots=True)
class Channel:
    """One kind of token: how often each changed, and in which observations it is."""

    seen: dict[str, Fading] = field(default_factory=dict)
    frequency: dict[str, int] = field(default_factory=dict)
    #: By number, in the order of time: where the token is one of those that are asked, and where it is not.
    heard: dict[str, list[int]] = field(default_factory=dict)
    unheard: dict[str, list[int]] = field(default_factory=dict)

    def taught(self, token: str) -> Iterable[int]:
        """All observations that a token is in."""
        return chain(self.heard.get(token, ()), self.unheard.get(token, ()))


@dataclass(slots=True)
class Past:
    """Everything learned, in the order of time."""

    observed: list[Observed] = field(default_factory=list)
    columns: Columns = field(default_factory=Columns)
    channels: dict[str, Channel] = field(default_factory=lambda: {name: Channel() for name in CHANNELS})
    #: Changes of production files, tests or not.
    changes: int = 0
    #: How often a case, and a category, was touched, fading; and when a case last was.
    case_touches: dict[int, Fading] = field(default_factory=dict)
    category_touches: dict[str, Fading] = field(default_factory=dict)

    def tokens(self, facts: Facts) -> Tokens:
        """A change's tokens by channel; of its words the most telling."""
        packages = dict.fromkeys(path.rpartition("/")[0] for path in facts.files)
        return {
            "file": facts.files,
            "function": facts.functions,
            "package": tuple(packages),
            "word": self._telling("word", facts.words),
            "name": self._telling("name", facts.names),
        }

    def asked(self, channel: str, tokens: Tokens) -> tuple[str, ...]:
        """The tokens of a channel that are asked one by one which tests moved with them."""
        return tokens[channel][: _HEARD.get(channel)]

    def rarity(self, channel: str, token: str) -> float:
        """Inverse frequency of a token among all changes, a logarithm."""
        return math.log((self.changes + 1) / (self.channels[channel].frequency.get(token, 0) + 1))

    def norms(self, tokens: Tokens) -> tuple[float, ...]:
        """Lengths of a change's vectors, in the order of `VECTORS`; an empty one has 1."""
        return tuple(
            math.sqrt(sum(self.rarity(name, token) ** 2 for name in channels for token in tokens[name])) or 1.0
            for channels in VECTORS.values()
        )

    def touch(self, time: int, cases: Sequence[int], categories: Sequence[str]) -> None:
        """Count that cases were touched, whatever came with them."""
        for case in cases:
            self.case_touches.setdefault(case, Fading()).add(time)
        for category in categories:
            self.category_touches.setdefault(category, Fading()).add(time)

    def learn(self, time: int, facts: Facts, tokens: Tokens) -> None:
        """Count a change of production files, whose ``tokens`` were found before it is counted."""
        for name, found in tokens.items():
            channel = self.channels[name]
            for token in self.asked(name, tokens):
                channel.seen.setdefault(token, Fading()).add(time)
            for token in {"word": facts.words, "name": facts.names}.get(name, found):
                channel.frequency[token] = channel.frequency.get(token, 0) + 1
        self.changes += 1

    def remember(self, observed: Observed, tokens: Tokens) -> None:
        """Keep what a commit teaches; the index of its tokens points to it."""
        number = len(self.observed)
        self.keep(observed)
        for name, channel in self.channels.items():
            asked = self.asked(name, tokens)
            for token in asked:
                channel.heard.setdefault(token, []).append(number)
            for token in tokens[name][len(asked) :]:
                channel.unheard.setdefault(token, []).append(number)

    def keep(self, observed: Observed) -> None:
        """Keep an observation that the index of tokens points to already."""
        self.observed.append(observed)
        self.columns.add(observed)

    def _telling(self, channel: str, words: dict[str, int]) -> tuple[str, ...]:
        weighed = sorted((-self.rarity(channel, word) * (1 + math.log(count)), word) for word, count in words.items())
        return tuple(word for _, word in weighed[:_MOST_WORDS])
