"""What statements set for the rest of their session, and the statements that set it back.

The case runner keeps a session from file to file: what one leaves set, the next one sees. A system variable goes back
to ``DEFAULT``, as cases of the tree do it, but for those that have none. (The runner makes a session strict where the
default is not; MatrixOne's default is.) A user variable that nobody has set is NULL: so is each that a statement names,
as any may set it. Roles go back to those that the session of a case begins with.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

from orchestrator.cases.sql.tokens import executed, opens, statements_of, texts, word_of
from orchestrator.cases.sql.words import KEYWORDS

_SIGNS = frozenset({"=", ":="})
#: What is assigned: ``session sql_mode``, ``@@session.sql_mode``, ``@`x` ``.
_ASSIGNED = re.compile(r"(?:@@)?(?:(?P<scope>session|local|global|persist|persist_only)[ .])?(?P<name>.+)")
#: White space between tokens that belong together.
_LOOSE = re.compile(r"(?<=@) | (?=\.)|(?<=\.) ")
_SCOPES = frozenset({"session", "local"})
#: Scopes that outlive a session; policy forbids them.
_EVERYBODYS = frozenset({"global", "persist", "persist_only"})
#: Switches that are on when a session begins, and the words for that.
_SWITCHES = frozenset({"autocommit", "foreign_key_checks"})
_ON = frozenset({"1", "on", "true"})
#: What sets back where it is not ``DEFAULT``; nothing does where the server begins with a number of its own.
_BEGINS_WITH = {"autocommit": "1", "last_insert_id": "0", "identity": "0"}
_RANDOM = frozenset({"rand_seed1", "rand_seed2"})
#: Statements whose texts are statements that may be executed.
_EXECUTES = frozenset({"prepare", "execute", "set"})
#: What is set back before anything is dropped: while autocommit is off no drop lasts, and a role may not drop.
_FIRST = frozenset({"autocommit", "role", "secondary role"})
#: The role that the runner's users have on MatrixOne.
_ROLE = "moadmin"


class Restoring(NamedTuple):
    """Statements that set back, as they stand around those that drop what a file made."""

    first: list[str]
    last: list[str]


def restoring(statements: Iterable[Sequence[str]]) -> Restoring:
    """The statements that set back what these (as tokens) have set and not set back themselves."""
    changed: dict[str, str] = {}
    for tokens in statements:
        for name, back in _effects_of(tuple(tokens)):
            changed.pop(name, None)
            if back:
                changed[name] = back
    users = [name for name in changed if name[0] == "@"]
    first = [back for name, back in changed.items() if name in _FIRST]
    last = [back for name, back in changed.items() if name not in _FIRST and name not in users]
    if users:
        last.append(f"set {', '.join(changed[name] for name in users)}")
    return Restoring(first, last)


def is_for_everybody(tokens: Sequence[str]) -> bool:
    """Whether a ``set`` changes something that outlives its session."""
    return any(scope in _EVERYBODYS for scope, _, _ in _pieces(tokens[1:]))


@lru_cache(maxsize=100_000)  # the same statements come up again and again while choosing
def _effects_of(tokens: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    found = executed(tokens)
    return tuple(_effects(found)) if found else ()


def _effects(tokens: Sequence[str]) -> Iterator[tuple[str, str]]:
    """What a statement sets, each with what sets it back; that is empty where it is as at the beginning."""
    head = word_of(tokens[0])
    yield from ((name, f"{name} = null") for name in _user_variables(tokens))
    if head in _EXECUTES:
        for text in texts(tokens):
            for inner in statements_of(text):
                yield from _effects(inner)
    if head not in {"set", "use"}:
        return
    words = [word_of(token) for token in tokens]
    kind, what = (*words[1:3], "", "")[:2]
    if kind == "role":
        yield kind, "" if what == _ROLE else f"set role {_ROLE}"
    elif kind == "secondary":
        yield "secondary role", "" if words[3:4] == ["none"] else "set secondary role none"
    elif head == "use" or kind in {"transaction", "password", "statement"} or words[1:3] == ["default", "role"]:
        return  # a database; the next transaction or one statement alone; nothing of the session
    elif kind in {"names", "charset", "character"}:
        yield "names", "" if words[-1] == "default" else "set names default"
    elif kind in _SCOPES and what == "transaction":
        if "isolation" in words:
            yield "tx_isolation", "set tx_isolation = default"
        if "read" in words and {"only", "write"}.intersection(words):
            yield "read only", "set session transaction read write" if "only" in words else ""
    else:
        assigned = ((name, value) for scope, name, value in _pieces(tokens[1:]) if scope not in _EVERYBODYS and value)
        yield from (_assignment(name, value) for name, value in assigned)


def _assignment(name: str, value: str) -> tuple[str, str]:
    if name[0] == "@":
        return name, "" if value == "null" else f"{name} = null"
    name = name.replace("`", "")
    back = _BEGINS_WITH.get(name, "default")
    usual = value in {"default", back} or (name in _SWITCHES and value in _ON) or name in _RANDOM
    return name, "" if usual else f"set {name} = {back}"


def _user_variables(tokens: Sequence[str]) -> Iterator[str]:
    """The user variables that a statement names: ``joe@localhost`` names none, as a name stands before the ``@``."""
    for at, token in enumerate(tokens):
        name = "".join(tokens[at : at + 2]) if token == "@" else token
        before = tokens[at - 1].lower() if at else "("
        named = before[0] in "'\"`" or (before.isidentifier() and before not in KEYWORDS)
        if token[0] == "@" and name[1:2] not in {"", "@"} and not named:
            yield name.lower()


def _pieces(tokens: Iterable[str]) -> Iterator[tuple[str | None, str, str]]:
    """Scope, name and value of what the rest of a ``set`` assigns; the value is empty where nothing is."""
    depth, piece = 0, list[str]()
    for token in (*tokens, ","):
        depth += opens(token) - (token == ")")
        if token != "," or depth > 0:
            piece.append(token.lower())
            continue
        sign = next((at for at, one in enumerate(piece) if one in _SIGNS), len(piece))
        found = _ASSIGNED.fullmatch(_LOOSE.sub("", " ".join(piece[:sign])))
        if found:
            yield found["scope"], found["name"], " ".join(piece[sign + 1 :])
        piece = []
