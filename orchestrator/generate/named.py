"""The objects that a statement names, read from its words: ``database sales``, ``user joe``, ``cdc task1``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from orchestrator.cases.sql.tokens import word_of
from orchestrator.cases.sql.words import PREDEFINED, SYSTEM_DATABASES
from orchestrator.generate.objects import pointed_at

#: Words that come before a name and tell its kind, and what may stand between the two.
_KINDS = frozenset({
    "account", "role", "user", "snapshot", "stage", "publication", "subscription", "cdc", "task", "pitr", "database",
    "schema",
})  # fmt: skip
_BETWEEN = frozenset({"if", "not", "exists", "=", "task", "config", "add", "drop", "coverage"})
#: Statements in which such words are columns and aliases, but for a snapshot in braces.
_COMPUTES = frozenset({"select", "with", "insert", "replace", "update", "delete", "values", "explain", "load", ""})
_IN_BRACES = ["{", "snapshot", "="]
_CHANGES = frozenset({"alter", "drop", "grant", "rename", "revoke"})
_OF_USERS = (["password"], ["default"])
#: What stands between the names of a list, and of one that renames: ``rename user a to b, c to d``.
_COMMAS = (",", "and")
_RENAMES = (*_COMMAS, "to")


def named(tokens: Sequence[str]) -> Iterator[tuple[str, str]]:
    """What a statement makes, changes, drops, or looks into, as kind and name in lower case, without hosts."""
    words = [word_of(token) for token in tokens]
    yield from _by_kind(words)
    yield from _by_place(words)
    yield from _recipients(words)
    yield from _inside(tokens, words)


def changes(words: Sequence[str]) -> bool:
    """Whether a statement changes the users, roles and accounts that it names; to make one anew may replace it."""
    head, after = words[0], list(words[1:3])
    if head in _CHANGES:
        return after[:1] != ["publication"]  # which is shown to accounts
    return (head == "create" and after == ["or", "replace"]) or (head == "set" and after[:1] in _OF_USERS)


def in_system(words: Sequence[str]) -> bool:
    """Whether some table among words is in a database of the server."""
    return not SYSTEM_DATABASES.isdisjoint(_dotted(words))


def _by_kind(words: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Names after the word for their kind: ``pause cdc task x``, ``drop role r1, r2``, ``{snapshot = 's'}``."""
    for at, word in enumerate(words):
        if word not in _KINDS or (words[0] in _COMPUTES and words[at - 1 : at + 2] != _IN_BRACES):
            continue
        begun = next((later for later in range(at + 1, len(words)) if words[later] not in _BETWEEN), len(words))
        kind = "database" if word == "schema" else word
        untouched = PREDEFINED if words[0] == "set" else ()  # a role that is set stays as it is
        commas = _RENAMES if words[0] == "rename" else _COMMAS
        yield from ((kind, name) for name in _listed(words[begun:], commas) if name not in untouched)
        if word == "publication" and words[at - 2 : at - 1] == ["from"]:
            yield "account", words[at - 1]


def _by_place(words: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Databases that a word tells by its place: ``use sales``, ``show tables from sales``, ``clone sales``."""
    if words[0] == "use" and words[1:2] not in (["role"], ["secondary"]):
        yield from (("database", name) for name in words[1:2])
    copies = words[0] in {"create", "data"} and not {"database", "schema"}.isdisjoint(words[:4])
    before = {"from", "in"} if words[0] == "show" else {"from", "clone"} if copies else ()
    yield from (("database", words[at + 1]) for at, word in enumerate(words[:-1]) if word in before)


def _recipients(words: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Roles and users that get or lose something, become another one, or whose rights are shown."""
    head, before = words[0], "from" if words[0] == "revoke" else "to"
    gives = head in {"grant", "revoke"}
    if gives and "on" not in words:  # what is given are roles, which stay as they are
        given = _listed([one for one in words[1:] if one not in _BETWEEN])
        yield from (("role", name) for name in given if name not in PREDEFINED)
    if (gives or head == "set" or words[:2] in (["alter", "role"], ["alter", "user"])) and before in words:
        last = len(words) - 1 - words[::-1].index(before)
        yield from ((kind, name) for name in _listed(words[last + 1 :]) for kind in ("role", "user"))
    if head in {"set", "show"} and "for" in words:
        yield from (("user", name) for name in _listed(words[words.index("for") + 1 :]))


def _inside(tokens: Sequence[str], words: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Databases before a dot, and what texts point at: ``sales.t``, ``'sales.t'``, ``'stage://st/file'``."""
    yield from (("database", name) for name in _dotted(words))
    yield from ((kind, name) for name in pointed_at(tokens) for kind in ("database", "stage"))


def _dotted(words: Sequence[str]) -> Iterator[str]:
    """Names that stand before a dot and another name, which may begin with a digit: ``sales.t``, ``sales.1t``."""
    for at, word in enumerate(words[:-1]):
        ends = words[at + 1] == "." and at + 2 == len(words)  # as a sentence does
        if words[at + 1][:1] == "." and not ends and words[at - 1 : at] != ["."]:
            yield word


def _listed(words: Sequence[str], commas: Sequence[str] = _COMMAS) -> Iterator[str]:
    """The names that a list begins with; hosts are left out."""
    at = 0
    while at < len(words):
        yield words[at]
        at += 1
        if words[at : at + 1] == ["@"]:
            at += 2
        elif at < len(words) and words[at][:1] == "@":
            at += 1
        if at >= len(words) or words[at] not in commas:
            return
        at += 1
