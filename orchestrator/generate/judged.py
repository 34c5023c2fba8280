"""All gates that need a server, in order: tried, looked up once more, compared with rewrites of itself, recorded."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from orchestrator.cases.dedup_search import Search
from orchestrator.generate.draft import Draft
from orchestrator.generate.executor import Executor
from orchestrator.generate.gates import Dropped, static_gates
from orchestrator.generate.metamorphic import check
from orchestrator.generate.terms import Terms
from orchestrator.generate.trial import Trial, tests, try_drafts

#: How often a file is shortened for what does not hold.
_ROUNDS = 3


def on_server(
    drafts: Sequence[Draft], executor: Executor, terms: Terms, search: Search, tell: Callable[[str], None]
) -> Trial:
    """What a server leaves of drafts; with expectations when it is the product.

    ``search`` has seen none of them yet: what a shortened file still says may be in the tree.

    Raises:
        ServerError: there is no server any more.
    """
    trial = try_drafts(drafts, executor, terms, tell)
    trial.kept, repeated = static_gates(trial.kept, search)
    trial.dropped += repeated
    for draft in trial.kept:
        trial.findings += check(draft, executor)
    if terms.is_product(executor):
        tell("recording expectations")
        trial.kept = [left for draft in trial.kept for left in _recorded(draft, executor, trial)]
    return trial


def _recorded(draft: Draft, executor: Executor, trial: Trial) -> Iterator[Draft]:
    """What the case runner finds again in its next run: the draft, without what no result file holds, or nothing."""
    original = draft
    for _ in range(_ROUNDS):
        recorded = executor.recorded(draft.path, draft.text)
        if not recorded.differs:
            trial.expectations[draft.path] = recorded.text
            yield draft
            return
        for at, reason in recorded.differs.items():
            trial.dropped.append(Dropped(draft.path, "stable", f"{draft.statements[at].sql[:80]}: run again: {reason}"))
        draft = draft.changed(dict.fromkeys(recorded.differs, ()))
        if not tests(draft, original):
            break
    trial.dropped.append(Dropped(draft.path, "stable", "its expectation does not hold in the next run"))
