"""A command, what is expected of it and what the server gave, in few words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from orchestrator.cases.expectation import Column, Expectation, ResultSet
from orchestrator.cases.script import Command, Script
from workers.bvt.compare import Outcome, ServerMessage, Verdict, compare
from workers.bvt.strict import strict_differences

INTEGER, BIGINT, DECIMAL, DOUBLE, CHAR, VARCHAR = 4, -5, 3, 8, 1, 12


def rows(*given: Sequence[str | None], types: Sequence[int] = (), labels: str = "abcdef") -> Outcome:
    """A result set of ``given``; every column a VARCHAR where ``types`` does not say."""
    width = max([len(types), *map(len, given)])
    columns = tuple(Column(labels[n], types[n] if n < len(types) else VARCHAR) for n in range(width))
    return Outcome(result=ResultSet(columns, given))


def error(message: str, code: int = 0, sqlstate: str = "") -> Outcome:
    return Outcome(error=ServerMessage(message, code, sqlstate))


def command(sql: str = "select 1;", **options: Any) -> Command:  # noqa: ANN401
    return Command(sql, 1, 1, **options)


def judged(expected: str | None, outcome: Outcome, *, metadata: bool = True, **options: Any) -> Verdict:  # noqa: ANN401
    script = Script("a.sql", (), doc_metacmp=options.pop("doc_metacmp", None))
    return compare(command(**options), script, Expectation(expected), outcome, metadata=metadata)


def found(expected: str | None, outcome: Outcome, *, metadata: bool = True, **options: Any) -> list[str]:  # noqa: ANN401
    script = Script("a.sql", ())
    return strict_differences(command(**options), script, Expectation(expected), outcome, metadata=metadata)
