"""The connections of a run, by the id a script gives them.

As in mo-tester: id 0 is the default account and lives as long as the run, so its variables and transactions pass from
script to script; ids 1 to 999 are closed between scripts; an id that is open is reused whatever account a later command
names.
"""

from __future__ import annotations

from orchestrator.domain.errors import ServerError
from workers.bvt.dsn import Dsn
from workers.bvt.wire import ConnectionLostError, ServerFaultError, Wire

#: mo-tester's array of connections; a greater id ends it.
MAX_SESSIONS = 1000
_SYNC_TIMEOUT = 30.0
_STRICT = "STRICT_TRANS_TABLES"


class RefusedError(Exception):
    """The server lets no such account in, or the id is out of range."""


def open_wire(dsn: Dsn, *, timeout: float = 10.0) -> Wire:
    """Connect and say what Connector/J says first. Raises ServerFaultError (refused) and ServerError (no server)."""
    wire = Wire(dsn, connect_timeout=timeout)
    try:
        reply = wire.query("SELECT @@sql_mode, @@max_allowed_packet", timeout=timeout)
        mode, packet = ((cell or b"").decode("ascii", "replace") for cell in reply.rows[0])
        wire.max_packet = int(packet) if packet.isdigit() else 0
        # Text comes back as utf8, whatever it is stored in, and truncation is an error: jdbcCompliantTruncation.
        wire.query("SET character_set_results = utf8")
        if _STRICT not in mode.upper():
            wire.query(f"SET sql_mode='{mode + ',' if mode else ''}{_STRICT}'")
    except (ServerFaultError, IndexError, ValueError):
        if wire.closed:
            raise
    except ConnectionLostError as error:
        raise ServerError(f"{dsn.place} closed the connection at once: {error}", "Look at the server's log.") from error
    return wire


class Sessions:
    """Connections to one server."""

    def __init__(self, dsn: Dsn, *, connect_timeout: float = 10.0) -> None:
        self.dsn = dsn
        self._timeout = connect_timeout
        self._open: dict[int, Wire] = {}
        self._system: Wire | None = None
        self._synced = True
        #: The database the default connection is in, set again when it has to be reopened.
        self.database: str | None = None

    def get(self, number: int = 0, user: str | None = None, password: str | None = None) -> Wire:
        """Connection ``number``, opened on first use. Raises RefusedError and ServerError."""
        wire = self._open.get(number)
        if wire is not None and not wire.closed:
            return wire
        if not 0 <= number < MAX_SESSIONS:
            raise RefusedError(f"session id {number} is out of range: ids run from 0 to {MAX_SESSIONS - 1}")
        try:
            wire = open_wire(self.dsn.account(user, password), timeout=self._timeout)
        except ServerFaultError as error:
            name = self.dsn.user if user is None else user
            raise RefusedError(f"the server refuses the account {name!r}: {error.message}") from error
        self._open[number] = wire
        if number == 0 and self.database is not None:
            self.use(self.database)
        return wire

    def use(self, database: str) -> None:
        """Make ``database`` current on the default connection; a refusal is the next statement's to tell."""
        self.database = database
        try:
            wire = self.get()
            wire.query(f"USE {quoted(database)}")
            wire.database = database
        except (ServerFaultError, ConnectionLostError):
            return

    def follow(self, wire: Wire, database: str, *, failed: bool) -> None:
        """Note that a statement on ``wire`` made ``database`` current, if it did not fail; when it is "", ask."""
        if database and not failed:
            wire.database = database
        elif not database and not wire.closed:
            try:
                row = wire.query("SELECT DATABASE()", timeout=_SYNC_TIMEOUT).rows[0]
                wire.database = (row[0] or b"").decode("utf-8", "replace")
            except (ServerFaultError, ConnectionLostError, IndexError):
                wire.abort()  # whose tables it would drop nobody knows

    def system(self) -> Wire:
        """The connection for our own statements, apart from the scripts'."""
        if self._system is None or self._system.closed:
            try:
                self._system = open_wire(self.dsn, timeout=self._timeout)
            except ServerFaultError as error:
                raise ServerError(
                    f"{self.dsn.place} refuses the account {self.dsn.user!r}: {error.message}",
                    "Check user and password of the server address.",
                ) from error
        return self._system

    def sync_commit(self) -> None:
        """Have MatrixOne's transaction log catch up before another session reads; no other server knows how."""
        if not self._synced:
            return
        try:
            self.system().query("select mo_ctl('cn','synccommit','')", timeout=_SYNC_TIMEOUT)
        except ServerFaultError:
            self._synced = False
        except ConnectionLostError:
            return  # opened anew next time

    def reset(self) -> None:
        """Close every connection but the default one."""
        for number in [number for number in self._open if number]:
            self._open.pop(number).close()

    def close(self) -> None:
        """Close all."""
        wires = [*self._open.values(), *([self._system] if self._system else [])]
        self._open.clear()
        self._system = None
        for wire in wires:
            wire.close()


def quoted(name: str) -> str:
    """``name`` as an identifier."""
    return "`" + name.replace("`", "``") + "`"
