"""Tokens of SQL: the word that one is, whether it opens a parenthesis, and how they are written again."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache

from orchestrator.cases.sql.lexer import tokenize, without_comments


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
    return executed(tokenize(without_comments(sql.replace("/*M!", "/*!").replace("/*+", "/* "))))


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
