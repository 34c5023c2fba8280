"""All gates that need a server, in order: tried, looked up once more, compared with rewrites of itself, recorded."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from orchestrator.cases.dedup_search import Search
from orchestrator.generate.draft import Draft
from orchestrator.generate.executor import Executor, Recorded
from orchestrator.generate.gates import Dropped, static_gates
from orchestrator.generate.metamorphic import check
from orchestrator.generate.terms import Terms
from orchestrator.generate.trial import Trial, still_tests, try_drafts

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
    tell("running them once more")
    trial.kept, trial.expectations = _replayed(trial, executor)
    if not terms.is_product(executor):
        trial.expectations.clear()
    return trial


def _replayed(trial: Trial, executor: Executor) -> tuple[list[Draft], dict[str, str]]:
    """What the case runner finds again in its next run, without what no result file holds; and the expectations."""
    held: dict[str, Draft] = {}
    texts: dict[str, str] = {}
    pending = list(trial.kept)
    for _ in range(_ROUNDS):
        found = executor.recorded({draft.path: draft.text for draft in pending}) if pending else {}
        shorter = []
        for draft in pending:
            recorded = found[draft.path]
            left = _held(draft, recorded, trial)
            if left is draft:
                held[draft.path], texts[draft.path] = draft, recorded.text
            elif left is not None:
                shorter.append(left)
        pending = shorter
    trial.dropped += [Dropped(one.path, "stable", "its expectation does not hold in the next run") for one in pending]
    return [held[draft.path] for draft in trial.kept if draft.path in held], texts


def _held(draft: Draft, recorded: Recorded, trial: Trial) -> Draft | None:
    """The draft itself when its expectation holds; else what may still hold of it, perhaps nothing."""
    if recorded.left:  # its own database, when it ends in a transaction
        trial.dropped.append(Dropped(draft.path, "clean-up", f"leaves {', '.join(sorted(recorded.left))}"))
        return None
    for at, reason in recorded.differs.items():
        trial.dropped.append(Dropped(draft.path, "stable", f"{draft.statements[at].sql[:80]}: run again: {reason}"))
    shorter = draft.changed(dict.fromkeys(recorded.differs, ()))
    if not recorded.differs:
        return draft
    if still_tests(shorter, draft):
        return shorter
    trial.dropped.append(Dropped(draft.path, "stable", "nothing else is left to test"))
    return None
