"""What a script may destroy or change on a server that is not its own: only what this run made.

mo-tester drops every database it does not know and lets scripts do as they like. Here a statement that takes away or
changes what was there before the run stops its script, unless the caller allows it.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable

from orchestrator.cases.sql.words import PREDEFINED, SYSTEM_DATABASES
from orchestrator.domain.errors import ServerError
from workers.bvt.session import Sessions, quoted
from workers.bvt.threats import CHANGES, Threat, made, threats
from workers.bvt.wire import ConnectionLostError, Reply, ServerFaultError, Wire

#: Seconds our own statements may take: a database somebody holds on to stays.
_PATIENCE = 30.0
#: A server that answers so knows no such statement, database, column or table, and has none of what was asked for.
_UNKNOWN = frozenset({1049, 1054, 1064, 1146, 1149, 1235})
#: It keeps from this user what there is (MatrixOne says so in words alone).
_DENIED = frozenset({1044, 1142, 1143, 1227})
_DENIED_WORDS = "do not have privilege"
#: What else outlives a script, and how MatrixOne is asked for it, without what it makes for itself.
_OF_MATRIXONE = (
    ("user", "SELECT user_name FROM mo_catalog.mo_user"),
    ("role", "SELECT role_name FROM mo_catalog.mo_role"),
    ("snapshot", "SELECT sname FROM mo_catalog.mo_snapshots WHERE sname NOT LIKE '__mo%' AND sname NOT LIKE 'ccpr%'"),
    ("stage", "SELECT stage_name FROM mo_catalog.mo_stages"),
    ("publication", "SELECT pub_name FROM mo_catalog.mo_pubs"),
    ("cdc", "SELECT task_name FROM mo_catalog.mo_cdc_task"),
    ("pitr", "SELECT pitr_name FROM mo_catalog.mo_pitr WHERE pitr_name NOT LIKE 'sys_mo%'"),
)
_OF_OTHERS = (("role", "SELECT user FROM mysql.user WHERE is_role = 'Y'"),)


class Property:
    """What is on a server, in lower case. ``accounts`` None: it has none. ``others`` are (kind, name).

    Of the kinds ``untold`` nobody knows what there is: whatever is dropped may be somebody's.
    """

    def __init__(
        self,
        databases: Iterable[str],
        accounts: Iterable[str] | None,
        others: Iterable[tuple[str, str]] = (),
        untold: Iterable[str] = (),
    ) -> None:
        self.untold = frozenset(untold)
        self.databases = frozenset(name.lower() for name in databases)
        self.accounts = None if accounts is None else frozenset(name.lower() for name in accounts)
        self._others = frozenset((kind, name.lower()) for kind, name in others)

    def holds(self, kind: str, name: str | None) -> bool:
        """Whether there is a ``kind`` of that name, or without a name any."""
        if kind in ("database", "schema"):
            return name in self.databases | SYSTEM_DATABASES
        if kind in self.untold:
            return True
        if name is None:
            return any(kind == of for of, _ in self._others)
        accounts = self.accounts or frozenset()
        if kind == "account":
            return name in accounts
        if kind in ("user", "role") and (name == "current_user" or (name if "@" in name else f"{name}@%") in accounts):
            return True  # to MySQL a role is a user
        return (kind, name.partition("@")[0]) in self._others


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
        databases = self._told(wire, "SHOW DATABASES")
        if databases is None:
            raise self._silent("SHOW DATABASES", "it is unknown there")
        self.before = self._property(wire, databases)

    def reset(self) -> None:
        """Drop every database that is not the server's own: nothing on it is somebody's, save what outlives one.

        Raises ServerError when the server does not tell what that is.
        """
        wire = self._sessions.system()
        self.drop_databases(wire)
        self.before = self._property(self._sessions.system(), ())

    def tidy_all(self) -> None:
        """Drop every database that is there, and all else that was not there before. Best effort."""
        wire = self._sessions.system()
        self._drop_others(wire)
        self.drop_databases(wire)
        self._drop_accounts(wire)

    def objection(self, sql: str, current: str = "") -> str | None:
        """Why ``sql`` must not run, or None. ``current`` is the database it runs in."""
        if self._allow:
            return None
        for threat in threats(sql, current):
            if threat.kind == "server":
                return "it takes back what others did on this server"
            if self._hurts(threat):
                what = f"every {threat.kind}" if threat.name is None else f"the {threat.kind} {threat.name!r}"
                may = "may have been" if threat.kind in self.before.untold else "was"
                return f"it {threat.verb} {what}, which {may} there before this run"
        return None

    def _hurts(self, threat: Threat) -> bool:
        """Whether it is about something that was there. What may change in its own databases the server decides."""
        kind, name = threat.kind, threat.name
        if threat.verb == CHANGES and kind in ("database", "schema") and name in SYSTEM_DATABASES:
            return False
        if self._has_accounts and kind in ("user", "role") and name in PREDEFINED:
            return False  # the server itself refuses, and scripts test that
        return self.before.holds(kind, name)

    def owns(self, database: str) -> bool:
        """Whether ``database`` is free for this run to make and drop."""
        return self._allow or not self.before.holds("database", database.lower())

    def tidy(self, wire: Wire, texts: Iterable[str], *, others: bool = True) -> None:
        """Drop through ``wire`` what ``texts``, the statements of a script, made and left. Best effort.

        Only what is new since the run began and what the statements name: another client may be at work too. Without
        ``others`` only databases and accounts.
        """
        said = list(texts)
        text = "\n".join(said).lower()
        kinds = made(said)
        if others and (rest := kinds - {"database", "schema", "account"}):  # first: a publication holds its database
            self._drop_others(wire, rest, text)
        if kinds & {"database", "schema"}:
            self.drop_databases(wire, text)
        if kinds & {"account", "user"}:
            self._drop_accounts(wire, text)

    def drop_databases(self, wire: Wire, text: str | None = None) -> None:
        """Drop databases that were not there before and are not the server's own; with ``text`` those it names."""
        for name in _first_column(_try(wire, "SHOW DATABASES")) or []:
            lower = name.lower()
            if lower not in self.before.databases | SYSTEM_DATABASES and (text is None or _named(name, text)):
                wire = self._sessions.system() if wire.closed else wire
                _try(wire, f"DROP DATABASE IF EXISTS {quoted(name)}")

    def _drop_others(self, wire: Wire, kinds: Collection[str] | None = None, text: str | None = None) -> None:
        for kind, asked in self._questions():
            if kinds is not None and kind not in kinds:
                continue
            for name in _first_column(_try(wire, asked)) or []:
                if not self.before.holds(kind, name.lower()) and (text is None or _named(name, text)):
                    _try(wire, f"DROP {'CDC TASK' if kind == 'cdc' else kind.upper()} {quoted(name)}")

    def _drop_accounts(self, wire: Wire, text: str | None = None) -> None:
        """Drop accounts, or users as ``user@host``, that were not there before, if that is known."""
        if self.before.accounts is None:
            return
        for name in _first_column(_try(wire, self._accounts())) or []:
            user, _, host = name.partition("@")
            if name.lower() in self.before.accounts or not (text is None or _named(user, text)):
                continue
            if self._has_accounts:
                _try(wire, f"DROP ACCOUNT IF EXISTS {quoted(name)}")
            else:
                _try(wire, f"DROP USER IF EXISTS {quoted(user)}@{quoted(host)}")

    def _property(self, wire: Wire, databases: Iterable[str]) -> Property:
        """``databases``, and all else that is there. Raises ServerError when the server does not tell."""
        untold: set[str] = set()
        self._has_accounts = True
        accounts = self._seen(wire, self._accounts(), ("account",), untold)
        if accounts is None and not untold:
            self._has_accounts = False
            accounts = self._seen(wire, self._accounts(), ("user", "role"), untold)
        others = [
            (kind, name) for kind, asked in self._questions() for name in self._seen(wire, asked, (kind,), untold) or []
        ]
        return Property(databases, accounts, others, untold)

    def _seen(self, wire: Wire, asked: str, kinds: Iterable[str], untold: set[str]) -> list[str] | None:
        """What is there of ``kinds``, or they are ``untold``; None where the server has none or does not tell."""
        try:
            return self._told(wire, asked)
        except ServerError as error:
            fault = error.__cause__
            if isinstance(fault, ServerFaultError) and (fault.code in _DENIED or _DENIED_WORDS in fault.message):
                untold.update(kinds)
                return None
            raise

    def _accounts(self) -> str:
        """The question for MatrixOne's accounts, elsewhere for users as ``user@host``."""
        return "SHOW ACCOUNTS" if self._has_accounts else "SELECT concat(user, '@', host) FROM mysql.user"

    def _questions(self) -> Iterable[tuple[str, str]]:
        return _OF_MATRIXONE if self._has_accounts else _OF_OTHERS

    def _told(self, wire: Wire, sql: str) -> list[str] | None:
        """The first column of an answer, None where the server knows nothing of the kind. Raises ServerError."""
        try:
            return _first_column(wire.query(sql, timeout=_PATIENCE))
        except ServerFaultError as error:
            if error.code in _UNKNOWN:
                return None
            raise self._silent(sql, error.message) from error
        except ConnectionLostError as error:
            raise self._silent(sql, str(error)) from error

    def _silent(self, sql: str, why: str) -> ServerError:
        return ServerError(
            f"{self._sessions.dsn.place} does not answer {sql}: {why}",
            "Without it what is somebody's could be dropped. Name a user who may ask this.",
        )


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
