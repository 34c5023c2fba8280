"""How likely each test is to matter to a change, and what to take of them for a budget."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from orchestrator.history.casebook import Casebook
from orchestrator.history.features import ANY_CASE, OWN, Rows, case_rows, category_rows, package_rows
from orchestrator.history.forest import Forest
from orchestrator.history.layout import category_of, is_plain, package_of_test
from orchestrator.history.past import Past
from orchestrator.history.question import Question
from orchestrator.history.ranker import ORDER_POWER, RANK_POWER, SELECT_POWER, Ranker, mixed, worth, worths
from orchestrator.history.signals import Signals, read_signals

#: Categories that come first in a ranking, and how much their cost counts in that.
_LIKELIEST, _LIKELY_POWER = 10, 0.2


@dataclass(frozen=True, slots=True)
class Decided:
    """What a forest decided about one kind of test: where each has its row, and the leaf of each row in each tree."""

    places: dict[str, int] = field(default_factory=dict)
    leaves: list[bytes] = field(default_factory=list)


def _decided(forest: Forest, rows: Rows) -> Decided:
    return Decided({name: place for place, name in enumerate(rows.names)}, forest.leaves(rows.rows))


@dataclass(slots=True)
class Outlook:
    """Chances between 0 and 1: cases by stem, categories and package directories by name."""

    ranker: Ranker
    past: Past
    book: Casebook
    question: Question
    signals: Signals
    cases: dict[str, float] = field(default_factory=dict)
    categories: dict[str, float] = field(default_factory=dict)
    packages: dict[str, float] = field(default_factory=dict)
    #: Statements of each case, by stem.
    statements: dict[str, int] = field(default_factory=dict)
    #: What the chances come from: of cases, categories and packages.
    decided: tuple[Decided, ...] = ()

    #: What past failures say of ``("cases", stem)`` and ``("packages", name)``: a weight, and why; the chances above
    #: hold it already.
    failed: Mapping[tuple[str, str], tuple[float, str]] = field(default_factory=dict)

    def lifted(self, failed: Mapping[str, tuple[float, str]]) -> Outlook:
        """This outlook where past failures speak, too; ``failed`` is by test (``bvt:join/apply.sql``, ``ut:pkg/a``)."""
        stems = {f"bvt:{self.book.file_of(stem)}": ("cases", stem) for stem in self.cases} if failed else {}
        packages = {f"ut:{name}": ("packages", name) for name in self.packages} if failed else {}
        names = stems | packages
        known = {names[test]: said for test, said in failed.items() if test in names}
        cases, of_packages = _lifted("cases", self.cases, known), _lifted("packages", self.packages, known)
        return replace(self, failed=known, cases=cases, packages=of_packages)

    @property
    def total(self) -> int:
        """Statements of all cases; at least 1."""
        return sum(self.statements.values()) or 1

    def category_statements(self) -> dict[str, int]:
        """Statements of each category."""
        found: dict[str, int] = {}
        for stem, count in self.statements.items():
            found[category_of(stem)] = found.get(category_of(stem), 0) + count
        return found

    def knows(self, path: str) -> bool:
        """Whether history has seen a file, or another of its directory, change; or it is a unit test of a package.

        Of a file whose name no plan may hold the model is told nothing.
        """
        if not is_plain(path):
            return False
        if self.book.test_files.get(package_of_test(path) or "", 0) > 0:
            return True
        channels = self.past.channels
        return path in channels["file"].frequency or path.rpartition("/")[0] in channels["package"].frequency

    def ranked_cases(self) -> list[str]:
        """Stems, the best chance for its cost first."""
        return _ranked(self.cases, self.statements, self.total, ORDER_POWER)

    def ranked_categories(self) -> list[str]:
        """Names: the ten likeliest, cost hardly weighed, then the others; within both the best for its cost first."""
        sizes, total = self.category_statements(), self.total
        likely = _ranked(self.categories, sizes, total, _LIKELY_POWER)[:_LIKELIEST]
        order = _ranked(self.categories, sizes, total, RANK_POWER)
        return sorted(order, key=lambda name: name not in likely)

    def chosen_categories(self) -> list[str]:
        """The categories worth their cost, the best first: few for a plain change, more for a wide one."""
        sizes, total = self.category_statements(), self.total
        order = _ranked(self.categories, sizes, total, SELECT_POWER)
        worth_of = worths([self.categories[name] for name in order], [sizes[name] / total for name in order])
        return [name for name, value in zip(order, worth_of, strict=True) if value >= self.ranker.category_price]

    def ranked_packages(self) -> list[str]:
        """Package directories, the likeliest first."""
        return _ranked(self.packages, {}, 1, 0.0)

    def chosen_packages(self, own: Iterable[str]) -> list[str]:
        """The changed packages themselves and those that are likely enough, the likeliest first."""
        kept = set(own)
        floor = self.ranker.package_floor
        return [name for name in self.ranked_packages() if name in kept or self.packages[name] >= floor]


def fill(order: Sequence[str], sizes: dict[str, int], budget: float) -> list[str]:
    """Walk a ranking and take what still fits into ``budget``, in the unit of ``sizes``."""
    taken, spent = [], 0
    for name in order:
        if spent + sizes[name] <= budget:
            taken.append(name)
            spent += sizes[name]
    return taken


@dataclass(frozen=True, slots=True)
class Seen:
    """All that is to be seen of a change, before any model weighs it."""

    past: Past
    book: Casebook
    question: Question
    signals: Signals
    cases: Rows
    packages: Rows


def see(past: Past, book: Casebook, question: Question) -> Seen:
    """Read the signals of a change."""
    signals = read_signals(past, book, question)
    cases, packages = case_rows(signals, past, book, question), package_rows(signals, book, question)
    return Seen(past, book, question, signals, cases, packages)


def look(ranker: Ranker, past: Past, book: Casebook, question: Question) -> Outlook:
    """The outlook of a change."""
    return weigh(ranker, see(past, book, question))


def weigh(ranker: Ranker, seen: Seen) -> Outlook:
    """The outlook of a change by some models."""
    book, cases, packages = seen.book, seen.cases, seen.packages
    of_cases, of_packages = _decided(ranker.cases, cases), _decided(ranker.packages, packages)
    by_case = dict(zip(cases.names, ranker.cases.chances(of_cases.leaves), strict=True))
    categories = category_rows(seen.signals, seen.past, book, seen.question, by_case)
    of_categories = _decided(ranker.categories, categories)
    alone = ranker.categories.chances(of_categories.leaves)
    both = (mixed(chance, row[ANY_CASE]) for chance, row in zip(alone, categories.rows, strict=True))
    # Where too few commits touched unit tests to learn from, those of the packages that change are what is likely.
    by_package = (
        ranker.packages.chances(of_packages.leaves) if ranker.packages.trees else [row[OWN] for row in packages.rows]
    )
    return Outlook(
        ranker,
        seen.past,
        book,
        seen.question,
        seen.signals,
        by_case,
        dict(zip(categories.names, both, strict=True)),
        dict(zip(packages.names, by_package, strict=True)),
        {stem: book.statements[number] for number, stem in book.stems.items()},
        (of_cases, of_categories, of_packages),
    )


def _ranked(chances: dict[str, float], sizes: dict[str, int], total: int, power: float) -> list[str]:
    return sorted(chances, key=lambda name: (-worth(chances[name], sizes.get(name, 0) / total, power), name))


def _lifted(
    kind: str, chances: dict[str, float], failed: Mapping[tuple[str, str], tuple[float, str]]
) -> dict[str, float]:
    """The chance that the model or a past failure is right."""
    return {
        name: 1 - (1 - chance) * (1 - failed[kind, name][0]) if (kind, name) in failed else chance
        for name, chance in chances.items()
    }
