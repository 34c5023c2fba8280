"""What a script may destroy on a server that is not its own: only what this run made.

mo-tester drops every database it does not know and lets scripts do as they like. Here a statement that drops a
database or account which was there before the run stops its script, unless the caller allows it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from orchestrator.cases.sql.words import SYSTEM_DATABASES
from orchestrator.domain.errors import ServerError
from workers.bvt.session import Sessions, quoted
from workers.bvt.wire import ConnectionLostError, Reply, ServerFaultError, Wire

#: Seconds our own statements may take: a database somebody holds on to stays.
_PATIENCE = 30.0
_NAME = r"(`(?:[^`]|``)+`|'[^']+'|\"[^\"]+\"|[\w$@.]+)"
_BLANK = r"(?:\s|/\*.*?\*/)+"
_DROP = re.compile(
    rf"\bdrop{_BLANK}(database|schema|account|user){_BLANK}(?:if{_BLANK}exists{_BLANK})?([^;]+)",
    re.IGNORECASE | re.DOTALL,
)
_DROP_TABLE = re.compile(
    rf"\b(?:drop|truncate){_BLANK}(?:table|view){_BLANK}(?:if{_BLANK}exists{_BLANK})?{_NAME}\s*\.",
    re.IGNORECASE | re.DOTALL,
)
_DROP_PLAIN_TABLE = re.compile(rf"\b(?:drop|truncate){_BLANK}(?:table|view)\b", re.IGNORECASE | re.DOTALL)
_USE = re.compile(rf"\s*use{_BLANK}([^;]+)", re.IGNORECASE | re.DOTALL)
_MAKES = re.compile(rf"\bcreate{_BLANK}(?:or{_BLANK}replace{_BLANK})?(database|schema|account|user)\b", re.IGNORECASE)


class Property:
    """What is on a server: databases and accounts, in lower case. ``accounts`` None: the server does not tell."""

    def __init__(self, databases: Iterable[str], accounts: Iterable[str] | None) -> None:
        self.databases = frozenset(name.lower() for name in databases)
        self.accounts = None if accounts is None else frozenset(name.lower() for name in accounts)


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
        self.before = Property(databases, self._accounts(wire))

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
        if self._allow or not re.search(r"\b(?:drop|truncate)\b", sql, re.IGNORECASE):
            return None
        for match in _DROP.finditer(sql):
            kind = match[1].lower()
            owned = self.before.databases if kind in ("database", "schema") else self.before.accounts or frozenset()
            for name in map(_bare, match[2].split(",")):
                if name in owned | SYSTEM_DATABASES or f"{name}@%" in owned:
                    return f"it drops the {kind} {name!r}, which was there before this run"
        for match in _DROP_TABLE.finditer(sql):
            name = _bare(match[1])
            if name in self.before.databases | SYSTEM_DATABASES:
                return f"it drops a table of the database {name!r}, which was there before this run"
        if _DROP_PLAIN_TABLE.search(sql) and current.lower() in self.before.databases | SYSTEM_DATABASES:
            return f"it drops a table of the database {current!r}, which was there before this run"
        return None

    def owns(self, database: str) -> bool:
        """Whether ``database`` is free for this run to make and drop."""
        return self._allow or database.lower() not in self.before.databases | SYSTEM_DATABASES

    def tidy(self, wire: Wire, texts: Iterable[str]) -> None:
        """Drop through ``wire`` what ``texts``, the statements of a script, made and left. Best effort.

        Only what is new since the run began and what the statements name: another client may be at work too.
        """
        text = "\n".join(texts).lower()
        made = {match[1] for match in _MAKES.finditer(text)}
        if made & {"database", "schema"}:
            self.drop_databases(wire, text)
        if made & {"account", "user"} and self.before.accounts is not None:
            self._drop_accounts(wire, text)

    def drop_databases(self, wire: Wire, text: str | None = None) -> None:
        """Drop databases that were not there before and are not the server's own; with ``text`` those it names."""
        for name in self._databases(wire) or []:
            lower = name.lower()
            if lower not in self.before.databases | SYSTEM_DATABASES and (text is None or lower in text):
                wire = self._sessions.system() if wire.closed else wire
                _try(wire, f"DROP DATABASE IF EXISTS {quoted(name)}")

    def _drop_accounts(self, wire: Wire, text: str | None = None) -> None:
        for name in self._accounts(wire) or []:
            user, _, host = name.partition("@")
            if name.lower() in (self.before.accounts or ()) or (text is not None and user.lower() not in text):
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


def used_database(sql: str) -> str | None:
    """The database that ``sql`` makes current, if it is such a statement."""
    match = _USE.match(sql)
    return _bare(match[1]) if match else None


def _bare(name: str) -> str:
    """A name as it is compared: no quotes, no blanks around, lower case; of an account with its host."""
    return re.sub(r"[`'\"\s]|/\*.*?\*/", "", name).lower()


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
