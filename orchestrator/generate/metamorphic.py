"""Pairs of queries that must agree whatever the data: a disagreement is a wrong answer of the server.

In the manner of NoREC (https://arxiv.org/abs/2007.08292: a predicate in WHERE, and computed for each row) and TLP
(https://dl.acm.org/doi/10.1145/3428279: rows where a predicate is true, false and null are all rows).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from orchestrator.cases.script import database_of
from orchestrator.generate.draft import Draft, is_unstable
from orchestrator.generate.executor import Answer, Executor
from orchestrator.generate.split import parts_of
from orchestrator.generate.trial import Finding

_MOST_PAIRS = 60


class Pair(NamedTuple):
    """Two queries with one answer."""

    left: str
    right: str
    law: str


def pairs(draft: Draft) -> Iterator[Pair]:
    """Pairs over the table ``t1`` of a file of queries."""
    for one in draft.statements:
        parts = parts_of(one.sql)
        if parts is None or parts.rest.strip() != "from t1":
            continue
        for item in parts.items:
            if " over" not in item.lower() and not is_unstable(item):
                yield from _laws(item)


def _laws(item: str) -> Iterator[Pair]:
    holds = f"({item}) = ({item})"
    yield Pair(
        f"select count(*) from t1 where {holds}",
        f"select coalesce(sum(case when {holds} then 1 else 0 end), 0) from t1",
        "NoREC: as many rows pass a predicate as it is true for",
    )
    yield Pair(
        f"select (select count(*) from t1 where ({item}) is null)"
        f" + (select count(*) from t1 where ({item}) is not null)",
        "select count(*) from t1",
        "TLP: null or not null, every row is one of the two",
    )


def check(draft: Draft, executor: Executor) -> list[Finding]:
    """The pairs that disagree on a server. A query that it refuses proves nothing.

    Raises:
        ServerError: there is no server any more.
    """
    found = list(pairs(draft))[:_MOST_PAIRS]
    setup = [one.sql for one in draft.statements if one.sql.lower().startswith(("create table t1", "insert into t1"))]
    if not found or not setup:
        return []
    asked = [query for pair in found for query in (pair.left, pair.right)]
    answers = executor.run([*setup, *asked, "drop table t1"], database_of(draft.path))[len(setup) : -1]
    return list(_disagreements(draft, found, answers))


def _disagreements(draft: Draft, found: Sequence[Pair], answers: Sequence[Answer]) -> Iterator[Finding]:
    for at, pair in enumerate(found):
        left, right = answers[2 * at], answers[2 * at + 1]
        if not (left.succeeded and right.succeeded):
            continue
        if _number(left) != _number(right):
            yield Finding(
                draft.path, f"{pair.left}; {pair.right}", f"{pair.law}, but {_number(left)} is not {_number(right)}"
            )


def _number(answer: Answer) -> str:
    return str(answer.rows[0][0]) if answer.rows and answer.rows[0] else "nothing"
