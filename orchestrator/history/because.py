"""Why a test has its chance, in words: which strategies moved it, and the concrete thing each of them saw."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, NamedTuple

from orchestrator.history.layout import go_package
from orchestrator.history.outlook import Outlook
from orchestrator.history.past import TARGETS
from orchestrator.history.signals import SAID
from orchestrator.history.spoken import SpokenOf
from orchestrator.history.text import TextIndex

#: Kinds of test by the place of their rows and forests, and as signals name them.
KINDS = ("cases", "categories", "packages")


class Because(NamedTuple):
    """One strategy's part in a test's chance: its share of it, and what it saw."""

    strategy: str
    weight: float
    detail: str


@dataclass
class Explainer:
    """Says why, for the tests of one outlook."""

    outlook: Outlook
    #: Of observations, by kind of likeness: which commit it is, in words; what it shares with the change, by channel.
    _commits: dict[tuple[str, int], str] = field(default_factory=dict)
    _common: dict[str, dict[int, dict[str, list[tuple[float, str]]]]] = field(default_factory=dict)
    #: What each case says of the change: in its path, script and result, by number.
    _texts: list[dict[int, list[str]]] = field(init=False)
    _spoken: SpokenOf = field(init=False)
    #: The files of the change by package, in order; and how far away a package is that imports one of these.
    _own: dict[str, list[str]] = field(default_factory=dict)
    _distances: dict[str, int] = field(init=False)
    _moved: dict[tuple[str, str, bool], dict[str, float]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        facts, book = self.outlook.question.facts, self.outlook.book
        self._spoken = SpokenOf(self.outlook.question.reached, book)
        indices = ((book.paths, facts.names, 3), (book.scripts, facts.words, 4), (book.results, facts.strings, 3))
        self._texts = [_said(*one) for one in indices]
        for path in sorted(facts.files):
            self._own.setdefault(go_package(path), []).append(path)
        self._distances = dict(self.outlook.question.importers)

    def expect(self, kind: str, tests: Sequence[str], *, rough: bool = False) -> None:
        """Tests of one of `KINDS` that will be asked about: together they take a fraction of the time."""
        kind_at = KINDS.index(kind)
        decided, attribution = self.outlook.decided[kind_at], self.outlook.ranker.attributions[kind_at]
        moved = attribution.moved(decided.leaves, [decided.places[test] for test in tests], 8 if rough else 1)
        self._moved |= {(kind, test, rough): sums for test, sums in zip(tests, moved, strict=True)}

    def case(self, stem: str, *, rough: bool = False) -> list[Because]:
        """Why a case has its chance; never empty. ``rough`` is eight times as fast, its shares less exact."""
        outlook = self.outlook
        number = outlook.book.numbers[stem]
        seen = {
            "history": self._history("cases", number, "this case"),
            "lexical": self._lexical(number),
            "surface": self._spoken.of(number),
        }
        return self._parts("cases", stem, outlook.cases[stem], seen, rough)

    def category(self, name: str) -> list[Because]:
        """Why a category has its chance; never empty."""
        seen = {
            "history": self._history("categories", name, "cases of it"),
            "lexical": self._best(name, "text_words", self._lexical),
            "surface": self._best(name, "surface_calls", self._spoken.of),
        }
        return self._parts("categories", name, self.outlook.categories[name], seen)

    def package(self, name: str, *, rough: bool = False) -> list[Because]:
        """Why the unit tests of a package have their chance; never empty. ``rough`` as of a case."""
        own = self._own.get(name, [])
        changed = f"{own[0]} and {len(own) - 1} more change" if len(own) > 1 else f"{own[0]} changes" if own else ""
        seen = {
            "changed": changed,
            "history": self._history("packages", name, "its tests"),
            "imports": self._imports(name),
        }
        return self._parts("packages", name, self.outlook.packages[name], seen, rough)

    def _imports(self, package: str) -> str:
        """How near a package is to a changed one that it imports."""
        distance = self._distances.get(package)
        if not distance:
            return ""
        own = [name for name, paths in self._own.items() if any(path.endswith(".go") for path in paths)]
        what = own[0] if len(own) == 1 else f"one of {len(own)} changed packages"
        return f"it imports {what}{', through another package' if distance == 2 else ''}"

    def _parts(self, kind: str, test: str, chance: float, seen: dict[str, str], rough: bool = False) -> list[Because]:
        """Each strategy that saw something, with its share of the chance, the weightiest first."""
        if (kind, test, rough) not in self._moved:
            self.expect(kind, [test], rough=rough)
        moved = self._moved[kind, test, rough]
        up = {name: max(0.0, moved.get(name, 0.0)) for name, detail in seen.items() if detail}
        total = sum(up.values())
        failed = self.outlook.failed.get((kind, test))
        own = [Because("failures", failed[0], failed[1])] if failed else []
        chance = 1 - (1 - chance) / (1 - failed[0]) if failed else chance
        parts = [Because(name, round(chance * by / total, 4) if total else 0.0, seen[name]) for name, by in up.items()]
        told = sorted([*own, *parts], key=lambda part: -part.weight)
        return told or [Because("history", round(chance, 4), _NOTHING)]

    def _history(self, target: str, test: Any, it: str) -> str:  # noqa: ANN401 - a case's number or a name
        """The commit that speaks loudest, and what it shares with the change."""
        for kind in _LIKENESS:
            source = self.outlook.signals.sources[kind, target].get(test)
            if source is not None:
                return f"{self._commit(kind, source)}, and touched {it}"
        return ""

    def _commit(self, kind: str, source: int) -> str:
        """An observation that is told by a kind of likeness."""
        if (kind, source) not in self._commits:
            if kind not in self._common:
                self._common[kind] = self._commonly(kind)
            observed = self.outlook.past.observed[source]
            day = datetime.fromtimestamp(observed.time, UTC)
            said = self._shared(self._common[kind].get(source, {}))
            self._commits[kind, source] = f"commit {observed.sha[:10]} of {day:%Y-%m-%d} {said}"
        return self._commits[kind, source]

    def _commonly(self, kind: str) -> dict[int, dict[str, list[tuple[float, str]]]]:
        """What the observations that are told by a kind of likeness share with the change, by channel."""
        past, signals = self.outlook.past, self.outlook.signals
        before = list(_LIKENESS)[: list(_LIKENESS).index(kind)]
        told = {
            source
            for target in TARGETS
            for test, source in signals.sources[kind, target].items()
            if not any(test in signals.sources[other, target] for other in before)
        }
        shared: dict[int, dict[str, list[tuple[float, str]]]] = {}
        for channel in _LIKENESS[kind]:
            waiting = set(told)
            for rare, token in sorted((-past.rarity(channel, token), token) for token in signals.tokens[channel]):
                for source in waiting.intersection(past.channels[channel].taught(token)):
                    common = shared.setdefault(source, {}).setdefault(channel, [])
                    common.append((-rare, token))
                    if len(common) == _TOLD:
                        waiting.remove(source)
        return shared

    @staticmethod
    def _shared(common: dict[str, list[tuple[float, str]]]) -> str:
        """What a commit shares with the change, of ``common``, the rarest first by channel: of the first channel where
        one tells much, else of the first that has any.
        """
        if not common:
            return ""
        tells = (channel for channel, found in common.items() if found[0][0] >= _TELLING)
        channel = next(tells, next(iter(common)))
        first, *others = common[channel]
        best = [first[1], *(token for rare, token in others if rare >= _TELLING)]
        shown = [token.rpartition("/")[2] if ":" in token else token for token in best]
        return _SHARED.get(channel, "changed {} too").format(" and ".join(shown))

    def _lexical(self, number: int) -> str:
        said = zip(("path", "script", "result"), self._texts, strict=True)
        parts = [f"its {what} says {', '.join(words[number])}" for what, words in said if number in words]
        return f"as the change does, {'; '.join(parts)}" if parts else ""

    def _best(self, category: str, signal: str, of: Callable[[int], str]) -> str:
        """What is said of the case of a category that a signal finds best."""
        scores = self.outlook.signals.cases[signal]
        stems = self.outlook.book.stems
        inside = [
            (value, number) for number, value in scores.items() if stems.get(number, "").startswith(f"{category}/")
        ]
        if not inside:
            return ""
        number = max(inside)[1]
        detail = of(number)
        return f"{stems[number]}: {detail}" if detail else ""


def _said(index: TextIndex, words: dict[str, int], most: int) -> dict[int, list[str]]:
    """The words of the change that each document says and few others do, the heaviest ``most``, by its number."""
    said: dict[int, list[str]] = {}
    for word, _ in index.telling(words):
        if not index.is_common(word) and word not in _FILLERS:
            for number in index.documents_with(word):
                found = said.setdefault(number, [])
                if len(found) < most:
                    found.append(word)
    return said


#: The kinds of likeness a commit is told by, in this order, each by what it shares in these channels.
_LIKENESS = {"near": ("function", "file", "package"), SAID: ("word", "name")}
#: Words of any Go code and any script, which say nothing to a reader.
_FILLERS = {
    "any", "and", "code", "first", "get", "have", "must", "not", "only", "out",
    "should", "still", "str", "than", "that", "this", "two", "when", "with",
}  # fmt: skip
#: So many tokens are told of what a commit shares with the change.
_TOLD = 2
#: Rarity of a token that less than one change in five has.
_TELLING = math.log(5)
#: How what is shared is told, by channel.
_SHARED = {"word": "changed lines that say {} too", "name": "changed code whose names say {} too"}
_NOTHING = "nothing in the past, and no rare word of its text, speaks for it"
