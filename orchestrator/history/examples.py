"""What the ranking models learn from: each labelled commit as rows and labels. Needs numpy (the ``learn`` extra)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from orchestrator.history.features import Rows, case_rows, category_rows, package_rows
from orchestrator.history.layout import category_of
from orchestrator.history.question import Question
from orchestrator.history.signals import read_signals
from orchestrator.history.timeline import MASS, Timeline, Touched

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from orchestrator.history.train import Matrix, Vector


@dataclass(slots=True)
class Labelled:
    """Rows, one a test, and whether the author touched it."""

    rows: Matrix
    labels: Vector


@dataclass(slots=True)
class Example:
    """One commit that touched tests."""

    time: int
    cases: Labelled | None
    #: Each case's category, as a row of ``categories``; its statements.
    home: NDArray[np.intp]
    statements: Vector
    #: The first two columns are left open: they hang on the model of the cases.
    categories: Labelled | None
    packages: Labelled | None


def make_example(timeline: Timeline, question: Question, touched: Touched) -> Example | None:
    """The example of a commit on top of what ``timeline`` knows; None when it teaches nothing."""
    import numpy as np

    cases = touched.cases if len(touched.cases) <= MASS else ()
    if not question.facts.files or not (cases or touched.packages):
        return None
    book = timeline.book
    of_cases = ("cases", "categories") if cases and book.stems else ()
    of_packages = ("packages",) if touched.packages else ()
    signals = read_signals(timeline.past, book, question, (*of_cases, *of_packages))
    packages = package_rows(signals, book, question) if touched.packages else None
    by_case = by_category = None
    home, statements = np.zeros(0, np.intp), np.zeros(0)
    if of_cases:
        by_case = case_rows(signals, timeline.past, book, question)
        by_category = category_rows(signals, timeline.past, book, question, {})
        place = {name: row for row, name in enumerate(by_category.names)}
        home = np.array([place[category_of(stem)] for stem in by_case.names])
        statements = np.array([book.statements[book.numbers[stem]] for stem in by_case.names], float)
    return Example(
        question.now,
        _labelled(by_case, touched.modified),
        home,
        statements,
        _labelled(by_category, touched.categories),
        _labelled(packages, touched.packages),
    )


def _labelled(rows: Rows | None, touched: tuple[str, ...]) -> Labelled | None:
    import numpy as np

    if rows is None:
        return None
    wanted = set(touched)
    return Labelled(np.array(rows.rows, np.float32), np.array([float(name in wanted) for name in rows.names]))
