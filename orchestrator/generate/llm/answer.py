"""The typed answer of a model, and what is wrong with one that is none."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from orchestrator.cases.sql.lexer import split_statements
from orchestrator.generate.cleanup import cleanup
from orchestrator.generate.contribution import Contribution
from orchestrator.generate.draft import Draft, Written, comment
from orchestrator.generate.library import read_script
from orchestrator.generate.sixkinds import KINDS, Coverage, State

#: Bounds of an answer; a longer one is not read further.
LONGEST_ANSWER = 200_000
_MOST_CASES, _MOST_STATEMENTS, _LONGEST_STATEMENT = 20, 100, 4_000
_FENCE = re.compile(r"\A\s*```(?:json)?\s*(.*?)\s*```\s*\Z", re.DOTALL)


class Case(BaseModel):
    """One case as the model writes it."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(pattern=r"^[a-z0-9_]{1,60}$")
    why: str = Field(max_length=400)
    statements: list[str] = Field(min_length=1, max_length=_MOST_STATEMENTS)

    @field_validator("statements")
    @classmethod
    def _single(cls, statements: list[str]) -> list[str]:
        kept = []
        for sql in statements:
            text = sql.strip().removesuffix(";").rstrip()
            if len(text) > _LONGEST_STATEMENT or "\0" in text:
                raise ValueError("a statement is too long")
            if len(list(split_statements(text))) != 1:
                raise ValueError(f"{text[:60]!r} is not one statement")
            if re.search(r"(?m)^\s*(?:--|#|//)", text):
                raise ValueError("a statement holds a comment line")
            kept.append(text)
        return kept


class Opinion(BaseModel):
    """What the model thinks of one kind of test."""

    model_config = ConfigDict(extra="forbid")

    kind: Literal["BVT", "stability", "chaos", "big data", "PITR", "snapshot"]
    state: State
    reason: str = Field(min_length=1, max_length=400)


class Answer(BaseModel):
    """All that a model answers."""

    model_config = ConfigDict(extra="forbid")

    cases: list[Case] = Field(min_length=1, max_length=_MOST_CASES)
    tests: list[Opinion] = Field(default=[], max_length=len(KINDS))


def read_answer(text: str) -> Answer:
    """The answer in a model's text.

    Raises:
        ValueError: it is none; the message says what is wrong, for the model to repair.
    """
    if len(text) > LONGEST_ANSWER:
        raise ValueError(f"the answer is longer than {LONGEST_ANSWER} characters")
    fenced = _FENCE.match(text)
    try:
        return Answer.model_validate_json(fenced[1] if fenced else text)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, first["loc"])) or "the answer"
        raise ValueError(f"{where}: {first['msg']}") from None


def contribution_of(answer: Answer, key: str, category: str, notes: Sequence[str]) -> Contribution:
    """The cases as drafts, with nothing of the model in their paths but checked names, and its opinions."""
    drafts = [
        Draft(
            f"{category}/gen_{key}_model_{number:02}_{case.name}.test",
            case.why,
            (*map(Written, case.statements), *(Written(sql, cleanup=True) for sql in _left_to_do(case))),
            "model",
        )
        for number, case in enumerate(answer.cases, 1)
    ]
    kinds = [Coverage(one.kind, one.state, comment(one.reason)) for one in answer.tests]
    return Contribution(drafts, notes, kinds)


def _left_to_do(case: Case) -> list[str]:
    """What a case should have ended with: the model is told so, and does not always do it."""
    return cleanup(read_script("".join(f"{sql};\n" for sql in case.statements)).statements)
