"""Tools about SQL cases."""

from __future__ import annotations

import dataclasses
from typing import Annotated

from pydantic import Field

from orchestrator.cases.dedup_search import Finding
from orchestrator.mcp.desk import McpDesk, Offset
from orchestrator.service.caller import Role
from orchestrator.service.cases import MAX_SCRIPT, CaseHit, CaseText
from orchestrator.service.change import Change
from orchestrator.service.fields import Pull
from orchestrator.service.generation import MAX_BUDGET, CaseDraft, Gap

_FINDINGS = 50


@dataclasses.dataclass(frozen=True, slots=True)
class Duplicates:
    """What of a script is tested already."""

    statements: int
    #: Whether a whole script or block is a duplicate; variants and single statements are advice.
    duplicate: bool
    findings: tuple[Finding, ...]
    findings_total: int


@dataclasses.dataclass(frozen=True, slots=True)
class GeneratedPage:
    """Scripts that were written for a change."""

    title: str
    statements: int
    drafts: tuple[CaseDraft, ...]
    drafts_total: int
    next: int | None
    #: What the change makes worth testing, and whether it is tested before and after.
    gaps: tuple[Gap, ...]
    dropped: int
    warnings: tuple[str, ...]


class Casework:
    """Each public method is a tool."""

    def __init__(self, desk: McpDesk) -> None:
        self._desk = desk

    def search_cases(
        self,
        query: Annotated[str, Field(min_length=1, max_length=500, description="SQL words, functions, names.")],
        limit: Annotated[int, Field(ge=1, le=50, description="Scripts at most.")] = 10,
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

    def generate_cases(  # noqa: PLR0913 - what, how much and which page
        self,
        pull: Annotated[Pull | None, Field(description="Number of a pull request in the clone.")] = None,
        base: Annotated[str | None, Field(max_length=250, description="Revision of the clone it is for.")] = None,
        head: Annotated[str | None, Field(max_length=250, description="The change, with base.")] = None,
        budget: Annotated[int, Field(ge=1, le=MAX_BUDGET, description="Statements in all scripts together.")] = 60,
        seed: Annotated[int, Field(ge=0, le=10**6, description="Another one varies the values.")] = 0,
        offset: Offset = 0,
        limit: Annotated[int, Field(ge=1, le=20, description="Scripts of a page.")] = 5,
    ) -> GeneratedPage:
        """Write the SQL cases that a change lacks, without what the tree tests already. May take a minute.

        Nothing is stored: a person or a pull request takes what is good. The results are not recorded yet: run the
        scripts on the product for that. The same arguments give the same scripts.
        """
        self._desk.writer().needs(Role.DEVELOPER, "generate_cases")
        made = self._desk.generation.make(Change(pull=pull, base=base, head=head), budget, seed)
        page = made.drafts[offset : offset + limit]
        following = offset + limit if offset + limit < len(made.drafts) else None
        return GeneratedPage(
            made.title,
            made.statements,
            tuple(dataclasses.replace(draft, text=draft.text[:MAX_SCRIPT]) for draft in page),
            len(made.drafts),
            following,
            made.gaps[:_FINDINGS],
            made.dropped,
            made.warnings,
        )
