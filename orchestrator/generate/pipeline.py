"""A change to cases that passed the gates, and the report of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from orchestrator.cases.dedup_search import Search
from orchestrator.generate.contribution import Contribution, Source
from orchestrator.generate.draft import Draft, files_of
from orchestrator.generate.executor import Executor
from orchestrator.generate.gates import Dropped, static_gates
from orchestrator.generate.generator import generate
from orchestrator.generate.inputs import Inputs
from orchestrator.generate.judged import on_server
from orchestrator.generate.report import Report, coverage_of
from orchestrator.generate.sixkinds import six_kinds
from orchestrator.generate.terms import Terms
from orchestrator.generate.treecopy import TreeCopy
from orchestrator.generate.trial import Trial
from orchestrator.planner.globs import matches

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Settings:
    """How to generate. ``target`` is a word of the product's ``version()``.

    A change in files of ``documentation`` alone gets no cases.
    """

    key: str
    budget: int
    seed: int
    target: str
    documentation: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Made:
    """What passed, and the report."""

    #: Texts by path relative to the tree of cases: scripts, and their expectations when the product recorded them.
    files: Mapping[str, str]
    report: Report


def make(
    inputs: Inputs, settings: Settings, executor: Executor | None, tell: Tell, source: Source | None = None
) -> Made:
    """Generate and send every draft through every gate that can be asked here.

    Raises:
        ServerError: the server is lost.
    """
    if all(matches(one.path, settings.documentation) for one in inputs.changes):
        notes = [*inputs.warnings, "no file of it but documentation changes: there is nothing to write cases for"]
        kinds = six_kinds(inputs, ())
        return Made({}, Report(inputs.title, settings.budget, settings.seed, kinds=kinds, warnings=notes))
    tell("choosing what to write")
    made = generate(inputs, settings.key, settings.budget, seed=settings.seed)
    asked = Contribution()
    if source is not None:
        tell("asking the model")
        asked = source.write(inputs, settings.key)
    drafts, warnings = [*made.drafts, *asked.drafts], [*inputs.warnings, *asked.notes]
    trial = Trial()
    report = Report(inputs.title, settings.budget, settings.seed, warnings=warnings)
    with TreeCopy() as copy:
        tell("looking for what is tested already")
        corpus = copy.at(inputs.library)
        kept, dropped = static_gates(drafts, Search(corpus))
        kept = _within(kept, settings.budget, dropped)
        if executor is not None:
            terms = Terms(settings.target, settings.budget, inputs.library.refusals)
            trial = on_server(kept, executor, terms, Search(corpus), tell)
            kept = trial.kept
            report.server, report.verified = executor.version, terms.is_product(executor)
    report.drafts, report.dropped, report.findings = kept, [*dropped, *trial.dropped], trial.findings
    report.targets = inputs.targets
    report.coverage = coverage_of(inputs, made, kept)
    report.kinds = six_kinds(inputs, kept, asked.kinds)
    return Made(files_of(kept, trial.expectations), report)


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
