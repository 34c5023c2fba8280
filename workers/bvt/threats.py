"""What SQL would take away or change, read from its tokens.

A text that stands in a statement (PREPARE, EXECUTE IMMEDIATE, the body of a procedure) is read as SQL, too. What a
server executes only in part, ``/*!40000 … */``, is read so that whatever of it is executed is seen. Each text is walked
once, so the time is linear in its length, whatever it says.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from orchestrator.cases.sql.codes import literal_body
from orchestrator.cases.sql.tokens import executed_by, opens, texts, word_of

#: What outlives a script.
KINDS = ("database", "schema", "account", "user", "role", "snapshot", "stage", "publication", "pitr", "cdc")
#: The account of whoever starts a server.
_OWN = "sys"
#: What is done to what stays there.
CHANGES = "changes"

#: What is done to a thing by the word for it: ``drop role r``, ``data branch delete database d``.
_TO_THINGS = {
    "drop": "drops", "delete": "drops", "replace": "replaces", "alter": CHANGES, "rename": CHANGES, "pause": CHANGES,
    "resume": CHANGES, "restart": CHANGES,
}  # fmt: skip
#: What is done to something in a database.
_INSIDE = {
    "drop": "drops a table of", "truncate": "drops a table of", "replace": CHANGES, "insert": CHANGES,
    "update": CHANGES, "delete": CHANGES, "create": CHANGES, "alter": CHANGES, "rename": CHANGES, "load": CHANGES,
    "branch": CHANGES, "or replace": "replaces a table of",
}  # fmt: skip
#: These need no other word before what they change.
_AT_ONCE = frozenset({"truncate", "replace", "insert", "update", "delete"})
_OFTEN_BEFORE = frozenset(
    {"table", "tables", "view", "sequence", "function", "procedure", "trigger", "event", "into", "to", ","}
    | {"ignore", "only", "delayed", "quick", "low_priority", "high_priority"}
)
#: After these words stands what is changed, or another of these words.
_BEFORE = dict.fromkeys(_INSIDE, _OFTEN_BEFORE | {"on"}) | dict.fromkeys(
    ("update", "delete"), _OFTEN_BEFORE | {"from", "using", "join", "straight_join"}
)
_OF_ROWS = frozenset({"(", "value", "values", "select", "set", "with"})
_OF_MADE = frozenset({"(", "as", "select", "like", "clone", "values", "with"})
#: With these words begins what is only read.
_UNTIL = dict.fromkeys(_INSIDE, frozenset({"select"})) | {
    "update": frozenset({"set"}),
    "delete": frozenset({"where", "order", "limit", "returning"}),
    "insert": _OF_ROWS, "replace": _OF_ROWS, "create": _OF_MADE, "or replace": _OF_MADE,
}  # fmt: skip
#: A verb after one of these is none: ``on update cascade``, ``for update``, ``show create table``.
_NO_VERB_AFTER = frozenset({"on", "for", "key", "show", "."})
#: With a parenthesis these are functions.
_FUNCTIONS = frozenset({"insert", "replace", "truncate"})
#: Between the word for a table and its name.
_BETWEEN = frozenset({"if", "not", "exists"})
#: What is named after these is no table.
_NO_TABLE = frozenset({"database", "schema"})
#: What ends the names.
_AFTER_NAMES = frozenset({"from", "set", "identified", "comment", "account", "admin_name"})

#: What is made of tables that stay elsewhere, and before which words these are named.
_WRITTEN_THROUGH = frozenset({"view", "merge", "mrg_myisam"})
_LISTS = frozenset({"from", "join", "straight_join", "union"})
_LIST_ENDS = frozenset({"where", "group", "order", "having", "limit", "on", "using", "select", ")"})

_MAY = re.compile("|".join(sorted({*_TO_THINGS, *_INSIDE, "restore", "use"})), re.IGNORECASE)
_FOR_SOME = re.compile(r"/\*M?!")
_END = ";"
#: The database in use.
_CURRENT = ("database", "")


class Threat(NamedTuple):
    """What is done to something: ``verb`` the ``kind`` ``name``, which is in lower case and without quotes.

    Without a name all there are of the kind are meant.
    """

    verb: str
    kind: str
    name: str | None


def threats(sql: str, current: str = "") -> Iterator[Threat]:
    """What ``sql``, executed in the database ``current``, takes away or changes."""
    if not _may(sql):
        return
    whole = not _FOR_SOME.search(sql)
    inside: dict[str, None] = {}
    used = {current.lower(): None}
    for depth, tokens in _statements(sql):
        one = _Words(tokens)
        read = (_of_things, _restored, _in_databases, _through) if whole else (_of_some,)
        for threat in (found for reader in read for found in reader(one)):
            if threat[1:] == _CURRENT:
                inside[threat.verb] = None
            else:
                yield threat
        if depth == 0:
            used.update(dict.fromkeys(one.used(whole)))
        else:
            yield from (Threat("uses", "database", name) for name in one.used(whole))
    yield from (Threat(verb, "database", name) for verb in inside for name in used if name)


def made(statements: Iterable[str]) -> set[str]:
    """The kinds of things that ``statements`` make."""
    kinds: set[str] = set()
    for sql in statements:
        for _, tokens in _statements(sql) if "create" in sql.lower() else ():
            plain = [word for word in _Words(tokens).plain if word not in {"or", "replace"}]
            kinds.update(after for word, after in pairwise(plain) if word == "create")
    return kinds.intersection(KINDS)


def used_database(sql: str) -> str | None:
    """The database that ``sql`` makes current: None where it makes none, empty where only the server can tell."""
    if "use" not in sql.lower():
        return None
    whole = not _FOR_SOME.search(sql)
    read = [_Words(tokens).used(whole) for depth, tokens in _statements(sql) if depth == 0]
    used = [name for one in read for name in one]
    return (used[0] if len(read) == 1 and whole else "") if used else None


class _Words:
    """A statement as words: all of them, and ``plain`` with nothing for those in quotes."""

    def __init__(self, tokens: Sequence[str]) -> None:
        self.all = [_name(token) for token in tokens]
        self.plain = ["" if token[0] in "'\"`$" else token.lower().rstrip("( \t\r\n") or "(" for token in tokens]
        self.opens = [opens(token) for token in tokens]

    def used(self, whole: bool) -> list[str]:
        """The database that this makes current, or where not the ``whole`` is executed may make so."""
        at = 0 if whole else next((at for at, word in enumerate(self.plain) if word == "use"), 0)
        made = self.plain[at : at + 1] == ["use"] and self.plain[at + 1 : at + 2] not in (["role"], ["secondary"])
        return self.all[at + 1 : at + 2] if made else []


def _statements(sql: str) -> Iterator[tuple[int, list[str]]]:
    """The tokens of each statement of ``sql``, and of texts in it, with how deep in texts each stands."""
    waiting = [(0, sql)]
    while waiting:
        depth, text = waiting.pop()
        begun: list[str] = []
        for token in (*executed_by(text), _END):
            if token != _END:
                begun += (".", token[1:]) if token[0] == "." and len(token) > 1 else (token,)  # d.1t, not .5
            elif begun:
                yield depth, begun
                begun = []
            if token[0] in "'\"$" and _may(token):
                waiting += ((depth + 1, inner) for inner in texts([token]))


def _may(text: str) -> bool:
    """Whether ``text`` may have a verb; with escapes that is seen only when it is read."""
    return "\\" in text or _MAY.search(text) is not None


def _name(token: str) -> str:
    """What a token names, in lower case and as it is without quotes."""
    if token[0] not in "'\"`":
        return word_of(token)
    body = literal_body(token.rstrip("( \t\r\n") if token[0] == "`" else token)
    return body.replace(token[0] * 2, token[0]).lower()


def _of_things(one: _Words) -> Iterator[Threat]:
    """What is done to things that have a word for them: ``drop role r1, r2``, ``create or replace user u``."""
    verb, kind = "", ""
    for at, word in enumerate(one.plain):
        before = one.plain[at - 1] if at else ""
        if word in KINDS and at and _verb(one, at - 1) in _TO_THINGS:
            verb, kind = _TO_THINGS[before], word
        elif word in _AFTER_NAMES and before not in (",", "exists", kind):
            verb = ""
        elif verb:
            yield Threat(verb, kind, None if (kind, word) == ("cdc", "all") else one.all[at] + _host(one, at + 1))


def _host(one: _Words, at: int) -> str:
    """The host of a user whose name ends before ``at``: ``'joe'@'%'``, ``joe@localhost``."""
    mark = "".join(one.plain[at : at + 1])
    return "".join(one.all[at : at + 2]) if mark == "@" else mark if mark[:1] == "@" else ""


def _in_databases(one: _Words) -> Iterator[Threat]:
    """Whose tables, views … are dropped or changed."""
    verb, awaited = "", False
    for at, word in enumerate(one.plain):
        before, dotted = one.plain[at - 1] if at else "", one.plain[at + 1 : at + 2] == ["."]
        if dotted:
            if awaited:
                yield Threat(_INSIDE[verb], "database", one.all[at])
            awaited = False
        elif (begun := _verb(one, at)) in _INSIDE:
            if awaited:  # what seemed to stand before the name was the name: ``drop table load``
                yield Threat(_INSIDE[verb], *_CURRENT)
            verb = "or replace" if (begun, before) == ("replace", "or") else begun
            awaited = verb in _AT_ONCE
        elif not verb or word in _BETWEEN or (word == "(" and word not in _UNTIL[verb]):
            continue
        elif word in _BEFORE[verb] and before != ".":
            awaited = True
        else:
            ends = word in _UNTIL[verb] or (word in KINDS and before in _TO_THINGS and verb not in _AT_ONCE)
            if awaited and word not in _NO_TABLE:
                yield Threat(_INSIDE[verb], *_CURRENT)
            awaited = False
            if ends or (one.opens[at] and "(" in _UNTIL[verb]):
                verb = ""
    if awaited:
        yield Threat(_INSIDE[verb], *_CURRENT)


def _through(one: _Words) -> Iterator[Threat]:
    """Whose tables a new view, or a table of type MERGE, stands for: who writes to it writes to them."""
    first = one.plain.index("create") + 1 if "create" in one.plain else len(one.plain)
    if not _WRITTEN_THROUGH.intersection(one.plain[first:]):
        return
    listed = False
    for at, word in enumerate(one.plain[first:], first):
        before, dotted = one.plain[at - 1], one.plain[at + 1 : at + 2] == ["."]
        listed = word in _LISTS or (listed and word not in _LIST_ENDS)
        if listed and (before in _LISTS or before in (",", "(")) and word not in ("(", "select"):
            yield Threat(CHANGES, "database", one.all[at]) if dotted else Threat(CHANGES, *_CURRENT)


def _restored(one: _Words) -> Iterator[Threat]:
    """What becomes again what it was: of one's own account, which is ``sys``, or all of another one."""
    words, plain = one.all, one.plain
    for at, word in enumerate(plain[:-2]):
        if word == "restore" and plain[at + 1] in {"cluster", "from", "account", "database", "table"}:
            break
    else:
        return
    kind, scope, rest = plain[at + 1], words[at + 2 :], plain[at + 2 :]
    into = next((place for place in range(len(rest) - 2) if rest[place : place + 2] == ["to", "account"]), None)
    parts = scope[: _end(scope)][::2]
    if kind == "account":
        parts += scope[2:3] if rest[1:2] == ["database"] else []
    elif len(parts) == (1 if kind == "database" else 2):
        parts.insert(0, _OWN)
    if into is not None:
        yield Threat("restores into", "account", scope[into + 2])
    elif kind == "cluster" or (kind == "from" and rest[0] == "pitr"):
        yield Threat("restores", "server", None)
    elif kind != "from":
        own = len(parts) > 1 and parts[0] == _OWN
        yield Threat("restores", "database", parts[1]) if own else Threat("restores", "account", parts[0])


def _end(words: Sequence[str]) -> int:
    """Where a name that begins ``words`` ends, with the names that dots join to it."""
    at = 1
    while words[at : at + 1] == ["."]:
        at += 2
    return at


def _of_some(one: _Words) -> Iterator[Threat]:
    """Whatever is executed of a statement that no server executes whole: any verb may be about any name."""
    verbs = dict.fromkeys(word for word in one.plain if word in _TO_THINGS or word in _INSIDE)
    names = dict.fromkeys(name + host for at, name in enumerate(one.all) for host in ("", _host(one, at + 1)))
    for verb in verbs:
        kinds = {"database", *one.plain}.intersection(KINDS)
        yield from (Threat(_TO_THINGS.get(verb, CHANGES), kind, name) for kind in kinds for name in (*names, None))
        yield Threat(_INSIDE.get(verb, CHANGES), *_CURRENT)
    if "restore" in one.plain:
        yield Threat("restores", "server", None)


def _verb(one: _Words, at: int) -> str:
    """The word at ``at`` where it can be a verb, and else nothing."""
    word, before = one.plain[at], one.plain[at - 1] if at else ""
    return "" if before in _NO_VERB_AFTER or (one.opens[at] and word in _FUNCTIONS) else word
