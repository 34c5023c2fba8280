"""Select: which candidates become tasks, and what is said of every test that does not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from orchestrator.domain.plan import Omitted, Suite
from orchestrator.planner.evidence import Context
from orchestrator.planner.packages import and_below
from orchestrator.planner.rank import Candidate, Ranked, task_id


@dataclass(frozen=True, slots=True)
class Selected:
    """The tests that run, and those that do not."""

    chosen: tuple[Candidate, ...]
    omitted: tuple[Omitted, ...]

    def __str__(self) -> str:
        lines = [str(candidate) for candidate in self.chosen]
        return "\n".join([*lines, *(f"omitted  {task_id(o.type, o.name)}: {o.reason}" for o in self.omitted)])


def select(ranked: Ranked, context: Context, veto: str | None = None) -> Selected:
    """Take every candidate; under a ``veto`` only what a person asked for. The rest of the profile is omitted."""
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
    return "no Go file changed" if suite is Suite.SCA else "no evidence that the change reaches it"
