"""Texts that a file has a server put together and execute: by PREPARE from a variable, by EXECUTE IMMEDIATE."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

from orchestrator.cases.sql.lexer import tokenize, without_comments
from orchestrator.cases.sql.tokens import actions_of, opens, texts, word_of
from orchestrator.generate.policy import forbidden

#: Stands for a piece that only the server knows.
_UNKNOWN = "\x00"
_QUOTES = "'\"`"
_READS = frozenset({"select", "with", "show", "explain", "describe", "desc"})
#: Variables that are set from variables are followed so far.
_DEEPEST = 4

_Values = Mapping[str, Sequence[Sequence[str]]]


def unread(statements: Iterable[str]) -> str:
    """What policy says against the texts that are executed without standing in the file as a whole.

    One that is put together may read, as far as the server fills in what stands between quotes. Those that stand there
    as a whole are read by `policy.forbidden`.
    """
    actions = [tokens for sql in statements for tokens in actions_of(sql)]
    values: dict[str, list[Sequence[str]]] = defaultdict(list)
    for tokens in actions:
        for name, given in _assigned(tokens):
            values[name].append(given)
    executed = (given for tokens in actions for given in _executed(tokens))
    sources = (one for given in executed for one in (values.get(_variable(given)) or [given]))
    bad = any(not _is_text(one) and not _only_reads(_read(one, values, _DEEPEST)) for one in sources)
    return "executes a text that is put together and cannot be read before" if bad else ""


def _executed(tokens: Sequence[str]) -> Iterator[Sequence[str]]:
    """What a statement has executed, but for a statement that MatrixOne takes as it is: ``prepare s from select 1``."""
    words = [word_of(token) for token in tokens]
    for at, word in enumerate(words):
        if word == "prepare" and words[at + 2 : at + 3] == ["from"]:
            given = tokens[at + 3 :]
            if len(given) < 2 or not given[0].isalpha():
                yield given
        elif word == "execute" and words[at + 1 : at + 2] == ["immediate"]:
            end = words.index("using", at) if "using" in words[at:] else len(words)
            yield tokens[at + 2 : end]


def _assigned(tokens: Sequence[str]) -> Iterator[tuple[str, Sequence[str]]]:
    """The user variables that a statement gives values, each with it; () for one that only the server knows."""
    words = [word_of(token) for token in tokens]
    if words[0] == "set":
        for part in _listed(tokens[1:]):
            if _variable(part[:1]) and part[1:2] in (["="], [":="]):
                yield _variable(part[:1]), part[2:]
        return
    given = words[0] == "call"
    for at, token in enumerate(tokens):
        given = given or words[at] == "into"
        if _variable([token]) and (given or tokens[at + 1 : at + 2] == [":="]):
            yield _variable([token]), ()


def _listed(tokens: Sequence[str]) -> Iterator[list[str]]:
    """What stands between the commas of a list."""
    part: list[str] = []
    depth = 0
    for token in tokens:
        depth += opens(token) - (token == ")")
        if token == "," and depth == 0:
            yield part
            part = []
        else:
            part.append(token)
    yield part


def _variable(tokens: Sequence[str]) -> str:
    """The name of the user variable that tokens are; empty when they are something else."""
    return tokens[0].lower() if len(tokens) == 1 and tokens[0][0] == "@" and tokens[0][1:2] != "@" else ""


def _is_text(tokens: Sequence[str]) -> bool:
    return len(tokens) == 1 and (tokens[0][0] in "'\"" or tokens[0].startswith("$$"))


def _read(tokens: Sequence[str], values: _Values, deep: int) -> str:
    """The text that an expression makes, as far as it can be read."""
    if _is_text(tokens):
        return next(texts(tokens))
    known = values.get(_variable(tokens), ())
    if len(known) == 1 and deep:
        return _read(known[0], values, deep - 1)
    if tokens and word_of(tokens[0]) == "concat" and opens(tokens[0]) and len(list(_listed(tokens))) == 1:
        return "".join(_read(part, values, deep) for part in _listed(tokens[1:-1]))
    return _UNKNOWN


def _only_reads(text: str) -> bool:
    tokens = tokenize(without_comments(text))
    words = [word_of(token) for token in tokens]
    if not words or words[0] not in _READS or ";" in words or "into" in words:
        return False
    named = all(_UNKNOWN not in token or token[0] in _QUOTES for token in tokens)
    return named and not forbidden(text.replace(_UNKNOWN, "x"))
