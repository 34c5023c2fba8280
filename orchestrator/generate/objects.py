"""The objects that a statement makes, and the tables it works on, read from its tokens."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from orchestrator.cases.sql.tokens import executed, word_of
from orchestrator.cases.sql.words import KEYWORDS
from orchestrator.generate.forms import in_from

_OBJECTS = frozenset({
    "table", "view", "database", "schema", "function", "index", "account", "role", "user", "snapshot", "pitr",
    "sequence", "stage", "publication", "procedure", "source", "task",
})  # fmt: skip
_POINTS = re.compile(r"""['"](?:stage://(\w+)(?:/.*)?|([a-z_]\w*)\.([a-z_]\w*))['"]""", re.IGNORECASE | re.DOTALL)
#: What a table's name follows.
_TABLES_FOLLOW = frozenset({"from", "join", "into", "update", "table", "describe", "desc", "against"})
#: After ``from`` these say that no table follows.
_NO_TABLES = frozenset({"snapshot", "pitr", "account", "database", "stage"})
_SKIPPED = frozenset({"if", "not", "exists", "only", "ignore", "low_priority", "lateral", "table"})


def creates(tokens: Sequence[str]) -> list[tuple[str, str]]:
    """(kind, name) of the objects a statement makes."""
    words = [word_of(token) for token in executed(tokens[:16])]
    if words[:1] != ["create"] and words[:3] != ["data", "branch", "create"]:
        return []
    for at, word in enumerate(words):
        if word not in _OBJECTS or at == 0:
            continue
        names = []
        rest = [one for one in words[at + 1 :] if one not in {"if", "not", "exists"}]
        while rest:
            name, rest = rest[0], rest[1:]
            if rest[:1] == ["."] and len(rest) > 1:
                name, rest = rest[1], rest[2:]
            names.append((word, name))
            if word not in {"role", "user"} or rest[:1] != [","]:
                break
            rest = rest[1:]
        return names
    return []


def pointed_at(tokens: Iterable[str]) -> Iterator[str]:
    """The objects that texts of a statement name: ``'db.t'`` as a function takes it, ``'stage://st/file'``."""
    for token in tokens:
        found = _POINTS.fullmatch(token)
        if found:
            yield from (name.lower() for name in found.groups() if name)


def tables_of(tokens: Sequence[str]) -> Iterator[str]:
    """The tables that a statement reads or writes; those of a database are named with it (``db.t``)."""
    words = [token.lower() for token in tokens]
    common = {word_of(words[at - 1]) for at, word in enumerate(words) if at and word_of(word) == "as"}
    if word_of(words[0]) == "with":  # with recursive t (a, b) as ...: the name stands before its columns
        common |= {word_of(word) for word in words[1:3]}
    for at, word in enumerate(words[:-1]):
        if word not in _TABLES_FOLLOW and not (word == "," and in_from(words, at)):
            continue
        if word == "update" and at and words[at - 1] == "key":
            continue
        after = at + 1
        while after < len(words) - 1 and words[after] in _SKIPPED:
            after += 1
        name = words[after]
        if name[0] in "('\"@{" or (name[-1] == "(" and word not in {"into", "table"}) or not name[0].isprintable():
            continue
        plain = word_of(name)
        if plain in _NO_TABLES or not (plain[:1].isalnum() or plain[:1] == "_"):
            continue
        if words[after + 1 : after + 2] == ["."] and after + 2 < len(words):
            yield f"{plain}.{word_of(words[after + 2])}"
        elif (
            plain
            and plain not in common
            and (plain not in KEYWORDS or word in {"from", "join", "into"})
            and plain[0] != ")"
        ):
            yield plain
