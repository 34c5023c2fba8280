"""All gates that need a server, in order: tried, looked up once more, compared with rewrites of itself, recorded."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from orchestrator.cases.dedup_search import Search
from orchestrator.generate.draft import Draft
from orchestrator.generate.executor import Executor
from orchestrator.generate.gates import Dropped, static_gates
from orchestrator.generate.metamorphic import check
from orchestrator.generate.trial import Trial, is_product, try_drafts


def on_server(
    drafts: Sequence[Draft], executor: Executor, target: str, search: Search, tell: Callable[[str], None]
) -> Trial:
    """What a server leaves of drafts; with expectations when it is the product, ``target`` by its ``version()``.

    ``search`` has seen none of them yet: what a shortened file still says may be in the tree.

    Raises:
        ServerError: there is no server any more.
    """
    trial = try_drafts(drafts, executor, target, tell)
    trial.kept, repeated = static_gates(trial.kept, search)
    trial.dropped += repeated
    for draft in trial.kept:
        trial.findings += check(draft, executor)
    if is_product(executor, target):
        tell("recording expectations")
        trial.kept = [draft for draft in trial.kept if _recorded(draft, executor, trial)]
    return trial


def _recorded(draft: Draft, executor: Executor, trial: Trial) -> bool:
    """Whether the case runner finds the expectation of a draft again in its next run."""
    recorded = executor.recorded(draft.path, draft.text)
    if recorded.differs:
        trial.dropped.append(Dropped(draft.path, "stable", f"recorded, and run again: {recorded.differs}"))
        return False
    trial.expectations[draft.path] = recorded.text
    return True
