"""Tokens of SQL: the word that one is, whether it opens a parenthesis, their statements, how they are written again."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import pairwise

from orchestrator.cases.sql.codes import literal_body
from orchestrator.cases.sql.lexer import split_statements, tokenize, without_comments

#: What is hidden in a quoted text: a doubled quote, an escape.
_HIDDEN = re.compile(r"(['\"])\1|\\(.)", re.DOTALL)
_WHITE = {"n": "\n", "r": "\r", "t": "\t"} | dict.fromkeys("0bZ", " ")
#: What statements begin with that change tables or databases, and others that change something.
WRITES = frozenset({
    "create", "drop", "alter", "truncate", "rename", "insert", "replace", "update", "delete", "load", "lock",
})  # fmt: skip
_VERBS = WRITES | {"grant", "revoke", "set"}
#: Statements in which verbs are names of rights and kinds, and those in which SET assigns columns.
_NAMES_VERBS = frozenset({"show", "grant", "revoke"})
_ASSIGNS_COLUMNS = frozenset({"insert", "replace", "update", "load"})


@lru_cache(maxsize=100_000)
def word_of(token: str) -> str:
    """The name or word a token holds, in lower case, without quotes and without the parenthesis it opens."""
    return token.lower().rstrip("(").strip().strip("`'\"")


def opens(token: str) -> bool:
    """Whether a token opens a parenthesis: ``(``, and ``abs(``, which is one to the lexer."""
    return token[-1] == "(" and token[0] not in "'\""


def executed(tokens: Iterable[str]) -> list[str]:
    """Tokens without the marks around what only some servers execute: ``/*!40100 … */``."""
    return [token for token in tokens if not token.startswith(("/*!", "*/"))]


def executed_by(sql: str) -> list[str]:
    """The tokens of SQL, without comments and hints, but with what a comment tells some servers to execute."""
    return executed(tokenize(without_comments(_opened(sql))))


def _opened(sql: str) -> str:
    """SQL whose hints are comments, and in which what MariaDB alone executes is marked as for others."""
    return sql.replace("/*M!", "/*!").replace("/*+", "/* ")


def texts(tokens: Iterable[str]) -> Iterator[str]:
    """What the quoted texts among tokens say."""
    for token in tokens:
        if token.startswith("$$"):
            yield literal_body(token)
        elif token[0] in "'\"":
            yield _HIDDEN.sub(lambda found: found[1] or _WHITE.get(found[2], found[2]), literal_body(token))


def statements_of(sql: str) -> Iterator[list[str]]:
    """The tokens of each statement of SQL, then of those in its texts: prepared, or the body of a routine."""
    for split in split_statements(_opened(sql)):
        tokens = executed(split)
        if tokens:
            yield tokens
        for text in texts(tokens):
            yield from statements_of(text)


def actions_of(sql: str) -> Iterator[list[str]]:
    """`statements_of`, and what begins at a verb inside of one: in a body without quotes, after EXPLAIN or WITH."""
    for tokens in statements_of(sql):
        yield tokens
        yield from _begun_in(tokens)


def _begun_in(tokens: list[str]) -> Iterator[list[str]]:
    """What begins at each verb inside of a statement and reaches to the next one, of rights to the end."""
    words = [token.lower() for token in tokens]
    if word_of(words[0]) in _NAMES_VERBS:
        return
    verbs = _VERBS - {"set"} if word_of(words[0]) in _ASSIGNS_COLUMNS else _VERBS
    begun = [at for at in range(1, len(words)) if words[at] in verbs and words[at - 1] != "or"]  # create or replace
    for at, end in pairwise([*begun, len(words)]):
        if words[at] in _NAMES_VERBS:
            yield tokens[at:]
            return
        yield tokens[at:end]


def joined(tokens: Sequence[str]) -> str:
    """Tokens as text, close as people write it."""
    text = ""
    for token in tokens:
        tight = not text or text[-1] in "(.~!" or token in {")", ",", ".", "::"} or text.endswith("::")
        text += token if tight else f" {token}"
    return (
        text.replace("- ", "-")
        if text.count("- ") == text.count("(- ")
        else text.replace("(- ", "(-").replace(", - ", ", -")
    )
