"""A change to cases that passed the gates, and the report of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from orchestrator.cases.dedup_search import Search
from orchestrator.generate.contribution import Contribution, Source
from orchestrator.generate.draft import Draft
from orchestrator.generate.executor import Executor
from orchestrator.generate.gates import Dropped, static_gates
from orchestrator.generate.generator import generate
from orchestrator.generate.inputs import Inputs
from orchestrator.generate.metamorphic import check
from orchestrator.generate.report import Report, coverage_of
from orchestrator.generate.sixkinds import six_kinds
from orchestrator.generate.treecopy import TreeCopy
from orchestrator.generate.trial import Finding, try_drafts

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Settings:
    """How to generate. ``target`` is a word of the product's ``version()``."""

    key: str
    budget: int
    seed: int
    target: str


@dataclass(frozen=True, slots=True)
class Made:
    """What passed, and the report."""

    drafts: tuple[Draft, ...]
    report: Report


def make(
    inputs: Inputs, settings: Settings, executor: Executor | None, tell: Tell, source: Source | None = None
) -> Made:
    """Generate and send every draft through every gate that can be asked here.

    Raises:
        ServerError: the server is lost.
    """
    tell("choosing what to write")
    made = generate(inputs, settings.key, settings.budget, seed=settings.seed)
    asked = Contribution()
    if source is not None:
        tell("asking the model")
        asked = source.write(inputs, settings.key)
    drafts, warnings = [*made.drafts, *asked.drafts], [*inputs.warnings, *asked.notes]
    with TreeCopy() as copy:
        tell("looking for what is tested already")
        kept, dropped = static_gates(drafts, Search(copy.at(inputs.library)))
    kept = _within(kept, settings.budget, dropped)
    report = Report(inputs.title, settings.budget, settings.seed, warnings=warnings)
    findings: list[Finding] = []
    if executor is not None:
        trial = try_drafts(kept, executor, settings.target, tell)
        kept, findings = trial.kept, trial.findings
        dropped += trial.dropped
        for draft in kept:
            findings += check(draft, executor)
        report.server = executor.version
        report.verified = settings.target.lower() in executor.version.lower()
    report.drafts, report.dropped, report.findings = kept, dropped, findings
    report.targets = [(one.distance, one.kind.value, one.name, one.why) for one in inputs.targets]
    report.coverage = coverage_of(inputs, made, kept)
    report.kinds = six_kinds(inputs, kept, asked.kinds)
    return Made(tuple(kept), report)


def _within(drafts: Sequence[Draft], budget: int, dropped: list[Dropped]) -> list[Draft]:
    """As many files as the budget pays for, in order."""
    kept, spent = [], 0
    for draft in drafts:
        spent += len(draft.statements)
        if spent > budget:
            dropped.append(Dropped(draft.path, "budget", f"{len(draft.statements)} statements do not fit any more"))
            spent -= len(draft.statements)
        else:
            kept.append(replace(draft))
    return kept
