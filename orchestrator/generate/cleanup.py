"""What a file must still do at its end: drop what its statements make and leave, set back what they set."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from orchestrator.cases.sql.tokens import executed, word_of
from orchestrator.generate.library import Statement
from orchestrator.generate.session import restoring

#: Objects that live outside of databases, each dropped by a statement of its own.
_SINGLE = ("publication", "pitr", "snapshot", "sequence", "stage", "task", "user", "role", "account")
_OPENS = {"begin": "rollback", "start": "rollback", "lock": "unlock tables"}
_CLOSES = frozenset({"commit", "rollback", "unlock"})


def cleanup(statements: Iterable[Statement]) -> list[str]:
    """The statements that a file ends with so that it leaves nothing, in the order in which they must run."""
    statements = list(statements)
    made: dict[tuple[str, str], None] = {}
    linked: set[str] = set()
    current = opened = ""
    for statement in statements:
        tokens = executed(statement.tokens)
        first = word_of(tokens[0]) if tokens else ""
        if first == "use" and len(tokens) > 1:
            current = word_of(tokens[1])
        elif first == "drop" and len(tokens) > 2:
            _forget(made, tokens)
        elif first in _OPENS and tokens[-1].lower() != "snapshot":
            opened = _OPENS[first]
        elif first in _CLOSES and "savepoint" not in statement.sql.lower():
            opened = ""
        if "references" in statement.names:
            linked.update(name for _, name in statement.made)
        for kind, name in statement.made:
            inside = ("database", current) in made or "." in tokens[:8]
            if kind not in {"table", "view", "sequence"} or not inside:
                made[kind, name] = None
    back = restoring(one.tokens for one in statements)
    return [*filter(None, [opened]), *back.first, *_drops(made, linked), *back.last]


def sets_back(sql: str) -> bool:
    """Whether a statement of a clean-up sets something back, and drops nothing."""
    return sql.startswith("set ")


def _forget(made: dict[tuple[str, str], None], tokens: Sequence[str]) -> None:
    kind = word_of(tokens[1] if word_of(tokens[1]) != "temporary" else tokens[2])
    names = {word_of(token) for token in tokens[2:]}
    for one in list(made):
        if one[0] == ("database" if kind == "schema" else kind) and one[1] in names:
            del made[one]


def _drops(made: Iterable[tuple[str, str]], linked: Collection[str]) -> Iterable[str]:
    """``linked`` are tables with a foreign key: they go before the tables that they refer to, each by itself."""
    names: dict[str, list[str]] = {}
    for kind, name in made:
        names.setdefault("database" if kind == "schema" else kind, []).append(quoted(name))
    for kind in ("view", "table"):
        found = list(reversed(names.get(kind, [])))
        for name in found if kind == "table" else ():
            if name.strip("`") in linked:
                yield f"drop table if exists {name}"
        rest = [name for name in found if kind != "table" or name.strip("`") not in linked]
        if rest:
            yield f"drop {kind} if exists {', '.join(rest)}"
    for kind in _SINGLE:
        for name in names.get(kind, ()):
            yield f"drop {kind} if exists {name}"
    for name in names.get("database", ()):
        yield f"drop database if exists {name}"


def quoted(name: str) -> str:
    """A name as SQL reads it back."""
    return name if name.isidentifier() and name.isascii() else f"`{name}`"
