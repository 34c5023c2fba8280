"""Tools about SQL cases."""

from __future__ import annotations

import dataclasses
from typing import Annotated

from pydantic import Field

from orchestrator.cases.dedup_search import Finding
from orchestrator.mcp.desk import McpDesk
from orchestrator.service.cases import MAX_SCRIPT, CaseHit, CaseText

_FINDINGS = 50


@dataclasses.dataclass(frozen=True, slots=True)
class Duplicates:
    """What of a script is tested already."""

    statements: int
    #: Whether a whole script or block is a duplicate; variants and single statements are advice.
    duplicate: bool
    findings: tuple[Finding, ...]
    findings_total: int


class Casework:
    """Each public method is a tool."""

    def __init__(self, desk: McpDesk) -> None:
        self._desk = desk

    def search_cases(
        self,
        query: Annotated[str, Field(min_length=1, max_length=500, description="SQL words, functions, names.")],
        limit: Annotated[int, Field(ge=1, le=50)] = 10,
    ) -> list[CaseHit]:
        """Scripts of the case tree that have these words, best first, with their best lines."""
        self._desk.reader()
        return self._desk.cases.search(query, limit)

    def read_case(
        self, path: Annotated[str, Field(max_length=500, description="Path of a script in the case tree.")]
    ) -> CaseText:
        """A script and the result it expects."""
        self._desk.reader()
        return self._desk.cases.read(path)

    def check_case(
        self,
        script: Annotated[str, Field(min_length=1, max_length=MAX_SCRIPT, description="The text of a script.")],
        path: Annotated[str, Field(max_length=300, description="What it will be called.")] = "new.sql",
    ) -> Duplicates:
        """Whether the tree tests this already, by shape, not by text: names and literals do not matter."""
        self._desk.reader()
        statements, found = self._desk.cases.check(script, path)
        return Duplicates(statements, any(one.duplicate for one in found), tuple(found[:_FINDINGS]), len(found))
