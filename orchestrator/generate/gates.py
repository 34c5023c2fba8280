"""The gates that need no server: SQL that can be read, the rules of the format, nothing forbidden, nothing twice."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from orchestrator.cases.dedup_search import Search
from orchestrator.cases.script import parse_script
from orchestrator.cases.sql.lexer import split_statements
from orchestrator.generate.draft import Draft
from orchestrator.generate.pieces import unread
from orchestrator.generate.policy import forbidden, written_inside

_LONGEST_STATEMENT = 20_000
_MOST_STATEMENTS = 400


@dataclass(frozen=True, slots=True)
class Dropped:
    """A case or a statement that a gate did not let through."""

    path: str
    gate: str
    reason: str


def static_gates(drafts: Sequence[Draft], search: Search) -> tuple[list[Draft], list[Dropped]]:
    """Those that pass, and the others with their reason. ``search`` knows what the tree tests already."""
    kept: list[Draft] = []
    dropped: list[Dropped] = []
    for draft in drafts:
        reason = next(_reasons(draft, search), None)
        if reason is None:
            kept.append(draft)
        else:
            dropped.append(Dropped(draft.path, *reason))
    return kept, dropped


def _reasons(draft: Draft, search: Search) -> Iterator[tuple[str, str]]:
    text = draft.text
    written = [one.sql for one in draft.statements]
    objection = forbidden(text) or written_inside(written) or unread(written)
    if objection:
        yield "policy", objection
    yield from _malformed(draft, text)
    script = search.read(text, draft.path)
    for finding in search.look_up(script):
        if finding.kind != "statement" and finding.duplicate:
            yield "duplicate", f"lines {finding.line}-{finding.last_line} repeat {finding.existing}"
            break


def _malformed(draft: Draft, text: str) -> Iterator[tuple[str, str]]:
    """The format's rules: what is written is what mo-tester reads back, statement for statement."""
    script = parse_script(text, draft.path)
    if script.problems:
        yield "format", str(script.problems[0])
    if not draft.statements or len(draft.statements) > _MOST_STATEMENTS:
        yield "format", f"{len(draft.statements)} statements"
    if len(script.commands) != len(draft.statements):
        yield "format", f"{len(draft.statements)} statements read back as {len(script.commands)}"
    for one in draft.statements:
        if len(one.sql) > _LONGEST_STATEMENT or not list(split_statements(one.sql)):
            yield "format", "an empty or endless statement"
