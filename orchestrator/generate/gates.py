"""The gates that need no server: SQL that can be read, the rules of the format, nothing forbidden, nothing twice."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from orchestrator.cases.dedup_search import Search
from orchestrator.cases.script import parse_script
from orchestrator.cases.sql.lexer import split_statements, without_comments
from orchestrator.cases.sql.tokens import executed_by, word_of
from orchestrator.cases.sql.words import SYSTEM_DATABASES
from orchestrator.generate.draft import Draft

_SYSTEM = f"`?(?:{'|'.join(sorted(SYSTEM_DATABASES))})"
_IF = r"(?:if\s+(?:not\s+)?exists\s+)?"
#: What no generated case may do, whoever wrote it: commands of the harness, the server's own objects, other hosts.
_FORBIDDEN = (
    (re.compile(r"(?im)^\s*(?:--|#|//)\s*@system\b"), "runs a command of the system"),
    (
        re.compile(rf"(?i)(?<!show )\b(?:drop|alter|create)\s+(?:database|schema)\s+{_IF}{_SYSTEM}\b"),
        "changes a database of the server",
    ),
    (
        re.compile(
            r"(?i)(?<!show )\b(?:drop|create(?:\s+\w+)?|truncate|delete\s+from|update|(?:insert|replace)\s+into"
            rf"|alter)\s+(?:table\s+{_IF})?{_SYSTEM}`?\."
        ),
        "changes a table of the server",
    ),
    (
        re.compile(
            r"(?i)\b(?:shutdown|kill|backup)\s+\w|\b(?:drop|alter)\s+account\s+(?:if\s+exists\s+)?`?sys\b"
            r"|\b(?:drop|alter)\s+user\s+(?:if\s+exists\s+)?['\"`]?(?:root|dump)\b|\bset\s+password\s*="
            r"|\b(?:sleep|benchmark)\s*\(\s*\d\d"
        ),
        "stops or hurts the server",
    ),
    (re.compile(r"(?i)\b\w*fault_(?:point|injection)\s*\(|\bmo_ctl\s*\([^;]*fault"), "injects faults into the server"),
    (
        re.compile(
            r"(?i)\binto\s+(?:outfile|dumpfile)\b|\b(?:s3|https?|mysql)://|\burl\s*=\s*['\"]?file:/(?!/*(?:\$resources|tmp)/)"
            r"|\b(?:load|save)_file\s*\(\s*['\"]"
            r"|\binfile\b[^;]{0,40}?(?:['\"]/|\.\./)"
        ),
        "reaches out of the server",
    ),
    (
        re.compile(
            r"(?i)\bset\s+(?:[^;]*,\s*)?(?:(?:global|persist|persist_only)\s+[\w`]|@@(?:global|persist|persist_only)\.)"
            r"|@@(?:global|persist|persist_only)\.\w+\s*:?="
        ),
        "changes a setting for everybody",
    ),
)
#: Around what only some servers execute: ``/*!40100 … */``.
_FOR_SOME = re.compile(r"/\*!\d*|\*/")
#: Statements that change tables of the database that is in use, where they name none.
_WRITES = frozenset({
    "create", "drop", "alter", "truncate", "rename", "insert", "replace", "update", "delete", "load",
})  # fmt: skip
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
    objection = forbidden(text) or _written_inside(draft)
    if objection:
        yield "policy", objection
    yield from _malformed(draft, text)
    script = search.read(text, draft.path)
    for finding in search.look_up(script):
        if finding.kind != "statement" and finding.duplicate:
            yield "duplicate", f"lines {finding.line}-{finding.last_line} repeat {finding.existing}"
            break


def forbidden(text: str) -> str:
    """What policy says against SQL, whatever comments stand between its words; empty when nothing."""
    plain = _FOR_SOME.sub(" ", without_comments(text))
    texts = (text,) if plain == text else (text, plain)
    return next((words for pattern, words in _FORBIDDEN for one in texts if pattern.search(one)), "")


def _written_inside(draft: Draft) -> str:
    """What policy says against a file that uses a database of the server and then changes what is there."""
    current = ""
    for one in draft.statements:
        words = [word_of(token) for token in executed_by(one.sql)[:2]]
        if words[:1] == ["use"]:
            current = words[-1]
        elif words and words[0] in _WRITES and current in SYSTEM_DATABASES:
            return f"changes something of the server after using {current}"
    return ""


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
