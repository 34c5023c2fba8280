"""An engine for a URL, its transactions, and its troubles in words a person can act on."""

from __future__ import annotations

import socket
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import create_engine, event, exc, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import URL, Connection, Engine, make_url
from sqlalchemy.orm import Session
from sqlalchemy.pool import QueuePool

from orchestrator.domain.errors import InfrastructureError, ToolMissingError, UsageError

if TYPE_CHECKING:
    from sqlalchemy.sql.dml import Insert

#: Execution option that names how a SQLite transaction begins.
_BEGIN = "mo_testplan_begin"

#: What tells one PostgreSQL database from the others of its server, and whether this user may ask which server it is.
_WHICH = """SELECT current_database(), current_schema(),
    has_function_privilege(to_regprocedure('pg_control_system()'), 'EXECUTE')"""

#: Seconds.
_BETWEEN_TRIES = 0.01

#: What a driver says, and what to do about it.
_REMEDIES = (
    (
        "locked",
        "Another process is writing to it: try again, end that process, or keep the history in PostgreSQL "
        "(MO_TESTPLAN_STORE_URL=postgresql://…).",
    ),
    ("disk is full", "Free some space on its disk; nothing that was stored before is lost."),
    ("no space left", "Free some space on the disk of the database server."),
    ("readonly", "Give this user the right to write to the file and to its directory."),
    ("read-only", "Point MO_TESTPLAN_STORE_URL at a server that accepts writes."),
    (
        "unable to open",
        "Check that its directory exists and that this user may write there, or set MO_TESTPLAN_STORE_URL.",
    ),
    ("not a database", "The file is something else: name another one in MO_TESTPLAN_STORE_URL."),
    ("malformed", "The file is damaged: restore a copy, or name a new one in MO_TESTPLAN_STORE_URL."),
    ("password", "Correct the user and password in MO_TESTPLAN_STORE_URL."),
    ("does not exist", "Create the database and its user, or correct MO_TESTPLAN_STORE_URL."),
    ("connect", "Start the database server, or correct MO_TESTPLAN_STORE_URL."),
)


class Database:
    """One database: :meth:`reading`, :meth:`writing`, and nothing about what is in it.

    ``url`` is a SQLAlchemy URL, SQLite or PostgreSQL; ``sqlite://`` lives in memory. ``busy_timeout`` is how long, in
    seconds, a write waits for another process. Safe to use from several threads.
    """

    def __init__(self, url: str, busy_timeout: float = 10.0) -> None:
        parsed = parse_url(url)
        #: The address without its password.
        self.where = parsed.render_as_string(hide_password=True)
        with self._explained():
            self._engine = _engine(parsed, busy_timeout)
        self._writer = self._engine.execution_options(**{_BEGIN: "BEGIN IMMEDIATE"})

    @property
    def is_sqlite(self) -> bool:
        """Whether this is a file (or memory) rather than a server."""
        return self._engine.dialect.name == "sqlite"

    def place(self) -> str:
        """Which database this is, in the same words whatever address, alias or pooler it was reached by.

        Servers that do not say which they are (the function is an administrator's to grant) share their words.
        """
        if self.is_sqlite:
            return f"{Path(str(self._engine.url.database)).resolve()} on {socket.gethostname()}"
        with self.reading() as session:
            name, schema, may_ask = session.execute(text(_WHICH)).one()
            which = "SELECT system_identifier FROM pg_control_system()"
            server = session.execute(text(which)).scalar_one() if may_ask else "that it does not tell"
        return f"schema {schema} of database {name} in the PostgreSQL with system_identifier {server}"

    def close(self) -> None:
        """Give all connections back."""
        self._engine.dispose()

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A transaction that only looks."""
        with self._explained(), Session(self._engine) as session, session.begin():
            yield session

    @contextmanager
    def writing(self, *, alone: int | None = None) -> Iterator[Session]:
        """A transaction that is committed when the block ends, and undone when it raises.

        ``alone`` is a number: of the transactions with the same one, one at a time is at work in the whole database.
        (In SQLite every writing transaction is alone.)
        """
        with self._explained(), Session(self._writer) as session, session.begin():
            if alone is not None and not self.is_sqlite:
                session.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": alone})
            yield session

    def insert_new(self, table: Any) -> Insert:  # noqa: ANN401 - a mapped class
        """An INSERT that leaves rows alone whose key is there already."""
        if self.is_sqlite:
            return sqlite.insert(table).on_conflict_do_nothing()
        return postgresql.insert(table).on_conflict_do_nothing()

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except exc.DBAPIError as error:
            raise _explain(self.where, str(error.orig)) from error
        except exc.TimeoutError as error:
            raise _explain(self.where, f"no free connection: {error}") from error
        except OverflowError as error:
            raise _explain(self.where, f"a number is too big: {error}") from error
        except OSError as error:
            raise _explain(self.where, f"unable to open: {error.strerror}") from error


def parse_url(url: str) -> URL:
    """The parsed URL with the driver this program uses; :class:`UsageError` for what is no store."""
    try:
        parsed = make_url(url)
    except (exc.ArgumentError, ValueError):  # its text may hold a password: it is not repeated
        raise UsageError(
            "the address of the store is not a URL",
            "Write MO_TESTPLAN_STORE_URL as sqlite:///FILE or postgresql://USER:PASSWORD@HOST/DATABASE.",
        ) from None
    backend = parsed.drivername.partition("+")[0]
    if backend in ("postgresql", "postgres"):
        return parsed.set(drivername="postgresql+psycopg")
    if backend == "sqlite":
        return parsed.set(drivername="sqlite")
    raise UsageError(
        f"no store of kind {backend!r}", "MO_TESTPLAN_STORE_URL names a sqlite:// or a postgresql:// database."
    )


def _explain(where: str, said: str) -> InfrastructureError:
    first = said.strip().splitlines()[0] if said.strip() else "no reason given"
    remedy = next((remedy for word, remedy in _REMEDIES if word in said.lower()), "See what its server or disk says.")
    return InfrastructureError(f"the store {where} cannot be used: {first}", remedy)


def _engine(url: URL, busy_timeout: float) -> Engine:
    if url.get_backend_name() == "sqlite":
        return _sqlite(url, busy_timeout)
    try:
        return create_engine(url, pool_pre_ping=True, connect_args={"connect_timeout": 10})
    except ModuleNotFoundError:
        raise ToolMissingError(
            "PostgreSQL needs the psycopg driver, which is not installed",
            "Install it with: pip install 'mo-testplan[postgres]'",
        ) from None


def _keep_write_ahead_log(connection: sqlite3.Connection, busy_timeout: float) -> None:
    """Of two programs that switch a new file at once SQLite refuses one without a wait: that one tries again."""
    deadline = time.monotonic() + busy_timeout
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(_BETWEEN_TRIES)
        else:
            return


def _sqlite(url: URL, busy_timeout: float) -> Engine:
    arguments: dict[str, Any] = {"timeout": busy_timeout, "check_same_thread": False}
    if url.database in (None, "", ":memory:"):
        # All threads share the one connection that holds the data, taking turns.
        engine = create_engine(url, connect_args=arguments, poolclass=QueuePool, pool_size=1, max_overflow=0)
    else:
        if "uri" not in url.query:
            Path(str(url.database)).parent.mkdir(parents=True, exist_ok=True)
        engine = create_engine(url, connect_args=arguments)

    def connected(connection: Any, _record: object) -> None:  # noqa: ANN401 - the driver's connection
        connection.isolation_level = None  # transactions begin when we say so, not at the driver's first INSERT
        connection.execute("PRAGMA foreign_keys=ON")
        _keep_write_ahead_log(connection, busy_timeout)

    def begun(connection: Connection) -> None:
        # IMMEDIATE waits its turn; a deferred transaction that turns into a writer fails at once instead.
        connection.exec_driver_sql(connection.get_execution_options().get(_BEGIN, "BEGIN"))

    event.listen(engine, "connect", connected)
    event.listen(engine, "begin", begun)
    return engine
