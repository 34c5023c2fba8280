"""SQL cases that a change lacks, written and sieved; nothing is stored, nothing runs on a server."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path

from orchestrator.diff.git import Revisions, find_git, resolve
from orchestrator.domain.errors import UsageError
from orchestrator.domain.profile import Profile
from orchestrator.generate.inputs import Inputs, RepositoryInputs
from orchestrator.generate.pipeline import Made, Settings, make
from orchestrator.service.change import Change, one_of
from orchestrator.service.pulls import repository
from orchestrator.surface.readers import reader_named

#: Statements of one generation, and generations that are kept for the pages after the first.
MAX_BUDGET, _KEPT = 500, 8


@dataclass(frozen=True, slots=True)
class CaseDraft:
    """A script that was written."""

    #: Below the case tree.
    path: str
    title: str
    statements: int
    #: Where its statements come from.
    source: str
    text: str


@dataclass(frozen=True, slots=True)
class Gap:
    """Something the change makes worth testing."""

    name: str
    #: Between 0 and 1.
    likelihood: float
    why: str
    #: Whether the tree tests it, and whether the drafts do.
    covered_before: bool
    covered_after: bool


@dataclass(frozen=True, slots=True)
class Generated:
    """What was written for a change. The same change, budget and seed give the same."""

    title: str
    statements: int
    drafts: tuple[CaseDraft, ...]
    gaps: tuple[Gap, ...]
    #: Drafts that a gate dropped.
    dropped: int
    warnings: tuple[str, ...]


class Generation:
    """Writes cases for the changes of one profile, one change at a time."""

    def __init__(self, profile: Profile) -> None:
        self._profile, self._lock = profile, threading.Lock()
        self._reader: RepositoryInputs | None = None
        self._made: OrderedDict[tuple[Change, Revisions, int, int], Generated] = OrderedDict()

    def make(self, change: Change, budget: int = 60, seed: int = 0) -> Generated:
        """The cases that ``change`` lacks; ``budget`` is their number of statements."""
        one_of(change)
        if not 1 <= budget <= MAX_BUDGET:
            raise UsageError(f"a budget of {budget} statements is out of range", f"Give 1 to {MAX_BUDGET}.")
        clone, (base, head) = repository(self._profile), self._ends(change)
        with self._lock:  # it takes a processor for a while: two at once would only be slower
            revisions = resolve(find_git(clone), base, head)  # a branch and a pull request move
            key = (change, revisions, budget, seed)
            if key not in self._made:
                inputs = self._inputs(clone, change, revisions)
                name = str(change.pull or (change.head or "diff")[:12].replace("/", "_"))
                how = Settings(name, budget, seed, self._profile.name, self._profile.documentation)
                made = make(inputs, how, None, lambda _: None)
                self._made[key] = _told(made)
            while len(self._made) > _KEPT:
                self._made.popitem(last=False)
            return self._made[key]

    def _ends(self, change: Change) -> tuple[str, str]:
        """The revisions that it leads from and to, as the clone calls them."""
        if change.diff is not None:
            raise UsageError("cases are generated for commits of the clone", "Name pull, or base and head.")
        if change.pull is not None:
            return self._profile.base_branch, f"refs/pull/{change.pull}/head"
        return change.base or self._profile.base_branch, change.head or "HEAD"

    def _inputs(self, clone: Path, change: Change, revisions: Revisions) -> Inputs:
        if self._reader is None:
            bvt = self._profile.bvt
            self._reader = RepositoryInputs(clone, bvt.cases, reader_named(bvt.surface))
        title = f"pull request {change.pull}" if change.pull is not None else change.head or "HEAD"
        return self._reader.read(revisions.base, revisions.head, title)


def _told(made: Made) -> Generated:
    report = made.report
    drafts = tuple(CaseDraft(d.path, d.title, len(d.statements), d.source, d.text) for d in made.report.drafts)
    gaps = tuple(
        Gap(name, round(likely, 3), why, before, after) for name, likely, why, before, after in report.coverage
    )
    statements = sum(draft.statements for draft in drafts)
    return Generated(report.title, statements, drafts, gaps, len(report.dropped), tuple(report.warnings[:20]))
