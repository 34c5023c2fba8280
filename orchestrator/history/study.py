"""Goes through a history once: what is known at each commit, and what the ranking models can learn from it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from orchestrator.domain.profile import Profile
from orchestrator.history.casebook import ReadBlob
from orchestrator.history.commits import Commit
from orchestrator.history.facts import Facts
from orchestrator.history.features import Question
from orchestrator.history.layout import layout_of
from orchestrator.history.past import DAY
from orchestrator.history.timeline import LAG, Timeline

if TYPE_CHECKING:
    from orchestrator.history.examples import Example
    from orchestrator.history.ranker import Ranker

#: Examples are taken from this long before the models are made (seconds).
WINDOW = 3 * 365 * DAY
#: Of the commits that touched unit tests alone, one in so many is an example: they are many, and much alike.
_THINNED = 4


def question_of(profile: Profile, facts: Facts, now: int) -> Question:
    """What is asked of a change at a time (seconds since 1970)."""
    named = (
        category
        for rule in profile.rules
        if any(path.startswith(rule.prefix) for path in facts.files)
        for category in rule.categories
    )
    return Question(facts, now, frozenset(named))


@dataclass(slots=True)
class Study:
    """A timeline, and examples of its commits from ``start`` (seconds since 1970) on."""

    profile: Profile
    start: float
    timeline: Timeline = field(init=False)
    examples: list[Example] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.timeline = Timeline(layout_of(self.profile))

    def step(self, commit: Commit, facts: Facts, read: ReadBlob) -> None:
        """Go on by one commit, which becomes an example of what was known three days before it."""
        if commit.time >= self.start:
            self._example(commit, facts)
        self.timeline.feed(commit, facts, read)

    def fit(self, until: int) -> Ranker | None:
        """The models of the examples in the window that ends at ``until``."""
        from orchestrator.history.fitting import fit_ranker

        window = [example for example in self.examples if until - WINDOW <= example.time <= until]
        return fit_ranker(window, until)

    def forget(self, before: float) -> None:
        """Drop examples that no window to come reaches."""
        self.examples = [example for example in self.examples if example.time >= before]

    def _example(self, commit: Commit, facts: Facts) -> None:
        from orchestrator.history.examples import make_example

        touched = self.timeline.touched(commit.entries)
        if not touched.cases and int(commit.sha[:4], 16) % _THINNED:
            return
        self.timeline.settle(commit.time - LAG)
        example = make_example(self.timeline, question_of(self.profile, facts, commit.time), touched)
        if example is not None:
            self.examples.append(example)
