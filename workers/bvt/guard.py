"""What a script may destroy on a server that is not its own: only what this run made.

mo-tester drops every database it does not know and lets scripts do as they like. Here a statement that takes away what
was there before the run stops its script, unless the caller allows it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from orchestrator.cases.sql.words import SYSTEM_DATABASES
from orchestrator.domain.errors import ServerError
from workers.bvt.session import Sessions, quoted
from workers.bvt.threats import ALL, KINDS, bare, threats
from workers.bvt.wire import ConnectionLostError, Reply, ServerFaultError, Wire

#: Seconds our own statements may take: a database somebody holds on to stays.
_PATIENCE = 30.0
#: What else outlives a script, and how a server is asked for it, without what it makes for itself; one that does not
#: know the question has none.
_OTHERS = (
    ("user", "SELECT user_name FROM mo_catalog.mo_user"),
    ("role", "SELECT role_name FROM mo_catalog.mo_role"),
    ("role", "SELECT user FROM mysql.user WHERE is_role = 'Y'"),
    ("snapshot", "SELECT sname FROM mo_catalog.mo_snapshots WHERE sname NOT LIKE '__mo%' AND sname NOT LIKE 'ccpr%'"),
    ("stage", "SELECT stage_name FROM mo_catalog.mo_stages"),
    ("publication", "SELECT pub_name FROM mo_catalog.mo_pubs"),
    ("cdc", "SELECT task_name FROM mo_catalog.mo_cdc_task"),
    ("pitr", "SELECT pitr_name FROM mo_catalog.mo_pitr WHERE pitr_name NOT LIKE 'sys_mo%'"),
)
#: Users and roles of every MatrixOne. The server itself drops none of them, and scripts test that.
_PREDEFINED = frozenset(["root", "dump", "moadmin", "accountadmin", "public"])
_BLANK = r"(?:\s|/\*.*?\*/)+"
_USE = re.compile(rf"\s*use{_BLANK}([^;]+)", re.IGNORECASE | re.DOTALL)
_MAKES = re.compile(rf"\bcreate{_BLANK}(?:or{_BLANK}replace{_BLANK})?({'|'.join(KINDS)})\b", re.IGNORECASE)


class Property:
    """What is on a server, in lower case. ``accounts`` None: the server does not tell. ``others`` are (kind, name)."""

    def __init__(
        self, databases: Iterable[str], accounts: Iterable[str] | None, others: Iterable[tuple[str, str]] = ()
    ) -> None:
        self.databases = frozenset(name.lower() for name in databases)
        self.accounts = None if accounts is None else frozenset(name.lower() for name in accounts)
        self._others = frozenset((kind, name.lower()) for kind, name in others)

    def holds(self, kind: str, name: str) -> bool:
        """Whether there is a ``kind`` of that name, or with :data:`ALL` any."""
        if kind in ("database", "schema"):
            return name in self.databases | SYSTEM_DATABASES
        others = {other for of, other in self._others if of == kind}
        if name == ALL:
            return bool(others)
        accounts = self.accounts or frozenset() if kind in ("account", "user") else frozenset()
        return name.partition("@")[0] in others or not accounts.isdisjoint((name, f"{name}@%"))


class Guard:
    """Knows what was there before the run, and takes away what a script made since."""

    def __init__(self, sessions: Sessions, *, allow_drops: bool) -> None:
        self._sessions = sessions
        self._allow = allow_drops
        self._has_accounts = False
        self.before = Property((), None)

    def remember(self) -> None:
        """Take everything that is there now for somebody else's. Raises ServerError when the server does not tell."""
        wire = self._sessions.system()
        databases = self._databases(wire)
        if databases is None:
            raise ServerError(
                f"{self._sessions.dsn.place} does not say which databases it has",
                "SHOW DATABASES must work, or what is somebody's could be dropped. --reset-server does without.",
            )
        self._has_accounts = _try(wire, "SHOW ACCOUNTS") is not None
        self.before = Property(databases, self._accounts(wire), self._others(wire))

    def reset(self) -> None:
        """Drop every database that is not the server's own: nothing on it is somebody's, save the accounts."""
        wire = self._sessions.system()
        self.drop_databases(wire)
        self._has_accounts = _try(wire, "SHOW ACCOUNTS") is not None
        self.before = Property((), self._accounts(wire))

    def tidy_all(self) -> None:
        """Drop every database that is there, and every account that was not there before. Best effort."""
        wire = self._sessions.system()
        self.drop_databases(wire)
        if self.before.accounts is not None:
            self._drop_accounts(wire)

    def objection(self, sql: str, current: str = "") -> str | None:
        """Why ``sql`` must not run, or None. ``current`` is the database it runs in."""
        if self._allow:
            return None
        for threat in threats(sql, current):
            if threat.kind == "server":
                return "it takes back what others did on this server"
            if self.before.holds(threat.kind, threat.name) and not _predefined(threat.kind, threat.name):
                what = f"every {threat.kind}" if threat.name == ALL else f"the {threat.kind} {threat.name!r}"
                return f"it {threat.verb} {what}, which was there before this run"
        return None

    def owns(self, database: str) -> bool:
        """Whether ``database`` is free for this run to make and drop."""
        return self._allow or not self.before.holds("database", database.lower())

    def tidy(self, wire: Wire, texts: Iterable[str], *, others: bool = True) -> None:
        """Drop through ``wire`` what ``texts``, the statements of a script, made and left. Best effort.

        Only what is new since the run began and what the statements name: another client may be at work too. Without
        ``others`` only databases and accounts.
        """
        text = "\n".join(texts).lower()
        made = {match[1] for match in _MAKES.finditer(text)}
        if others and (kinds := made - {"database", "schema", "account"}):  # first: a publication holds its database
            self._drop_others(wire, kinds, text)
        if made & {"database", "schema"}:
            self.drop_databases(wire, text)
        if made & {"account", "user"} and self.before.accounts is not None:
            self._drop_accounts(wire, text)

    def drop_databases(self, wire: Wire, text: str | None = None) -> None:
        """Drop databases that were not there before and are not the server's own; with ``text`` those it names."""
        for name in self._databases(wire) or []:
            lower = name.lower()
            if lower not in self.before.databases | SYSTEM_DATABASES and (text is None or _named(name, text)):
                wire = self._sessions.system() if wire.closed else wire
                _try(wire, f"DROP DATABASE IF EXISTS {quoted(name)}")

    def _drop_others(self, wire: Wire, kinds: set[str], text: str) -> None:
        for kind, name in self._others(wire):
            theirs = _predefined(kind, name.lower()) or self.before.holds(kind, name.lower())
            if kind in kinds and _named(name, text) and not theirs:
                _try(wire, f"DROP {'CDC TASK' if kind == 'cdc' else kind.upper()} {quoted(name)}")

    def _drop_accounts(self, wire: Wire, text: str | None = None) -> None:
        for name in self._accounts(wire) or []:
            user, _, host = name.partition("@")
            if name.lower() in (self.before.accounts or ()) or not (text is None or _named(user, text)):
                continue
            if self._has_accounts:
                _try(wire, f"DROP ACCOUNT IF EXISTS {quoted(name)}")
            else:
                _try(wire, f"DROP USER IF EXISTS {quoted(user)}@{quoted(host)}")

    def _databases(self, wire: Wire) -> list[str] | None:
        return _first_column(_try(wire, "SHOW DATABASES"))

    def _accounts(self, wire: Wire) -> list[str] | None:
        """MatrixOne's accounts; elsewhere users as ``user@host``."""
        if self._has_accounts:
            return _first_column(_try(wire, "SHOW ACCOUNTS"))
        return _first_column(_try(wire, "SELECT concat(user, '@', host) FROM mysql.user"))

    def _others(self, wire: Wire) -> list[tuple[str, str]]:
        return [(kind, name) for kind, asked in _OTHERS for name in _first_column(_try(wire, asked)) or []]


def used_database(sql: str) -> str | None:
    """The database that ``sql`` makes current, if it is such a statement."""
    match = _USE.match(sql)
    return bare(match[1]) if match else None


def _predefined(kind: str, name: str) -> bool:
    return kind in ("user", "role") and name in _PREDEFINED


def _named(name: str, text: str) -> bool:
    """Whether ``text``, which is in lower case, has ``name`` as a word."""
    return re.search(rf"(?<![\w$]){re.escape(name.lower())}(?![\w$])", text) is not None


def _first_column(reply: Reply | None) -> list[str] | None:
    if reply is None:
        return None
    return [row[0].decode("utf-8", "replace") for row in reply.rows if row[0] is not None]


def _try(wire: Wire, sql: str) -> Reply | None:
    """The answer, or None where the server refuses or is gone: tidying goes on with the next thing."""
    try:
        return wire.query(sql, timeout=_PATIENCE)
    except (ServerFaultError, ConnectionLostError):
        return None
