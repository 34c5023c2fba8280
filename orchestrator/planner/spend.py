"""Select under a budget: the cases most likely to matter for their cost, and what a larger budget would add."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from orchestrator.domain.change import ChangeKind, DiffSummary
from orchestrator.domain.plan import Omitted, Priority, Reason, Suite
from orchestrator.domain.profile import Profile
from orchestrator.planner.estimate import seconds
from orchestrator.planner.evidence import Context
from orchestrator.planner.globs import matches
from orchestrator.planner.packages import and_below, package_of, to_analyse
from orchestrator.planner.rank import Candidate, Ranked
from orchestrator.planner.reasons import as_reasons, priority_of
from orchestrator.planner.table import category_of

if TYPE_CHECKING:
    from orchestrator.history.because import Explainer
    from orchestrator.history.outlook import Outlook

#: What a share of whole statements may lose in floating point.
_HAIR = 1e-6
_EDITED = "the change edits it"
_ALWAYS = "the profile always runs it"
_NOT_LIKELY = "its unit tests are not likely to be concerned"


@dataclass(slots=True)
class Spent:
    """What the budget bought: candidates of SQL cases and unit tests, and everything it did not."""

    chosen: list[Candidate] = field(default_factory=list)
    omitted: list[Omitted] = field(default_factory=list)
    note: str = ""


def spend(ranked: Ranked, context: Context, change: DiffSummary, outlook: Outlook) -> Spent:
    """SQL cases within the budget of ``context``, and the unit tests that are likely enough.

    What the change edits, what the profile always runs and what a person asked for is taken first, whatever it costs.
    """
    from orchestrator.history.because import Explainer

    explainer = Explainer(outlook)
    spent = _cases(ranked, context, change, explainer)
    packages = _packages(ranked, context, change, explainer)
    return Spent(spent.chosen + packages.chosen, spent.omitted + packages.omitted, spent.note)


@dataclass(frozen=True, slots=True)
class _Cases:
    """The SQL cases to choose from, by stem."""

    explainer: Explainer
    #: Statements of each.
    sizes: dict[str, int]
    #: Paths of the scripts that the model does not know.
    new: dict[str, str]
    #: Why each is taken that is taken whatever it costs.
    forced: dict[str, str]

    def file_of(self, stem: str) -> str:
        """The file of a case below its category."""
        if stem in self.new:
            extension = self.new[stem].rpartition(".")[2]
            return f"{stem.partition('/')[2]}.{extension}"
        return self.explainer.outlook.book.file_of(stem).partition("/")[2]


def _cases(ranked: Ranked, context: Context, change: DiffSummary, explainer: Explainer) -> Spent:
    outlook, budget = explainer.outlook, context.budget
    if budget is None:
        return Spent()
    new, sizes = _scripts_after(change, context.profile, outlook)
    wanted = dict.fromkeys(new, _EDITED) | _forced(ranked, context, change, outlook)
    forced = {stem: why for stem, why in wanted.items() if stem in sizes}
    cases = _Cases(explainer, sizes, new, forced)
    order = [*forced, *(stem for stem in outlook.ranked_cases() if stem in sizes and stem not in forced)]
    total = sum(sizes.values()) or 1
    limit = budget.statements(total, context.profile.bvt.seconds_per_statement) + _HAIR
    taken: list[str] = []
    left: dict[str, float] = {}
    used, reach = 0, 0
    for stem in order:
        size = cases.sizes[stem]
        reach += size
        if stem in forced or used + size <= limit:
            used += size
            taken.append(stem)
        else:
            left[stem] = reach / total
    explainer.expect("cases", [stem for stem in taken if stem not in new])
    explainer.expect("cases", list(left), rough=True)
    omitted = [_omitted(stem, share, explainer, budget.text) for stem, share in left.items()]
    inside = Counter(stem.partition("/")[0] for stem in cases.sizes)
    by_category: dict[str, list[str]] = {}
    for stem in taken:
        by_category.setdefault(stem.partition("/")[0], []).append(stem)
    chosen = [_category(stems, inside[name], cases, context) for name, stems in by_category.items()]
    chosen += _unlearned_categories(ranked, context, inside)
    note = f"Budget {budget.text}: {len(taken)} of {len(order)} SQL cases, {used / total:.1%} of all statements."
    return Spent(chosen, omitted, note)


def _scripts_after(change: DiffSummary, profile: Profile, outlook: Outlook) -> tuple[dict[str, str], dict[str, int]]:
    """The paths of the scripts that the change brings and the model does not know, and the statements of all there are.

    The model knows of both where it has seen the tree; a diff comes without one. A script that moved has as many
    statements as it had, a new one as it has lines.
    """
    from orchestrator.history.layout import SCRIPTS, layout_of

    layout, new = layout_of(profile), dict[str, str]()
    known = {layout.cases + outlook.book.file_of(stem): stem for stem in outlook.statements}
    alive = [file for file in change.files if file.change_kind is not ChangeKind.DELETED]
    left = {file.old_path for file in change.files}
    left |= {file.path for file in change.files if file.change_kind is ChangeKind.DELETED}
    gone = {stem for path, stem in known.items() if path in left}
    sizes = {stem: size for stem, size in outlook.statements.items() if stem not in gone}
    for file in alive:
        stem, extension = layout.case_of(file.path) or ("", "")
        if extension in SCRIPTS and stem not in sizes:
            moved = known.get(file.old_path or "")
            new[stem], sizes[stem] = file.path, file.added if moved is None else outlook.statements[moved]
    return new, sizes


def _unlearned_categories(ranked: Ranked, context: Context, learned: Collection[str]) -> list[Candidate]:
    """Of the categories of which the model cannot say anything those that others call for or that always run, whole."""
    called = [one for one in ranked.candidates if one.suite is Suite.BVT and one.name not in learned]
    reasons = (Reason("rules", 1.0, _ALWAYS),)
    left = {*context.profile.bvt.always} & context.categories - {*learned, *(one.name for one in called)}
    always = [
        Candidate(Suite.BVT, name, 1.0, Priority.HIGH, reasons, seconds=seconds(Suite.BVT, name, (), context))
        for name in sorted(left)
    ]
    return called + always


def _forced(ranked: Ranked, context: Context, change: DiffSummary, outlook: Outlook) -> dict[str, str]:
    """Cases that are taken whatever they cost, each with the reason."""
    root = context.profile.bvt.cases.rstrip("/") + "/"
    found: dict[str, str] = {}
    for file in change.files:
        if category_of(file.path, context.profile) is not None:
            stem = file.path[len(root) :].rpartition(".")[0]
            if stem in outlook.statements:
                found[stem] = _EDITED
    asked = {candidate.name for candidate in ranked.candidates if candidate.suite is Suite.BVT and candidate.asked}
    for stem in sorted(outlook.statements):
        category = stem.partition("/")[0]
        if category in asked:
            found.setdefault(stem, "asked for by name")
        elif category in context.profile.bvt.always or stem in context.profile.bvt.always:
            found.setdefault(stem, _ALWAYS)
    return found


def _category(stems: list[str], inside: int, cases: _Cases, context: Context) -> Candidate:
    """The candidate of the taken cases of one category; without files when they are all of the ``inside`` there are."""
    outlook, name = cases.explainer.outlook, stems[0].partition("/")[0]
    files = {stem: cases.file_of(stem) for stem in sorted(stems)}
    reasons: list[Reason] = []
    for stem, file in files.items():
        if stem in cases.forced:
            reasons.append(Reason("rules", 1.0, cases.forced[stem], file))
        if stem not in cases.new:
            reasons += as_reasons(cases.explainer.case(stem), file)
    best = max(outlook.cases.get(stem, 1.0) for stem in stems)
    listed = () if len(stems) == inside else tuple(sorted(files.values()))
    price = sum(cases.sizes[stem] for stem in stems) * context.profile.bvt.seconds_per_statement
    priority = Priority.HIGH if any(stem in cases.forced for stem in stems) else priority_of(best)
    return Candidate(Suite.BVT, name, round(best, 4), priority, tuple(reasons), listed, None, round(price, 1))


def _omitted(stem: str, reach: float, explainer: Explainer, budget: str) -> Omitted:
    """A case the budget did not buy, with the share of all statements at which it would have."""
    outlook = explainer.outlook
    return Omitted(
        Suite.BVT,
        outlook.book.file_of(stem),
        round(outlook.cases[stem], 4),
        f"beyond the budget of {budget}",
        as_reasons(explainer.case(stem, rough=True)),
        min(1.0, math.ceil(reach * 10_000 - _HAIR) / 10_000),
    )


def _packages(ranked: Ranked, context: Context, change: DiffSummary, explainer: Explainer) -> Spent:
    """The unit tests that are likely enough; a rule's pattern is left out when the model knows better.

    A package of which nothing but unit tests changes is not known to the model, and runs, too.
    """
    outlook = explainer.outlook
    own = {package for file in change.files if (package := package_of(file)) is not None}
    chosen = outlook.chosen_packages(own)
    beyond = [name for name in outlook.ranked_packages() if name not in chosen]
    explainer.expect("packages", chosen)
    explainer.expect("packages", beyond, rough=True)
    spent = Spent()
    for name in chosen:
        reasons = as_reasons(explainer.package(name))
        chance = outlook.packages[name]
        price = seconds(Suite.UNIT_TEST, name, (), context)
        spent.chosen.append(
            Candidate(Suite.UNIT_TEST, name, round(chance, 4), priority_of(chance), reasons, seconds=price)
        )
    for name in sorted(set(to_analyse(change, None)) - outlook.packages.keys()):
        price = seconds(Suite.UNIT_TEST, name, (), context)
        reasons = (Reason("rules", 1.0, _EDITED),)
        spent.chosen.append(Candidate(Suite.UNIT_TEST, name, 1.0, Priority.HIGH, reasons, seconds=price))
    taken = {candidate.name for candidate in spent.chosen}
    spent.chosen += [one for one in _unlearned(ranked, context, change, outlook) if one.name not in taken]
    for name in beyond:
        chance, reasons = round(outlook.packages[name], 4), as_reasons(explainer.package(name, rough=True))
        spent.omitted.append(Omitted(Suite.UNIT_TEST, name, chance, _NOT_LIKELY, reasons))
    return spent


def _unlearned(ranked: Ranked, context: Context, change: DiffSummary, outlook: Outlook) -> list[Candidate]:
    """The unit tests of which the model cannot say anything, and others do.

    Rules do because of files that are no Go code and that history has not seen; failures of patterns do, as far as
    they weigh as much as a package has to.
    """
    profile = context.profile
    strange = [
        file.path
        for file in change.files
        if package_of(file) is None
        and category_of(file.path, profile) is None
        and not outlook.knows(file.path)
        and not matches(file.path, profile.documentation)
    ]
    rules = [rule for rule in profile.rules if any(path.startswith(rule.prefix) for path in strange)]
    called = {and_below(package) for rule in rules for package in rule.unit_tests}
    return [
        one
        for one in ranked.candidates
        if one.suite is Suite.UNIT_TEST and one.name not in outlook.packages
        if one.name in called or _failed(one) >= outlook.ranker.package_floor
    ]


def _failed(candidate: Candidate) -> float:
    """What past failures say of a candidate; less than any chance where they say nothing."""
    return max((reason.weight for reason in candidate.reasons if reason.strategy == "failures"), default=-1.0)
