"""What the past and the text say of each test for one change: named signals, each a number a test."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import Any

from orchestrator.history.casebook import Casebook
from orchestrator.history.facts import Facts
from orchestrator.history.past import CHANNELS, TARGETS, VECTORS, Columns, Fading, Past, Tokens, faded
from orchestrator.history.question import Question
from orchestrator.history.surface import surface_signals

#: Days after which what happened lately counts half.
_LATELY = 45.0
#: The likeness of what is said: the mean of that of words and that of names.
SAID, _SPOKEN = "said", ("words", "names")
#: The kinds of likeness that tests are told by.
LIKE = ("near", "words", SAID)

#: A number for each test that has one: cases by number, categories and packages by name.
Scores = dict[Any, float]
#: Scores by the name of the signal.
Named = dict[str, Scores]


@dataclass(slots=True)
class Signals:
    """All signals of one change; of `TARGETS` each."""

    cases: Named = field(default_factory=dict)
    categories: Named = field(default_factory=dict)
    packages: Named = field(default_factory=dict)
    #: The tokens they come from, and how alike each observation is, by kind of likeness.
    tokens: Tokens = field(default_factory=dict)
    alike: dict[str, dict[int, float]] = field(default_factory=dict)
    #: The observation that speaks loudest for each test, by kind of likeness and target.
    sources: dict[tuple[str, str], dict[Any, int]] = field(default_factory=dict)

    def of(self, target: str) -> Named:
        """The signals of one of `TARGETS`."""
        named: Named = getattr(self, target)
        return named


@dataclass(frozen=True, slots=True)
class _Told:
    """The observations at one time: what is left of each, in the long run and of what happened lately."""

    columns: Columns
    fading: list[float]
    lately: list[float]


def read_signals(past: Past, book: Casebook, question: Question, targets: Collection[str] = TARGETS) -> Signals:
    """The signals of a change, of each of some `TARGETS`."""
    facts, now = question.facts, question.now
    signals = Signals(tokens=past.tokens(facts))
    times = past.columns.times
    told = _Told(past.columns, faded(times, now), faded(times, now, _LATELY))
    for channel in CHANNELS:
        _cochange(past, told, channel, signals, now, targets)
    signals.alike = _alike(past, signals.tokens)
    for name in LIKE:
        for target in targets:
            signals.sources[name, target] = _spread(told, name, signals.alike[name], signals.of(target), target)
    if "cases" in targets:
        _text(book, facts, signals.cases)
        signals.cases |= surface_signals(book, question.reached)
    return signals


@dataclass(slots=True)
class _Heard:
    """What the tokens of one channel say of each test, together."""

    #: The chance of the best token; that none of them is right; and sums by rarity, the second over the commits alone
    #: that touched any test.
    best: Scores = field(default_factory=dict)
    none: Scores = field(default_factory=dict)
    mean: Scores = field(default_factory=dict)
    given: Scores = field(default_factory=dict)

    def add(self, sums: Scores, seen: float, known: float, rarity: float) -> None:
        """One token more: how often each test moved with it, of how often it changed, and came with tests."""
        best, none, mean, given = self.best, self.none, self.mean, self.given
        for test, value in sums.items():
            chance = min(value / seen, 0.999)
            if test in none:
                best[test] = max(best[test], chance)
                none[test] *= 1 - chance
                mean[test] += rarity * chance
                given[test] += rarity * value / known
            else:
                best[test], none[test] = chance, 1 - chance
                mean[test], given[test] = rarity * chance, rarity * value / known


def _cochange(  # noqa: PLR0913 - what is looked at, where, and for what
    past: Past, told: _Told, channel: str, signals: Signals, now: int, targets: Collection[str]
) -> None:
    """How often each test moved when a token did: the best token, any of them, and the means by rarity."""
    index = past.channels[channel]
    heard = {target: _Heard() for target in targets}
    total = 0.0
    for token in past.asked(channel, signals.tokens):
        rarity = past.rarity(channel, token)
        total += rarity
        heard_in = index.heard.get(token)
        if not heard_in:
            continue
        seen = index.seen.get(token, Fading()).at(now) + 1.0
        for target, found in heard.items():
            sums, known = _sums(told, target, heard_in)
            found.add(sums, seen, known + 1.0, rarity)
    for target, found in heard.items():
        named = signals.of(target)
        named[f"{channel}_max"] = found.best
        named[f"{channel}_any"] = {test: 1 - value for test, value in found.none.items()}
        named[f"{channel}_mean"] = {test: value / (total or 1.0) for test, value in found.mean.items()}
        named[f"{channel}_given"] = {test: value / (total or 1.0) for test, value in found.given.items()}


def _sums(told: _Told, target: str, numbers: Iterable[int]) -> tuple[Scores, float]:
    """How often each test moved in some observations, and how often any did, fading; of many cases each counts less."""
    fading, tests = told.fading, told.columns.tests[target]
    crowds = told.columns.crowds[target] if target == "cases" else None
    sums, known = defaultdict[Any, float](float), 0.0
    for number in numbers:
        if touched := tests[number]:
            fresh = fading[number]
            known += fresh
            if crowds:
                fresh *= crowds[number]
            for test in touched:
                sums[test] += fresh
    return sums, known


def _alike(past: Past, tokens: Tokens) -> dict[str, dict[int, float]]:
    """Cosines of the change and every observation that shares a token with it, by kind of likeness."""
    found = {}
    for (name, channels), length in zip(VECTORS.items(), past.norms(tokens), strict=True):
        norms = past.columns.norms[name]
        dots = _dots(past, tokens, channels)
        found[name] = {number: dot / (length * norms[number]) for number, dot in dots.items()}
    said: dict[int, float] = {}
    for name in _SPOKEN:
        for number, likeness in found[name].items():
            said[number] = said.get(number, 0.0) + likeness / len(_SPOKEN)
    return {**found, SAID: said}


def _dots(past: Past, tokens: Tokens, channels: Iterable[str]) -> dict[int, float]:
    """Products of the change and every observation that shares a token with it, over some channels."""
    dots = defaultdict[int, float](float)
    for channel in channels:
        taught = past.channels[channel].taught
        for token in tokens[channel]:
            weight = past.rarity(channel, token) ** 2
            for number in taught(token):
                dots[number] += weight
    return dots


def _spread(told: _Told, name: str, alike: dict[int, float], named: Named, target: str) -> dict[Any, int]:
    """Hand the likeness of each observation to the tests it touched: the best, the sum, and the sum of late.

    Returns where the best comes from.
    """
    fading, late, tests, crowds = told.fading, told.lately, told.columns.tests[target], told.columns.crowds[target]
    best, source = Scores(), dict[Any, int]()
    total, lately = defaultdict[Any, float](float), defaultdict[Any, float](float)
    for number in told.columns.touching[target]:
        likeness = alike.get(number)
        if likeness is None:
            continue
        fresh = fading[number]
        near = likeness * (0.5 + 0.5 * fresh)
        share = likeness * likeness * crowds[number]
        kept, recent = share * fresh, share * late[number]
        for test in tests[number]:
            if near > best.get(test, 0.0):
                best[test] = near
                source[test] = number
            total[test] += kept
            lately[test] += recent
    named[f"{name}_max"], named[f"{name}_sum"], named[f"{name}_recent"] = best, dict(total), dict(lately)
    return source


def _text(book: Casebook, facts: Facts, named: Named) -> None:
    """How well the words of the change fit the text of each case."""
    named["text_words"] = book.scripts.scores(facts.words)
    named["text_strings"] = book.scripts.scores(facts.strings)
    named["text_names"] = book.scripts.scores(facts.names)
    named["text_results"] = book.results.scores(facts.strings)
    words = dict(facts.words)
    for word, count in facts.names.items():
        words[word] = words.get(word, 0) + 2 * count
    named["text_path"] = book.paths.scores(words)
