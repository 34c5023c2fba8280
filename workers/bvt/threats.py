"""What a statement would take away, read from its text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

#: What outlives a script.
KINDS = ("database", "schema", "account", "user", "role", "snapshot", "stage", "publication", "pitr", "cdc")
#: In the place of a name: all there are of its kind.
ALL = "*"

_NAME = r"(`(?:[^`]|``)+`|'[^']+'|\"[^\"]+\"|[\w$@.]+)"
_BLANK = r"(?:\s|/\*.*?\*/)+"
_IF_EXISTS = rf"(?:if{_BLANK}exists{_BLANK})?"
_FLAGS = re.IGNORECASE | re.DOTALL
_MAY = re.compile(r"\b(?:drop|truncate|restore)\b", re.IGNORECASE)
_DROP = re.compile(
    rf"\bdrop{_BLANK}({'|'.join(KINDS)}){_BLANK}{_IF_EXISTS}(?:task{_BLANK})?([^;]+?)(?={_BLANK}from\b|;|$)", _FLAGS
)
_DROP_TABLE = re.compile(rf"\b(?:drop|truncate){_BLANK}(?:table|view){_BLANK}{_IF_EXISTS}{_NAME}\s*\.", _FLAGS)
_DROP_PLAIN_TABLE = re.compile(rf"\b(?:drop|truncate){_BLANK}(?:table|view)\b", _FLAGS)
#: All of one's own account, or of every account, is what it was at the time of a snapshot, or at a moment.
_RESTORE_ALL = re.compile(rf"\brestore{_BLANK}(?:cluster\b|from{_BLANK}pitr\b)", _FLAGS)
_RESTORE = re.compile(
    rf"\brestore{_BLANK}(?:account{_BLANK}{_NAME}{_BLANK}(?=database\b))?(account|database|table){_BLANK}{_NAME}"
    rf"(?:[^;]*\bto{_BLANK}account{_BLANK}{_NAME})?",
    _FLAGS,
)


class Threat(NamedTuple):
    """What is done to something: ``verb`` the ``kind`` ``name``, which is in lower case and without quotes."""

    verb: str
    kind: str
    name: str


def threats(sql: str, current: str = "") -> Iterator[Threat]:
    """What ``sql``, executed in the database ``current``, takes away."""
    if not _MAY.search(sql):
        return
    for match in _DROP.finditer(sql):
        kind = match[1].lower()
        for name in map(bare, match[2].split(",")):
            yield Threat("drops", kind, ALL if (kind, name) == ("cdc", "all") else name)
    for match in _DROP_TABLE.finditer(sql):
        yield Threat("drops a table of", "database", bare(match[1]))
    if _DROP_PLAIN_TABLE.search(sql):
        yield Threat("drops a table of", "database", current.lower())
    if _RESTORE_ALL.search(sql):
        yield Threat("restores", "server", ALL)
    for match in _RESTORE.finditer(sql):
        yield from _restored(match[2].lower(), match[3], match[4])


def _restored(kind: str, scope: str, to: str | None) -> Iterator[Threat]:
    """``scope`` of an account, or with ``to`` a copy of it in another one."""
    if to is not None:
        yield Threat("restores into", "account", bare(to))
    elif kind == "account":
        yield Threat("restores", "account", bare(scope))
    else:  # database: [account.]database; table: [account.]database.table
        parts = bare(scope).split(".")
        yield Threat("restores", "database", parts[-1] if kind == "database" or len(parts) == 1 else parts[-2])


def bare(name: str) -> str:
    """A name as it is compared: no quotes, no blanks around, lower case; of an account with its host."""
    return re.sub(r"[`'\"\s]|/\*.*?\*/", "", name).lower()
