"""Walks a history commit by commit: the tree as it becomes, and the past as far as it is known by then."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from orchestrator.history.casebook import Casebook, ReadBlob
from orchestrator.history.commits import Commit, Entry
from orchestrator.history.facts import Facts
from orchestrator.history.layout import EXPECTATION, Layout, category_of, package_of_test
from orchestrator.history.past import DAY, Observed, Past

#: What happened in the last days is not known yet: results and reviews take time.
LAG = 3 * DAY
#: A commit that touches more cases than this moves or reformats them, and teaches nothing.
MASS = 100


@dataclass(frozen=True, slots=True)
class Touched:
    """The tests a commit touched."""

    modified: tuple[str, ...] = ()
    added: tuple[str, ...] = ()
    packages: tuple[str, ...] = ()

    @property
    def cases(self) -> tuple[str, ...]:
        """All cases, by stem."""
        return self.modified + self.added

    @property
    def categories(self) -> tuple[str, ...]:
        """Their categories."""
        return tuple(sorted({category_of(stem) for stem in self.cases}))


@dataclass(slots=True)
class _Waiting:
    commit: Commit
    facts: Facts
    touched: Touched
    cases: tuple[int, ...]


@dataclass(slots=True)
class Timeline:
    """The state after the commits that were fed to it, in order."""

    layout: Layout
    book: Casebook = field(default_factory=Casebook)
    past: Past = field(default_factory=Past)
    #: The last commit fed.
    head: str = ""
    time: int = 0
    _waiting: deque[_Waiting] = field(default_factory=deque)

    def feed(self, commit: Commit, facts: Facts, read: ReadBlob) -> None:
        """Go on by one commit; what it teaches is known once it has been settled."""
        touched = self.touched(commit.entries)
        self.book.apply(commit.entries, self.layout, commit.time, read)
        self._waiting.append(_Waiting(commit, facts, touched, tuple(map(self.book.number, touched.cases))))
        self.head, self.time = commit.sha, commit.time

    def settle(self, until: int) -> None:
        """Learn from every commit fed that is not younger than ``until`` (seconds since 1970)."""
        while self._waiting and self._waiting[0].commit.time <= until:
            self._learn(self._waiting.popleft())

    def touched(self, entries: Sequence[Entry]) -> Touched:
        """What a commit on top of this state touches: cases there are are modified, others added."""
        by_stem: dict[str, list[tuple[str, str]]] = {}
        packages = set()
        for entry in entries:
            found = self.layout.case_of(entry.path)
            if found is not None:
                by_stem.setdefault(found[0], []).append((found[1], entry.status))
            elif (package := package_of_test(entry.path)) is not None:
                packages.add(package)
        modified, added = [], []
        for stem, changes in by_stem.items():
            scripts = [status for extension, status in changes if extension != EXPECTATION]
            stays = not scripts or any(status != "D" for status in scripts)
            if self.book.numbers.get(stem) in self.book.stems:
                if stays:
                    modified.append(stem)
            elif scripts and stays:
                added.append(stem)
        return Touched(tuple(modified), tuple(added), tuple(sorted(packages)))

    def _learn(self, waiting: _Waiting) -> None:
        touched, time = waiting.touched, waiting.commit.time
        self.past.touch(time, waiting.cases, touched.categories)
        if not waiting.facts.files:
            return
        tokens = self.past.tokens(waiting.facts)
        norms = self.past.norms(tokens)
        self.past.learn(time, waiting.facts, tokens)
        many = len(touched.cases) > MASS
        cases, categories = ((), ()) if many else (waiting.cases, touched.categories)
        if cases or touched.packages:
            kept = Observed(waiting.commit.sha, time, cases, categories, touched.packages, norms)
            self.past.remember(kept, tokens)
