"""Select: which candidates become tasks, and what is said of every test that does not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from orchestrator.domain.change import DiffSummary
from orchestrator.domain.plan import Omitted, Reason, Suite
from orchestrator.planner.evidence import Context
from orchestrator.planner.packages import and_below
from orchestrator.planner.rank import Candidate, Ranked, order, task_id

if TYPE_CHECKING:
    from orchestrator.history.outlook import Outlook
    from orchestrator.planner.python.chances import Chance
    from orchestrator.planner.python.graph import Graph


@dataclass(frozen=True, slots=True)
class Selected:
    """The tests that run, and those that do not."""

    chosen: tuple[Candidate, ...]
    omitted: tuple[Omitted, ...]
    #: What a reader must know of how it was done.
    note: str = ""

    def __str__(self) -> str:
        lines = [str(candidate) for candidate in self.chosen]
        return "\n".join([*lines, *(f"omitted  {task_id(o.type, o.name)}: {o.reason}" for o in self.omitted)])


def select(ranked: Ranked, context: Context, change: DiffSummary, veto: str | None = None) -> Selected:
    """Take every candidate, or what the budget buys; under a ``veto`` only what a person asked for.

    The rest of the profile is omitted. A budget is kept only where a history model knows the whole change.
    """
    if context.graph is not None and veto is None:
        return _python(ranked, context, change, context.graph)
    if context.budget is not None and veto is None:
        if context.outlook is None or any(_widened(candidate) for candidate in ranked.candidates):
            taken = _take(ranked, context, veto)
            return replace(taken, note=f"The budget of {context.budget.text} is not kept: {_UNKNOWN}")
        return _within_budget(ranked, context, change, context.outlook)
    return _take(ranked, context, veto)


_UNKNOWN = "no history model knows all of this change."


def _widened(candidate: Candidate) -> bool:
    return any(reason.strategy == "safety" for reason in candidate.reasons)


def _within_budget(ranked: Ranked, context: Context, change: DiffSummary, outlook: Outlook) -> Selected:
    """Analysers as ever; SQL cases and unit tests as the budget has them."""
    from orchestrator.planner.spend import spend

    spent = spend(ranked, context, change, outlook)
    analysers = [candidate for candidate in ranked.candidates if candidate.suite is Suite.SCA]
    chosen = sorted([*analysers, *spent.chosen], key=order)
    taken = {candidate.id for candidate in chosen}
    taken |= {task_id(Suite.BVT, name) for name in outlook.category_statements()}  # told case by case
    rest = [
        Omitted(suite, name, 0.0, _silence(suite))
        for suite, name in _known(context)
        if task_id(suite, name) not in taken and suite is not Suite.UNIT_TEST
    ]
    return Selected(tuple(chosen), (*spent.omitted, *rest), spent.note)


def _python(ranked: Ranked, context: Context, change: DiffSummary, graph: Graph) -> Selected:
    """Python tests, file by file: all that evidence speaks for, or what the budget buys of them."""
    from orchestrator.planner.python.chances import chances
    from orchestrator.planner.python.homes import paths_of
    from orchestrator.planner.python.spend import spend

    chosen, note = spend(ranked, context, change, graph)
    running = {path for c in chosen if c.suite is Suite.UNIT_TEST for path in paths_of(c.name, c.files, graph)}
    found = chances(change, graph)
    why = f"beyond the budget of {context.budget.text}" if context.budget else "not likely to notice the change"
    left = [_left_out(test, found.get(test), why) for test in sorted(graph.tests.keys() - running)]
    weighed = {candidate.id: candidate.score for candidate in ranked.candidates}
    taken = {candidate.id for candidate in chosen}
    left += [
        Omitted(suite, name, weighed[test], why) if test in weighed else Omitted(suite, name, 0.0, _silence(suite))
        for suite, name in _known(context)
        if suite is not Suite.UNIT_TEST and (test := task_id(suite, name)) not in taken
    ]
    return Selected(chosen, tuple(left), note)


def _left_out(test: str, found: Chance | None, why: str) -> Omitted:
    if found is None:
        return Omitted(Suite.UNIT_TEST, test, 0.0, _silence(Suite.UNIT_TEST))
    return Omitted(Suite.UNIT_TEST, test, found.chance, why, (Reason("python", found.chance, found.detail),))


def _take(ranked: Ranked, context: Context, veto: str | None) -> Selected:
    chosen = tuple(c for c in ranked.candidates if veto is None or c.asked)
    taken = {candidate.id for candidate in chosen}
    weighed = {candidate.id: candidate for candidate in ranked.candidates}
    omitted = []
    for suite, name in _known(context):
        test = task_id(suite, name)
        if test not in taken:
            score = weighed[test].score if test in weighed else 0.0
            omitted.append(Omitted(suite, name, score, veto or _silence(suite)))
    return Selected(chosen, tuple(omitted))


def _known(context: Context) -> Iterator[tuple[Suite, str]]:
    """Every test the profile and the tree know by name, in a fixed order."""
    profile = context.profile
    packages = {and_below(package) for rule in profile.rules for package in rule.unit_tests}
    yield from ((Suite.UNIT_TEST, name) for name in sorted(packages))
    yield from ((Suite.BVT, name) for name in sorted(context.categories))
    yield from ((Suite.SCA, name) for name in sorted(a.name for a in profile.sca.analysers))


def _silence(suite: Suite) -> str:
    return "no file changed that calls for it" if suite is Suite.SCA else "no evidence that the change reaches it"
