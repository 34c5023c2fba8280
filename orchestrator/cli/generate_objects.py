"""What lives on a server beside the database of a run, and whose it is."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

from orchestrator.cases.sql.words import SYSTEM_DATABASES

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
    ("cdc", "select task_name from mo_catalog.mo_cdc_task"),
    ("feature", "select concat_ws(' ', feature_code, enabled) from mo_catalog.mo_feature_registry"),
    # without a limit (-1) the server writes them itself
    ("limit", "select concat_ws(' ', feature_code, scope, quota) from mo_catalog.mo_feature_limit where quota <> -1"),
    ("pitr", "select pitr_name from mo_catalog.mo_pitr where pitr_name not like 'sys_mo%'"),
)
_IF = r"(?:if\s+(?:not\s+)?exists\s+)?"
_NAME = r"(?:`[^`]+`|'[^']+'|\"[^\"]+\"|[\w$]+)"
_HOST = rf"(?:@{_NAME})?"
#: A statement that makes, changes or drops objects by name, or takes all that is in one back to what it was.
_ABOUT = re.compile(
    r"(?i)\b(?:create|alter|drop|restore)\s+(?:or\s+replace\s+)?(account|role|user|snapshot|stage|publication"
    rf"|cdc|pitr)\s+{_IF}({_NAME}{_HOST}(?:\s*,\s*{_NAME}{_HOST})*)"
)
#: Of an account only this is taken back.
_PART = re.compile(r"(?i)\brestore\s+account\s+`?sys`?\s+(?=database\s)")
_CLUSTER = re.compile(r"(?i)\brestore\s+cluster\b")
_INSIDE = re.compile(rf"(?i)(?:^\s*use\s+|\b(?:database|schema)\s+{_IF}|(?<![\w.`])(?={_NAME}\s*\.))({_NAME})")

#: What tells of a server's objects, and names that objects of any server have.
_TELLS = re.compile(rf"(?i)^\s*show\b|\b(?:{'|'.join(sorted(SYSTEM_DATABASES))})`?\s*\.")
_EVERYWHERE = SYSTEM_DATABASES | {"root", "dump", "moadmin", "accountadmin", "public"}


class Objects:
    """The objects of one server. Those that are there at the start are somebody else's."""

    def __init__(self, ask: Callable[[str], Rows]) -> None:
        """``ask`` answers a query with its rows, with none when the server refuses it."""
        self._ask = ask
        #: What is somebody else's: ``user joe@%``, ``database sales`` …
        self.before = self.now()
        self._theirs = {one.partition("@")[0].lower() for one in self.before}
        named = (one.partition(" ")[2] for one in self._theirs)
        self._names = {name for name in named if name not in _EVERYWHERE}

    def now(self) -> frozenset[str]:
        """What is there, in the words of `orchestrator.generate.executor.Executor.objects`."""
        return frozenset(f"{kind} {row[0]}" for kind, question in _QUESTIONS for row in self._ask(question) if row)

    def objection(self, sql: str) -> str | None:
        """Why a statement must not run, or None: it would tell of, or change, what is somebody else's."""
        if _CLUSTER.search(sql):
            return "it takes back what everybody did"
        used = next((one for one in _used(_PART.sub("restore ", sql)) if one in self._theirs), None)
        return f"it uses the {used}, which was there before this run" if used else None

    def told_by(self, sql: str, rows: Rows) -> str | None:
        """Why the answer to a statement is no expectation anywhere else, or None: it lists somebody's object."""
        cells = (cell.lower() for row in rows for cell in row if cell) if _TELLS.search(sql) else ()
        found = next((cell for cell in cells if cell in self._names), None)
        return f"it tells of {found}, which was there before this run" if found else None


def _used(sql: str) -> Iterator[str]:
    """The objects that a statement makes, changes, drops, or looks into, in lower case."""
    for match in _ABOUT.finditer(sql):
        for name in match[2].split(","):
            yield f"{match[1].lower()} {_bare(name)}"
    for match in _INSIDE.finditer(sql):
        if _bare(match[1]) not in SYSTEM_DATABASES:
            yield f"database {_bare(match[1])}"


def _bare(name: str) -> str:
    return name.strip().partition("@")[0].strip("`'\"").lower()
