"""Goes through a history once: what is known at each commit, and what the ranking models can learn from it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from orchestrator.domain.profile import Profile
from orchestrator.history.casebook import ReadBlob
from orchestrator.history.code import Code
from orchestrator.history.commits import Commit
from orchestrator.history.facts import Facts
from orchestrator.history.imports import importers_of
from orchestrator.history.layout import go_package, layout_of
from orchestrator.history.past import DAY
from orchestrator.history.question import Question
from orchestrator.history.surface import words_of
from orchestrator.history.timeline import LAG, Timeline

if TYPE_CHECKING:
    from orchestrator.history.examples import Example
    from orchestrator.history.ranker import Ranker

#: Examples are taken from this long before the models are made (seconds).
WINDOW = 3 * 365 * DAY
#: Of the commits that touched unit tests alone, one in so many is an example: they are many, and much alike.
_THINNED = 4


def quarter_of(time: int) -> int:
    """When the quarter of a time began, both in seconds since 1970."""
    day = datetime.fromtimestamp(time, UTC)
    return int(datetime(day.year, 1 + (day.month - 1) // 3 * 3, 1, tzinfo=UTC).timestamp())


def month_of(time: int) -> int:
    """When the month of a time began, both in seconds since 1970."""
    day = datetime.fromtimestamp(time, UTC)
    return int(datetime(day.year, day.month, 1, tzinfo=UTC).timestamp())


def question_of(profile: Profile, facts: Facts, now: int, code: Code) -> Question:
    """What is asked of a change at a time (seconds since 1970)."""
    own = {go_package(path) for path in facts.files if path.endswith(".go")}
    named = (
        category
        for rule in profile.rules
        if any(path.startswith(rule.prefix) for path in facts.files)
        for category in rule.categories
    )
    reached = code.reach.of(facts.files, facts.functions, facts.symbols)
    spoken = tuple((one, tuple(words_of(code.reach, one))) for one in reached)
    return Question(facts, now, frozenset(named), importers_of(code.imports, own), spoken)


@dataclass(slots=True)
class Study:
    """A timeline, and examples of its commits from ``start`` (seconds since 1970) on."""

    profile: Profile
    start: float
    #: Reads the code of a revision; asked once a quarter.
    read_code: Callable[[str], Code]
    timeline: Timeline = field(init=False)
    examples: list[Example] = field(default_factory=list)
    #: The code at the beginning of the quarter.
    code: Code = field(default_factory=Code)
    _quarter: int = 0

    def __post_init__(self) -> None:
        self.timeline = Timeline(layout_of(self.profile))

    def step(self, commit: Commit, facts: Facts, read: ReadBlob) -> None:
        """Go on by one commit, which becomes an example of what was known three days before it."""
        self.turn(commit)
        if commit.time >= self.start:
            self._example(commit, facts)
        self.timeline.feed(commit, facts, read)

    def turn(self, commit: Commit) -> None:
        """Look at the code anew when ``commit``, the next one, is the first of a quarter that examples come from."""
        began = quarter_of(commit.time)
        if began != self._quarter and commit.time >= self.start and commit.parent:
            self._quarter, self.code = began, self.read_code(commit.parent)

    def fit(self, until: int, muted: frozenset[str] = frozenset(), *, quick: bool = False) -> Ranker | None:
        """The models of the examples in the window that ends at ``until``, without some strategies."""
        from orchestrator.history.fitting import CAREFUL, QUICK, fit_ranker

        window = [example for example in self.examples if until - WINDOW <= example.time <= until]
        return fit_ranker(window, until, muted, QUICK if quick else CAREFUL)

    def forget(self, before: float) -> None:
        """Drop examples that no window to come reaches."""
        self.examples = [example for example in self.examples if example.time >= before]

    def _example(self, commit: Commit, facts: Facts) -> None:
        from orchestrator.history.examples import make_example

        touched = self.timeline.touched(commit.entries)
        if not touched.cases and int(commit.sha[:4], 16) % _THINNED:
            return
        self.timeline.settle(commit.time - LAG)
        example = make_example(self.timeline, question_of(self.profile, facts, commit.time, self.code), touched)
        if example is not None:
            self.examples.append(example)
