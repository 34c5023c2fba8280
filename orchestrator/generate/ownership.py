"""Whose the objects of a server are: what is there at the start belongs to others, who may be at work there.

A generated statement must neither use, change nor drop what belongs to others, nor act on all that there is (``drop cdc
all``), and an answer that lists it is no expectation anywhere else. What appears while cases run is ours only when a
statement of ours names it.

An object is told as its kind and its name: ``database sales``, ``user joe@%``, ``cdc task1``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence

from orchestrator.cases.sql.tokens import executed_by, word_of
from orchestrator.cases.sql.words import SYSTEM_DATABASES
from orchestrator.generate.objects import pointed_at

#: Cells of an answer, as text.
Rows = Sequence[tuple[str | None, ...]]

#: Questions whose rows are objects that outlive a database; a server that does not know one answers nothing.
_QUESTIONS = (
    ("database", "show databases"),
    ("account", "select account_name from mo_catalog.mo_account"),
    ("role", "select role_name from mo_catalog.mo_role"),
    ("role", "select user from mysql.user where is_role = 'Y'"),
    ("user", "select user_name from mo_catalog.mo_user"),
    ("user", "select concat(user, '@', host) from mysql.user"),
    ("snapshot", "select sname from mo_catalog.mo_snapshots where sname not like '__mo%' and sname not like 'ccpr%'"),
    ("stage", "select stage_name from mo_catalog.mo_stages"),
    ("publication", "select pub_name from mo_catalog.mo_pubs"),
    ("subscription", "select task_id from mo_catalog.mo_ccpr_log"),
    ("cdc", "select task_name from mo_catalog.mo_cdc_task"),
    ("task", "select task_name from mo_task.sql_task"),
    ("feature", "select concat_ws(' ', feature_code, enabled) from mo_catalog.mo_feature_registry"),
    # without a limit (-1) the server writes them itself
    ("limit", "select concat_ws(' ', feature_code, scope, quota) from mo_catalog.mo_feature_limit where quota <> -1"),
    ("pitr", "select pitr_name from mo_catalog.mo_pitr where pitr_name not like 'sys_mo%'"),
)
_DROPS = {
    "account": "drop account if exists", "role": "drop role if exists", "user": "drop user if exists",
    "cdc": "drop cdc task",
}  # fmt: skip
#: Names that objects of every server have. To use one is nobody's business, to change one is.
_EVERYWHERE = SYSTEM_DATABASES | {"root", "dump", "moadmin", "accountadmin", "public"}
#: What asks for objects: its answer may list those of others.
_TELLS = re.compile(rf"(?i)^\s*show\b|\b(?:{'|'.join(sorted(SYSTEM_DATABASES))})`?\s*\.")

#: Words that come before a name and tell its kind, and what may stand between the two.
_KINDS = frozenset({
    "account", "role", "user", "snapshot", "stage", "publication", "subscription", "cdc", "task", "pitr", "database",
    "schema",
})  # fmt: skip
_BETWEEN = frozenset({"if", "not", "exists", "=", "task", "config", "add", "drop", "coverage"})
#: Statements in which such words are columns and aliases, but for a snapshot in braces.
_COMPUTES = frozenset({"select", "with", "insert", "replace", "update", "delete", "values", "explain", "load", ""})
_IN_BRACES = ["{", "snapshot", "="]
_CHANGES = frozenset({"alter", "drop", "grant", "revoke"})

_RESTORES_A_PART = re.compile(r"\brestore (?:account \S+ )?(?:database|table)\b")
_RESTORES_OWN_ACCOUNT = re.compile(r"\brestore account (?!sys\b)[^ {]")
#: What acts on everything of a kind, whoever made it, or on what only a number names.
_ON_ALL = (
    (re.compile(r"\brestore cluster\b"), "it takes back what everybody did"),
    (re.compile(r"\b(?:drop|pause|resume|restart) cdc (?:if exists )?all\b"), "it acts on the CDC tasks of everybody"),
    (re.compile(r"\b(?:pause|resume|cancel) daemon task\b"), "it acts on a task of the server by its number"),
    (re.compile(r"\bupgrade account all\b"), "it upgrades everybody"),
    (re.compile(r"\balter account config set\b"), "it changes a setting for everybody"),
)


class Ownership:
    """Who owns the objects of one server. Those that are there when this is made belong to others."""

    def __init__(self, ask: Callable[[str], Rows]) -> None:
        """``ask`` answers a query with its rows, with none when the server refuses it."""
        self._ask = ask
        #: What belongs to others.
        self.before = self.now()
        self._theirs = {one.partition("@")[0].lower() for one in self.before}
        named = (one.partition(" ")[2] for one in self._theirs)
        self._names = {name for name in named if name not in _EVERYWHERE}

    def now(self) -> frozenset[str]:
        """The objects that are on the server."""
        return frozenset(f"{kind} {row[0]}" for kind, question in _QUESTIONS for row in self._ask(question) if row)

    def objection(self, sql: str) -> str | None:
        """Why a statement must not run, in words, or None: it uses or changes what belongs to others."""
        tokens = executed_by(sql)
        words = [word_of(token) for token in tokens]
        said = _on_all(" ".join(words))
        if said or not words:
            return said
        used = next((one for one in _used(tokens, words) if one in self._theirs), None)
        return f"it uses the {used}, which was there before this run" if used else None

    def told_by(self, sql: str, rows: Rows) -> str | None:
        """Why the answer to a statement is no expectation anywhere else, or None: it lists an object of others."""
        cells = (cell.lower() for row in rows for cell in row if cell) if _TELLS.search(sql) else ()
        found = next((cell for cell in cells if cell in self._names), None)
        return f"it tells of {found}, which was there before this run" if found else None


def dropping(one: str) -> str:
    """The statement that drops an object."""
    kind, _, name = one.partition(" ")
    quoted = "@".join(f"`{part.replace('`', '``')}`" for part in name.split("@"))
    return f"{_DROPS.get(kind, f'drop {kind}')} {quoted}"


def name_of(one: str) -> str:
    """The name of an object, without its host."""
    return one.partition(" ")[2].partition(" ")[0].partition("@")[0]


def named_by(texts: Iterable[str], objects: Collection[str]) -> frozenset[str]:
    """The objects whose names are in SQL: others that appeared meanwhile are somebody else's at work on the server."""
    text = "\n".join(texts)
    return frozenset(one for one in objects if name_of(one) and naming([name_of(one)]).search(text))


def naming(names: Iterable[str]) -> re.Pattern[str]:
    """Finds any of some names in SQL."""
    return re.compile(rf"(?i)(?<![\w$])(?:{'|'.join(map(re.escape, sorted(names)))})(?![\w$])")


def _on_all(text: str) -> str | None:
    """Why a statement, its words one blank apart, acts on more than what it names."""
    said = next((words for pattern, words in _ON_ALL if pattern.search(text)), None)
    if said is None and text.startswith("restore ") and not _RESTORES_A_PART.search(text):
        return None if _RESTORES_OWN_ACCOUNT.search(text) else "it takes back what others did in this account"
    return said


def _used(tokens: Sequence[str], words: Sequence[str]) -> Iterator[str]:
    """The objects that a statement makes, changes, drops, or looks into, in lower case, without hosts."""
    for kind, name in (*_by_kind(words), *_by_place(words), *_recipients(words), *_inside(tokens, words)):
        harmless = kind == "database" or words[0] not in _CHANGES
        if not (harmless and name in _EVERYWHERE):
            yield f"{kind} {name}"


def _by_kind(words: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Names after the word for their kind: ``pause cdc task x``, ``drop role r1, r2``, ``{snapshot = 's'}``."""
    for at, word in enumerate(words):
        if word not in _KINDS or (words[0] in _COMPUTES and words[at - 1 : at + 2] != _IN_BRACES):
            continue
        begun = next((later for later in range(at + 1, len(words)) if words[later] not in _BETWEEN), len(words))
        kind = "database" if word == "schema" else word
        yield from ((kind, name) for name in _listed(words[begun:]))
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
        yield from (("role", name) for name in given if name not in _EVERYWHERE)
    if (gives or head == "set" or words[:2] in (["alter", "role"], ["alter", "user"])) and before in words:
        last = len(words) - 1 - words[::-1].index(before)
        yield from ((kind, name) for name in _listed(words[last + 1 :]) for kind in ("role", "user"))
    if head in {"set", "show"} and "for" in words:
        yield from (("user", name) for name in _listed(words[words.index("for") + 1 :]))


def _inside(tokens: Sequence[str], words: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Databases before a dot, and what texts point at: ``sales.t``, ``'sales.t'``, ``'stage://st/file'``."""
    for at, word in enumerate(words[:-1]):
        if words[at + 1] == "." and words[at - 1 : at] != ["."] and tokens[at][0] not in "'\"":
            yield "database", word
    yield from ((kind, name) for name in pointed_at(tokens) for kind in ("database", "stage"))


def _listed(words: Sequence[str]) -> Iterator[str]:
    """The names that a list begins with; hosts are left out."""
    at = 0
    while at < len(words):
        yield words[at]
        at += 1
        if words[at : at + 1] == ["@"]:
            at += 2
        elif at < len(words) and words[at][:1] == "@":
            at += 1
        if words[at : at + 1] not in ([","], ["and"]):
            return
        at += 1
