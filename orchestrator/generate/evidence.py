"""What a change says about the SQL that it wants: its words, the SQL in its unit tests, and likelihoods added up."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from orchestrator.cases.sql.lexer import split_statements
from orchestrator.surface.model import ChangedFile, Kind, Target
from orchestrator.surface.targets import changed_text

WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]{2,}")
_CAMEL = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+")
_TEXT = re.compile(r'"((?:[^"\\\n]|\\.)*)"|`([^`]*)`')
_SQL = re.compile(
    r"(?i)^\s*\(?\s*(?:select|with|insert|replace|update|delete|create|drop|alter|show|explain|set|grant|revoke|prepare"
    r"|execute|truncate|rename|load|restore|lock|unlock|values|call|data\s+branch|analyze|begin|start|use|remove)\b[\s(]"
)
_SHORTEST, _LONGEST = 8, 4000


@dataclass(slots=True)
class Evidence:
    """Likelihoods of aspects, each with the reason that weighs most."""

    odds: dict[str, float] = field(default_factory=dict)
    why: dict[str, str] = field(default_factory=dict)

    def add(self, aspect: str, likelihood: float, why: str) -> None:
        """Count one more piece of evidence, independent of the others."""
        before = self.odds.get(aspect, 0.0)
        if likelihood > before:
            self.why[aspect] = why
        self.odds[aspect] = 1 - (1 - before) * (1 - likelihood)

    def raise_to(self, aspect: str, likelihood: float, why: str) -> None:
        """Count evidence that is not independent: the best counts."""
        if self.odds.get(aspect, 0.0) < likelihood:
            self.odds[aspect], self.why[aspect] = likelihood, why


def quoted_sql(change: ChangedFile) -> list[list[str]]:
    """The statements (as tokens) in the strings that a change adds to Go code: unit tests say what it is about."""
    if not change.path.endswith(".go"):
        return []
    found = []
    for plain, raw in _TEXT.findall("\n".join(change.added)):
        sql = raw or plain.replace('\\"', '"').replace("\\n", "\n").replace("\\t", " ")
        if _SHORTEST < len(sql) < _LONGEST and _SQL.match(sql):
            found += [one for one in split_statements(sql.replace("%s", "t1").replace("%d", "1")) if len(one) > 1]
    return found


def split_name(name: str) -> list[str]:
    """The words of an identifier: ``buildJsonLength`` is build, json, length."""
    return [word.lower() for part in name.split("_") for word in _CAMEL.findall(part)]


def query_of(title: str, changes: Sequence[ChangedFile], targets: Sequence[Target]) -> dict[str, float]:
    """The words that describe a change, with weights, to look scripts up by."""
    words: dict[str, float] = defaultdict(float)
    for word in WORD.findall(title):
        words[word.lower()] += 3
    for target in targets:
        if target.kind is not Kind.ERROR:
            for word in re.findall(r"[a-z_0-9]{3,}", target.name):
                words[word] += 2.5 / (1 + 2 * target.distance)
    counts: dict[str, int] = defaultdict(int)
    for change in changes:
        _describe(change, words, counts)
    for word, count in counts.items():
        words[word] += min(1.0, 0.15 * count)
    return dict(words)


def _describe(change: ChangedFile, words: dict[str, float], counts: dict[str, int]) -> None:
    for name in change.functions:
        for word in dict.fromkeys((*split_name(name), name.rpartition(".")[2].lower())):
            words[word] += 0.3
    for word in split_name(change.path.rpartition("/")[2].partition(".")[0]):
        words[word] += 0.5
    for line in changed_text(change).splitlines():
        for word in dict.fromkeys(WORD.findall(line)):
            counts[word.lower()] += 1
    for sql in quoted_sql(change):
        for token in sql:
            if token[0].isalpha():
                words[token.lower().rstrip("(").strip()] += 0.5
