"""Spend a budget on Python tests: those that notice most of what changed for what they take.

What is gained by a test is the chance that it is the first to notice a defect, summed over the changed files, each by
how much of it changed. Taking the best gain for its cost, again and again, is within a constant factor of the best
choice there is (Khuller, Moss, Naor, "The budgeted maximum coverage problem", 1999).
"""

from __future__ import annotations

import dataclasses
import heapq
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from orchestrator.domain.change import DiffSummary
from orchestrator.domain.plan import Suite
from orchestrator.planner.evidence import Context
from orchestrator.planner.python.chances import changed_sources
from orchestrator.planner.python.homes import paths_of, test_seconds
from orchestrator.planner.rank import Candidate, Ranked

if TYPE_CHECKING:
    from orchestrator.planner.python.graph import Graph

#: How likely one test notices what a rule, or the safe superset, calls for a whole directory of tests.
_BLUNT = 0.05


@dataclass(slots=True)
class _Item:
    """An analyser, or one test file of a candidate."""

    candidate: Candidate
    file: str | None
    seconds: float
    #: What it may notice → how likely.
    notices: Mapping[str, float]


@dataclass(slots=True)
class _Purse:
    """What is left of the budget, and what is still unnoticed."""

    left: float
    weights: Mapping[str, float]
    #: Paid once a task that is opened.
    setup: float
    doubt: dict[str, float] = field(default_factory=dict)
    opened: set[str] = field(default_factory=set)

    def price(self, item: _Item) -> float:
        return item.seconds + (0.0 if item.candidate.id in self.opened else self.setup)

    def worth(self, item: _Item) -> float:
        gain = sum(self.weights.get(what, 1.0) * self.doubt.get(what, 1.0) * p for what, p in item.notices.items())
        return gain / max(self.price(item), 0.01)

    def take(self, item: _Item) -> None:
        self.left -= self.price(item)
        self.opened.add(item.candidate.id)
        for what, p in item.notices.items():
            self.doubt[what] = self.doubt.get(what, 1.0) * (1.0 - p)


def spend(ranked: Ranked, context: Context, change: DiffSummary, graph: Graph) -> tuple[tuple[Candidate, ...], str]:
    """The candidates that the budget of ``context`` buys, cut down to the files it buys, and a sentence about it."""
    budget, unit = context.budget, context.profile.unit_tests
    if budget is None:
        return ranked.candidates, ""
    everything = sum(test_seconds(test, context, graph) for test in graph.tests)
    limit = budget.seconds if budget.seconds is not None else (budget.share or 0.0) * everything
    sizes = {file.path: 1.0 + math.log2(1 + file.added + file.deleted) for file in change.files}
    purse = _Purse(limit, sizes, unit.setup_seconds)
    items = list(_items(ranked, context, change, graph))
    taken = [item for item in items if item.candidate.asked]
    for item in taken:  # whatever it costs
        purse.take(item)
    taken += _best(purse, [item for item in items if not item.candidate.asked])
    spent = f"{limit - purse.left:.0f} s by estimate"
    note = f"Budget {budget.text}: {len(taken)} of {len(items)} tests and analysers, {spent}."
    return tuple(_cut(ranked, taken, context, graph)), note


def _best(purse: _Purse, items: Sequence[_Item]) -> Iterator[_Item]:
    """Take the item of the best worth that fits, the first of equals, until none fits.

    Worth and money only fall, so what was counted earlier is a bound, but where a task is opened: its items are cheaper
    then, and counted anew.
    """
    of_task: dict[str, list[int]] = {}
    for number, item in enumerate(items):
        of_task.setdefault(item.candidate.id, []).append(number)
    bounds = [(-purse.worth(item), number) for number, item in enumerate(items)]
    heapq.heapify(bounds)
    gone = set[int]()
    while bounds:
        bound, number = heapq.heappop(bounds)
        item = items[number]
        if number in gone or purse.price(item) > purse.left:
            continue
        if (worth := purse.worth(item)) < -bound:
            heapq.heappush(bounds, (-worth, number))
            continue
        opens = item.candidate.id not in purse.opened
        gone.add(number)
        purse.take(item)
        yield item
        for other in of_task[item.candidate.id] if opens else ():
            heapq.heappush(bounds, (-purse.worth(items[other]), other))


def _items(ranked: Ranked, context: Context, change: DiffSummary, graph: Graph) -> Iterator[_Item]:
    changed = changed_sources(change, graph)
    for candidate in ranked.candidates:
        if candidate.suite is not Suite.UNIT_TEST:
            yield _Item(candidate, None, candidate.seconds, {candidate.id: candidate.score})
            continue
        blunt = {reason.detail: _BLUNT for reason in candidate.reasons if reason.strategy != "python"}
        paths = paths_of(candidate.name, candidate.files, graph)
        if not paths:  # tests that the graph does not see
            yield _Item(candidate, None, candidate.seconds, blunt)
        for path in paths:
            sharp = {what: reached.strength for what in changed if (reached := graph.reach(what).get(path))}
            yield _Item(candidate, path, test_seconds(path, context, graph), blunt | sharp)


def _cut(ranked: Ranked, taken: list[_Item], context: Context, graph: Graph) -> Iterator[Candidate]:
    bought: dict[str, set[str]] = {}
    for item in taken:
        bought.setdefault(item.candidate.id, set()).update([item.file] if item.file else [])
    for candidate in ranked.candidates:
        paths = bought.get(candidate.id)
        if paths is None:
            continue
        files = tuple(file for file in candidate.files if f"{candidate.name}/{file}".removeprefix("./") in paths)
        reasons = tuple(r for r in candidate.reasons if r.test is None or r.test in files)
        seconds = sum(test_seconds(path, context, graph) for path in paths) if paths else candidate.seconds
        yield dataclasses.replace(candidate, files=files, reasons=reasons, seconds=round(seconds, 1))
