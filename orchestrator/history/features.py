"""A change's signals as rows of numbers, one a test: what the ranking models are trained on and score.

Names: a signal's own name is its value for the test; ``r_`` is that value over the change's highest; ``k_`` is the
signal of the case's category; ``top_`` the highest of the category's cases; ``g_`` describes the change as a whole.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import repeat

from orchestrator.history.casebook import Casebook
from orchestrator.history.layout import category_of, go_package
from orchestrator.history.past import CHANNELS, DAY, Fading, Past
from orchestrator.history.question import Question
from orchestrator.history.signals import LIKE, Named, Scores, Signals

_GIVEN = [f"{channel}_given" for channel in CHANNELS]
_MEANS = ["word_mean", "name_mean", *_GIVEN]
_COCHANGE = [f"{channel}_{kind}" for channel in CHANNELS for kind in ("max", "any")]
_LIKE = [f"{name}_{kind}" for name in LIKE for kind in ("max", "sum", "recent")]
_TEXT = [f"text_{name}" for name in ("words", "strings", "names", "results", "path")]
_SURFACE = [f"surface_{name}" for name in ("own", "calls", "path", "errors")]
_NEAR = ["near_max", "near_sum", "near_recent", "words_max", "words_sum", "said_max", "said_sum"]
_RELATIVE = ["word_mean", "word_any", "name_mean", "name_any", *_NEAR, *_TEXT, *_SURFACE]
_CATEGORY = [*_COCHANGE, *_GIVEN, *_LIKE]
_TOPS = ["text_words", "text_names", "text_path", "near_sum", "words_sum", "said_sum", *_SURFACE]
_CHANGE = ["g_files", "g_functions", "g_packages", "g_lines", "g_words", "g_strings", "g_near", "g_reached"]

#: The signals of cases that a category is known by.
_OF_CASES = [*_COCHANGE, *_LIKE, *_TEXT, *_SURFACE]

CASE_FEATURES = [
    *_COCHANGE, *_MEANS, *_LIKE, *_TEXT, *_SURFACE, *(f"r_{name}" for name in _RELATIVE),
    *(f"k_{name}" for name in _CATEGORY), *(f"top_{name}" for name in _TOPS),
    "touches", "age", "k_touches", "k_ruled", "statements", "k_cases", *_CHANGE,
]  # fmt: skip
CATEGORY_FEATURES = [
    "any_case", "top_case", *_COCHANGE, *_MEANS, *_LIKE,
    *(f"r_{name}" for name in (*_MEANS, *_COCHANGE, *_LIKE)),
    *(f"top_{name}" for name in _OF_CASES), *(f"r_top_{name}" for name in (*_TEXT, *_SURFACE)),
    "touches", "ruled", "statements", "cases", *_CHANGE,
]  # fmt: skip
#: Where a category's row has the chance of any of its cases.
ANY_CASE = 0
#: Where a package's row has whether it changes.
OWN = 0
PACKAGE_FEATURES = [
    "own", "around", *_COCHANGE, "file_mean", "package_mean", *_LIKE,
    "r_near_sum", "r_words_sum", "imports", "test_files", *_CHANGE,
]  # fmt: skip

#: First word of a feature's name, prefixes off → the strategy whose evidence it is; all others are the history's.
_STRATEGIES = {
    "text": "lexical", "surface": "surface", "ruled": "rules", "imports": "imports",
    "own": "changed", "around": "changed",
    "g": "size", "statements": "size", "cases": "size", "test": "size", "any": "cases", "case": "cases",
}  # fmt: skip

#: One row a test, and one name a row.
Row = tuple[float, ...]


def strategy_of(feature: str) -> str:
    """The strategy whose evidence a feature is; ``size`` for how large things are, ``cases`` for a category's cases."""
    for prefix in ("r_", "k_", "top_"):
        feature = feature.removeprefix(prefix)
    return _STRATEGIES.get(feature.partition("_")[0], "history")


@dataclass(slots=True)
class Rows:
    """The rows of one kind of test, in the order of their names."""

    names: list[str]
    rows: list[Row]


def case_rows(signals: Signals, past: Past, book: Casebook, question: Question) -> Rows:
    """`CASE_FEATURES` of every case there is, by number."""
    numbers, homes = sorted(book.stems), _homes(book)
    categories = [homes[number] for number in numbers]
    named = signals.cases
    columns = _columns(named, [*_COCHANGE, *_MEANS, *_LIKE, *_TEXT, *_SURFACE], numbers)
    columns += [_relative(_column(named[name], numbers)) for name in _RELATIVE]
    columns += _columns(signals.categories, _CATEGORY, categories)
    for name in _TOPS:
        columns.append(_column(_tops(named[name], homes), categories))
    sizes = _sizes(categories)
    touched = [past.case_touches.get(number) for number in numbers]
    columns += [
        [fading.at(question.now) if fading else 0.0 for fading in touched],
        [min(3000.0, (question.now - fading.time) / DAY) if fading else 3000.0 for fading in touched],
        [past.category_touches.get(name, Fading()).at(question.now) for name in categories],
        [float(name in question.ruled) for name in categories],
        [math.log1p(book.statements[number]) for number in numbers],
        _column(sizes, categories),
    ]
    return _rows([book.stems[number] for number in numbers], columns, _change(signals, question))


def category_rows(signals: Signals, past: Past, book: Casebook, question: Question, chances: dict[str, float]) -> Rows:
    """`CATEGORY_FEATURES` of every category there is, by name; ``chances`` are those of the cases, by stem."""
    homes = _homes(book)
    sizes = _sizes(homes.values())
    names = sorted(sizes)
    named = signals.categories
    tops = {name: _column(_tops(signals.cases[name], homes), names) for name in _OF_CASES}
    columns = [*_of_chances(chances, names), *_columns(named, [*_COCHANGE, *_MEANS, *_LIKE], names)]
    columns += [_relative(_column(named[name], names)) for name in (*_MEANS, *_COCHANGE, *_LIKE)]
    columns += [*tops.values(), *(_relative(tops[name]) for name in (*_TEXT, *_SURFACE))]
    statements: Scores = {}
    for number, category in homes.items():
        statements[category] = statements.get(category, 0) + book.statements[number]
    columns += [
        [past.category_touches.get(name, Fading()).at(question.now) for name in names],
        [float(name in question.ruled) for name in names],
        [math.log1p(statements[name]) for name in names],
        _column(sizes, names),
    ]
    return _rows(names, columns, _change(signals, question))


def package_rows(signals: Signals, book: Casebook, question: Question) -> Rows:
    """`PACKAGE_FEATURES` of every package that has unit tests, or changes, and that anything speaks for."""
    own = {go_package(path) for path in question.facts.files if path.endswith(".go")}
    importers = dict(question.importers)
    spoken = {name for scores in signals.packages.values() for name in scores} | importers.keys()
    names = sorted(own | {name for name in spoken if book.test_files.get(name, 0) > 0})
    named = signals.packages
    columns = [[float(name in own) for name in names], [float(_around(name, own)) for name in names]]
    columns += _columns(named, [*_COCHANGE, "file_mean", "package_mean", *_LIKE], names)
    columns += [_relative(_column(named[name], names)) for name in ("near_sum", "words_sum")]
    columns.append([1.0 / distance if (distance := importers.get(name)) else 0.0 for name in names])
    columns.append([float(book.test_files.get(name, 0)) for name in names])
    return _rows(names, columns, _change(signals, question))


def _around(package: str, own: Iterable[str]) -> bool:
    """Whether a package lies below or above a changed one."""
    return any(package.startswith(f"{name}/") or name.startswith(f"{package}/") for name in own)


def _change(signals: Signals, question: Question) -> Row:
    facts = question.facts
    sizes = (len(facts.files), len(facts.functions), len(signals.tokens["package"]), facts.lines, len(facts.words))
    near = max(signals.alike["near"].values(), default=0.0)
    return (*map(float, sizes), float(len(facts.strings)), near, float(len(question.reached)))


def _rows(names: list[str], columns: Sequence[Sequence[float]], change: Row) -> Rows:
    return Rows(names, [(*row, *change) for row in zip(*columns, strict=True)])


def _column(scores: Scores, tests: Sequence[object]) -> list[float]:
    return list(map(scores.get, tests, repeat(0.0)))


def _columns(named: Named, names: Iterable[str], tests: Sequence[object]) -> list[list[float]]:
    return [_column(named[name], tests) for name in names]


def _relative(column: list[float]) -> list[float]:
    top = max(column, default=0.0)
    return [value / top for value in column] if top > 0 else column


def _tops(scores: Scores, homes: Mapping[int, str]) -> Scores:
    """The highest score among the cases of each category; ``homes`` has the category of each case, by number."""
    tops: Scores = {}
    for number, value in scores.items():
        category = homes.get(number)
        if category is not None and value > tops.get(category, 0.0):
            tops[category] = value
    return tops


def _homes(book: Casebook) -> dict[int, str]:
    """The category of each case there is, by number."""
    return {number: category_of(stem) for number, stem in book.stems.items()}


def _sizes(categories: Iterable[str]) -> Scores:
    sizes: Scores = {}
    for name in categories:
        sizes[name] = sizes.get(name, 0) + 1
    return sizes


def _of_chances(chances: dict[str, float], names: Sequence[str]) -> list[list[float]]:
    """The chance that any case of a category matters, and the highest."""
    doubts: Scores = {}
    tops: Scores = {}
    for stem, chance in chances.items():
        category = category_of(stem)
        doubts[category] = doubts.get(category, 1.0) * (1 - min(chance, 0.999))
        tops[category] = max(tops.get(category, 0.0), chance)
    return [[1 - doubts.get(name, 1.0) for name in names], _column(tops, names)]
