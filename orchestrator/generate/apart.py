"""Queries that compute several things, and what a server answers to each thing alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from orchestrator.cases.script import database_of
from orchestrator.generate.draft import Draft
from orchestrator.generate.executor import Answer, Executor
from orchestrator.generate.split import Parts, parts_of


@dataclass(frozen=True, slots=True)
class Apart:
    """A query and its items, each with the answer to a query of it alone."""

    parts: Parts
    answered: tuple[tuple[str, Answer], ...]


def taken_apart(draft: Draft, wrong: Sequence[int], executor: Executor) -> dict[int, Apart]:
    """Of the statements at ``wrong`` those that compute several things, some of which are the reason.

    All are taken apart in one run: the statements before a query are what it needs.

    Raises:
        ServerError: there is no server any more.
    """
    found = {at: parts_of(draft.statements[at].sql) for at in wrong}
    split = {at: parts for at, parts in found.items() if parts is not None and len(parts.items) > 1}
    if not split:
        return {}
    asked: list[str] = []
    places: dict[int, int] = {}
    for at, one in enumerate(draft.statements):
        places[at] = len(asked)
        asked += [split[at].query((item,)) for item in split[at].items] if at in split else [one.sql]
    answers = executor.run(asked, database_of(draft.path))
    apart = {
        at: Apart(parts, tuple(zip(parts.items, answers[places[at] :], strict=False))) for at, parts in split.items()
    }
    return {at: one for at, one in apart.items() if any(not answer.succeeded for _, answer in one.answered)}
