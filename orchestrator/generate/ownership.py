"""Whose the objects of a server are: what is there at the start belongs to others, who may be at work there.

A generated statement must neither use, change nor drop what belongs to others, nor act on all that there is (``drop cdc
all``), and an answer that lists it is no expectation anywhere else. What appears while cases run is ours only when a
statement of ours names it.

An object is told as its kind and its name: ``database sales``, ``user joe@%``, ``cdc task1``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence

from orchestrator.cases.sql.tokens import actions_of, word_of
from orchestrator.cases.sql.words import PREDEFINED, SYSTEM_DATABASES
from orchestrator.generate.named import changes, named

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
_EVERYWHERE = SYSTEM_DATABASES | PREDEFINED
#: What asks for objects, or may: its answer may list those of others.
_TELLS = re.compile(rf"(?i)^\s*(?:show|execute|call)\b|\b(?:{'|'.join(sorted(SYSTEM_DATABASES))})`?\s*\.")

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
        return next(filter(None, map(self._objection, actions_of(sql))), None)

    def _objection(self, tokens: Sequence[str]) -> str | None:
        words = [word_of(token) for token in tokens]
        said = _on_all(" ".join(words))
        if said:
            return said
        used = next((one for one in _used(tokens, words) if one in self._theirs), None)
        return f"it uses the {used}, which was there before this run" if used else None

    def told_by(self, sql: str, rows: Rows) -> str | None:
        """Why the answer to a statement is no expectation anywhere else, or None: it lists an object of others."""
        cells = (cell.lower() for row in rows for cell in row if cell) if _TELLS.search(sql) else ()
        found = next((cell for cell in cells if cell in self._names), None)
        return f"it tells of {found}, which was there before this run" if found else None


def drops(objects: Iterable[str]) -> list[str]:
    """The statements that drop objects, databases last: none goes while a publication holds it."""
    return [_drop(one) for one in sorted(objects, key=lambda one: (one.startswith("database "), one))]


def _drop(one: str) -> str:
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
    """The objects that a statement names, but for those of every server that it leaves as they are."""
    for kind, name in named(tokens):
        harmless = kind == "database" or not changes(words)
        if not (harmless and name in _EVERYWHERE):
            yield f"{kind} {name}"
