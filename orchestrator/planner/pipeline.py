"""The stages in a row: propose → rank → select → shard → verify → TestPlan. Each is a value that prints."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from orchestrator.domain.change import ChangeKind, DiffSummary
from orchestrator.domain.errors import UsageError, nearest
from orchestrator.domain.plan import TestPlan
from orchestrator.domain.profile import Profile
from orchestrator.planner.cost import cost
from orchestrator.planner.encode import plan_id
from orchestrator.planner.estimate import known_seconds
from orchestrator.planner.evidence import Context, Evidence, Remark, Strategy, Tree
from orchestrator.planner.learned import Advice
from orchestrator.planner.measured import Measured
from orchestrator.planner.names import is_safe_path, left_out
from orchestrator.planner.rank import rank
from orchestrator.planner.select import Selected, select
from orchestrator.planner.shard import shard
from orchestrator.planner.split import groups_in
from orchestrator.planner.strategies import DEFAULT, OF_MODEL, strategies_named
from orchestrator.planner.strategies.always import Always
from orchestrator.planner.strategies.asked import Asked
from orchestrator.planner.summary import summarize
from orchestrator.planner.table import category_of, unmatched
from orchestrator.planner.tasks import make_task
from orchestrator.planner.verify import check


@dataclass(frozen=True, slots=True)
class Proposed:
    """The first stage: what all strategies say."""

    evidence: tuple[Evidence, ...]
    remarks: tuple[Remark, ...]

    @property
    def veto(self) -> str | None:
        """Why the change needs no test, if a strategy says so."""
        return next((remark.text for remark in self.remarks if remark.vetoes), None)

    def __str__(self) -> str:
        lines = [f"{e.strategy}: {e.suite.label} {e.name} {e.weight:.2f}: {e.detail}" for e in self.evidence]
        return "\n".join([*(f"{r.strategy}: {r.text}" for r in self.remarks), *lines])


def build_plan(  # noqa: PLR0913 - the inputs of a plan
    change: DiffSummary,
    profile: Profile,
    *,
    strategies: Sequence[str] = DEFAULT,
    tree: Tree | None = None,
    asked: Sequence[str] = (),
    measured: Measured | None = None,
    advice: Advice | None = None,
) -> TestPlan:
    """Plan the tests of ``change``.

    ``tree`` is the head's, when a repository is at hand; ``measured`` what tests took the last times; ``advice`` what a
    history model says, and what SQL cases may cost. ``asked`` are categories a person wants in any case: one that does
    not exist is a :class:`UsageError`. The same arguments give the same plan, byte for byte.
    """
    learned = advice.outlook.categories if advice is not None and advice.outlook is not None else ()
    context = make_context(change, profile, tree, asked, measured, learned)
    if advice is not None:
        outlook = advice.outlook.lifted(advice.failed) if advice.outlook is not None else None
        context = dataclasses.replace(context, outlook=outlook, failed=advice.failed, budget=advice.budget)
    silent = ""
    mute = {*(OF_MODEL if context.outlook is None else ()), *(() if context.failed else ("failures",))}
    if strategies and mute.issuperset(strategies):  # a plan of nothing would pass
        silent = f"There is nothing that {', '.join(strategies)} could draw on: rules decide."
        strategies = DEFAULT
    if tree is not None and profile.unit_tests.format == "pytest" and "python" in strategies:
        from orchestrator.planner.python.graph import build_graph
        from orchestrator.planner.python.roots import SETTINGS

        moved = [file.old_path for file in change.files if file.old_path]
        graph = build_graph(tree.texts(".py"), tree.files("."), moved, tree.texts(SETTINGS))
        context = dataclasses.replace(context, graph=graph)
    proposed = propose(change, context, (*strategies_named(strategies), Asked(), Always()))
    selected = select(rank(proposed.evidence, context), context, change, proposed.veto)
    heard = (advice.note, *advice.damaged) if advice else ()
    told = [text for text in (*heard, silent, selected.note) if text]
    return _assemble(change, context, proposed, selected, told)


def make_context(  # noqa: PLR0913 - the inputs of a plan
    change: DiffSummary,
    profile: Profile,
    tree: Tree | None = None,
    asked: Sequence[str] = (),
    measured: Measured | None = None,
    learned: Iterable[str] = (),
) -> Context:
    """What the strategies may look at; checks ``asked`` against the categories there are.

    Without a tree those ``learned`` by a model are there, too: the tree it ends with is better than none.
    """
    if tree is not None:
        categories = frozenset(filter(is_safe_path, tree.directories(profile.bvt.cases)))
    else:
        alive = (file.path for file in change.files if file.change_kind is not ChangeKind.DELETED)
        changed = {category for path in alive if (category := category_of(path, profile))}
        categories = frozenset({*profile.bvt.categories, *changed, *learned})
    for name in asked:
        if name not in categories:
            raise UsageError(f"no category is called {name!r}", nearest(name, categories))
    return Context(profile, categories, tree, tuple(dict.fromkeys(asked)), measured or Measured())


def propose(change: DiffSummary, context: Context, strategies: Iterable[Strategy]) -> Proposed:
    """Ask every strategy."""
    said = [word for strategy in strategies for word in strategy.propose(change, context)]
    return Proposed(
        tuple(word for word in said if isinstance(word, Evidence)),
        tuple(word for word in said if isinstance(word, Remark)),
    )


def _assemble(
    change: DiffSummary, context: Context, proposed: Proposed, selected: Selected, told: Sequence[str]
) -> TestPlan:
    profile = context.profile
    whole = [make_task(candidate, context) for candidate in selected.chosen]
    sharded = shard(whole, profile, context.measured, groups_in(context))
    price = cost(sharded.shards, profile.dispatch.workers)
    measured = sum(known_seconds(t.type, t.name, t.files, context) is not None for t in sharded.tasks)
    notes = [f"{measured} of {len(sharded.tasks)} durations are measured."] if measured else []
    odd = context.tree.directories(profile.bvt.cases) - context.categories if context.tree is not None else ()
    notes += [left_out(odd)] if odd else []
    notes += [f"Skipped {task.id}: {task.note}." for task in sharded.tasks if task.skip]
    plan = TestPlan(
        id="",
        created_at=change.head_time,
        summary=summarize(change, sharded.tasks, price, proposed.veto),
        profile=profile.name,
        diff_summary=change,
        tasks=sharded.tasks,
        shards=sharded.shards,
        omitted=selected.omitted,
        cost=price,
        unmatched=unmatched(change, profile),
        notes=(*told, *(remark.text for remark in proposed.remarks), *notes),
    )
    check(plan, profile)
    return dataclasses.replace(plan, id=plan_id(plan))
