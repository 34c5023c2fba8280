"""The case tree of a revision as a library: its scripts, what each statement exercises and needs, and what is near."""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from orchestrator.cases.expectation import split_expectations
from orchestrator.cases.script import Script, parse_script
from orchestrator.cases.sql.lexer import split_statements, tokenize, without_comments
from orchestrator.cases.sql.tokens import texts, word_of
from orchestrator.domain.errors import BadCaseError
from orchestrator.generate.aspects import aspects, counted
from orchestrator.generate.expressions import Expression, column_types, expressions
from orchestrator.generate.objects import creates, pointed_at, tables_of

#: How expectations begin that are errors, as far as a result set does not.
_ERROR = re.compile(
    r"(?i)^\s*(?:internal error|invalid |sql (?:parser|syntax) error|you have an error|not supported|unsupported"
    r"|unknown |ambiguous|data (?:truncat|out of range|too long)|column |table |function |operation |duplicate entry"
    r"|division by)|(?:not exist|doesn't exist|out of range|overflow|must appear|cannot be|can't |not allowed)"
)
#: A line of a result that is an internal error, and what of an error is about the case alone.
_INTERNAL = re.compile(r"(?im)^internal error: .*")
_QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"|`[^`]*`")
_SUFFIXES = (".sql", ".test")
_WORD = re.compile(r"[a-z_][a-z0-9_]{2,}")
#: A statement longer than this (bytes) is data, not a test.
_LONGEST = 2000
#: In a tree of fewer scripts rarity would mean nothing.
_SMALLEST = 100


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement of a script of the tree."""

    sql: str
    tokens: tuple[str, ...]
    #: What it exercises, as far as it is counted.
    aspects: tuple[str, ...]
    #: Whether the script runs it as its default user in its first session.
    plain: bool
    #: Whether it is to be refused by the server.
    fails: bool = False
    #: (kind, name) of the objects it makes.
    made: tuple[tuple[str, str], ...] = ()
    #: Its words and names, lower case, without quotes.
    names: frozenset[str] = frozenset()
    #: Tables it reads or writes, without a database.
    tables: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class LibraryScript:
    """A script of the tree, read once."""

    statements: tuple[Statement, ...]
    text: str
    #: How often it says a word (three letters or more, lower case).
    words: Mapping[str, int]
    #: Words in all.
    length: int
    aspects: frozenset[str]
    #: Expressions that stand on their own.
    expressions: tuple[Expression, ...]
    #: The internal errors that its result expects, as `alike` words them, and the functions that it makes.
    refusals: frozenset[str] = frozenset()
    functions: frozenset[str] = frozenset()


def read_script(text: str, result: str | None = None) -> LibraryScript:
    """Read one script; with its ``.result`` nothing is cut out of statements that are to fail."""
    statements: list[Statement] = []
    script = parse_script(text, "")
    for command, fails in zip(script.commands, _failing(script, result), strict=True):
        plain = command.connection == 0 and command.user is None and not command.system and not command.ignore
        statements += [_statement(sql, tuple(part), plain=plain, fails=fails) for sql, part in _parts(command.sql)]
    words = Counter(_WORD.findall(text.lower()))
    columns: dict[str, str] = {}
    found: dict[str, Expression] = {}
    for one in statements:
        columns |= column_types(one.tokens)
        if one.plain and not one.fails:
            found |= {each.text: each for each in expressions(one.tokens, columns)}
    exercised = frozenset(one for each in statements for one in each.aspects)
    refusals = frozenset(words for error in _INTERNAL.findall(result or "") for words in alike(error))
    made = frozenset(name for each in statements for kind, name in each.made if kind == "function")
    return LibraryScript(
        tuple(statements), text, words, words.total(), exercised, tuple(found.values()), refusals, made
    )


def tokens_of(text: str) -> list[tuple[str, ...]]:
    """The statements of a script as tokens, which is all that tells a new one from one that was there before."""
    return [tuple(part) for command in parse_script(text, "").commands for _, part in _parts(command.sql)]


def exercised_by(tokens: Sequence[str]) -> list[str]:
    """The aspects of a statement, as far as they are counted."""
    return counted(aspects(tokens))


def _parts(sql: str) -> Iterator[tuple[str, list[str]]]:
    """The statements of a command, as text and as tokens, without those that are data."""
    parts = list(split_statements(sql)) if len(sql) <= _LONGEST * 4 else []
    for part in parts:
        text = without_comments(sql).strip().rstrip(";").strip() if len(parts) == 1 else " ".join(part)
        if len(text) <= _LONGEST:
            yield text, part


def worded(error: str) -> str:
    """An error without what differs from case to case: names, numbers and quoted texts."""
    return " ".join(word for word in _QUOTED.sub(" ", error.lower()).split() if word.strip(":,.()").isalpha())


def alike(error: str) -> Iterator[str]:
    """The words of an error, and the same without each one of them, which may be a name."""
    words = worded(error).split()
    yield " ".join(words)
    for at in range(len(words)):
        yield " ".join((*words[:at], *words[at + 1 :]))


def _failing(script: Script, result: str | None) -> Sequence[bool]:
    """Of each command whether its expectation is an error; without a result that fits nothing is."""
    try:
        expected = split_expectations(script, result) if result is not None else ()
    except BadCaseError:
        expected = ()
    if len(expected) != len(script.commands):
        return [False] * len(script.commands)
    return [
        one.text is not None and "\n" not in one.text.strip() and _ERROR.search(one.text) is not None
        for one in expected
    ]


@lru_cache(maxsize=200_000)  # nearly half of the statements of a tree stand there several times
def _statement(sql: str, tokens: tuple[str, ...], *, plain: bool, fails: bool) -> Statement:
    inside = [one for text in texts(tokens[2:]) for one in tokenize(text)]
    named = [*tokens, *inside] if tokens[0].lower() == "prepare" else tokens  # a prepared text needs its tables, too
    return Statement(
        sql,
        tokens,
        tuple(exercised_by(tokens)),
        plain,
        fails,
        tuple(creates(tokens)),
        frozenset(word_of(token) for token in named) | frozenset(pointed_at(tokens)),
        frozenset(tables_of(named)),
    )


class Library:
    """Scripts by path, with the statistics that ranking needs."""

    def __init__(self, scripts: Mapping[str, LibraryScript]) -> None:
        self.scripts = scripts
        self._frequency = Counter(word for script in scripts.values() for word in script.words)
        self._aspect_frequency = Counter(aspect for script in scripts.values() for aspect in script.aspects)
        #: Aspects that are made of words.
        self.phrases = tuple(
            one
            for one in sorted(self._aspect_frequency)
            if one.startswith(("statement ", "clause ", "pair ", "operator "))
        )
        self._arguments: dict[str, list[str]] | None = None
        #: Internal errors that some result expects: this is how the product refuses, not how it breaks.
        self.refusals = frozenset(one for script in scripts.values() for one in script.refusals)
        #: Functions that scripts make.
        self.functions = frozenset(one for script in scripts.values() for one in script.functions)
        self._mean = sum(one.length for one in scripts.values()) / max(1, len(scripts))

    def arguments(self, name: str) -> dict[str, float]:
        """Of the scripts that call a function, the share that try each kind of argument."""
        calls = self._aspect_frequency[f"call {name}"]
        if self._arguments is None:
            self._arguments = defaultdict(list)
            for aspect in sorted(self._aspect_frequency):
                if aspect.startswith("call ") and aspect.count(" ") == 3:
                    self._arguments[aspect.split(" ", 2)[1]].append(aspect)
        return {one: self._aspect_frequency[one] / calls for one in self._arguments[name]} if calls else {}

    def typed(self, word: str) -> dict[str, float]:
        """Of the columns and casts of a type (``decimal``) the share of each of its classes (``decimal(38,s)``)."""
        found = {
            one: count
            for one, count in self._aspect_frequency.items()
            if one.startswith((f"type {word}", f"cast {word}")) and one[5 + len(word) : 6 + len(word)] in {"", "(", " "}
        }
        total = {kind: sum(count for one, count in found.items() if one[:4] == kind) for kind in ("type", "cast")}
        return {one: found[one] / total[one[:4]] for one in sorted(found)}

    def rarity(self, aspect: str) -> float:
        """``ln((N+1)/(n+1))`` over the scripts of the tree, which is taken for one of a hundred at least."""
        return math.log((max(len(self.scripts), _SMALLEST) + 1) / (self._aspect_frequency[aspect] + 1))

    def covers(self, aspect: str) -> bool:
        """Whether some script exercises an aspect."""
        return self._aspect_frequency[aspect] > 0

    def word_rarity(self, word: str) -> float:
        """The same for a word."""
        return math.log((len(self.scripts) + 1) / (self._frequency[word] + 1))

    def near(self, query: Mapping[str, float], count: int) -> list[tuple[float, str]]:
        """The scripts nearest to weighted words by BM25 (k1 1.2, b .5), best first."""
        scored = []
        weights = {word: weight * self.word_rarity(word) for word, weight in query.items() if self._frequency[word]}
        for path, script in self.scripts.items():
            length = 0.5 + 0.5 * script.length / self._mean
            score = 0.0
            for word, weight in weights.items():
                times = script.words.get(word)
                if times:
                    score += weight * times * 2.2 / (times + 1.2 * length)
            if score:
                scored.append((score, path))
        return sorted(scored, key=lambda one: (-one[0], one[1]))[:count]


def is_script(path: str) -> bool:
    """Whether a path of the tree is a script."""
    return path.endswith(_SUFFIXES)
