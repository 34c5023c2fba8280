"""A small SQL server for demonstrations: the MySQL protocol before DuckDB. ``python -m workers.servers.embedded PORT``.

It knows tables, DML and queries. It is no MySQL: results are recorded on it, not taken over from another server.
"""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

import duckdb
from mysql_mimic import (
    ColumnType,
    IdentityProvider,
    MysqlServer,
    NativePasswordAuthPlugin,
    ResultColumn,
    ResultSet,
    Session,
    User,
)
from mysql_mimic.errors import MysqlError
from sqlglot import exp

from workers.servers.duck import Answer, Duck, SqlError, parse_mysql

PASSWORD = "111"  # noqa: S105 - a server that only this host sees, for minutes

_TYPES: dict[str, ColumnType] = {
    "BOOLEAN": ColumnType.LONGLONG,
    "TINYINT": ColumnType.TINY,
    "SMALLINT": ColumnType.SHORT,
    "INTEGER": ColumnType.LONG,
    "BIGINT": ColumnType.LONGLONG,
    "HUGEINT": ColumnType.NEWDECIMAL,
    "DECIMAL": ColumnType.NEWDECIMAL,
    "FLOAT": ColumnType.FLOAT,
    "DOUBLE": ColumnType.DOUBLE,
    "DATE": ColumnType.DATE,
    "TIME": ColumnType.TIME,
    "TIMESTAMP": ColumnType.DATETIME,
    "BLOB": ColumnType.BLOB,
}


class OnePassword(IdentityProvider):  # type: ignore[misc]  # mysql-mimic has no types
    """Every user is let in who knows the password of mo-tester's default account."""

    def get_plugins(self) -> list[Any]:
        """How clients prove it."""
        return [NativePasswordAuthPlugin()]

    def get_default_plugin(self) -> object:
        """The only one."""
        return NativePasswordAuthPlugin()

    async def get_user(self, username: str) -> object:
        """Anybody."""
        secret = NativePasswordAuthPlugin.create_auth_string(PASSWORD)
        return User(name=username, auth_string=secret, auth_plugin=NativePasswordAuthPlugin.name)


class DuckSession(Session):  # type: ignore[misc]  # mysql-mimic has no types
    """One client: variables are mysql-mimic's, everything else is DuckDB's."""

    def __init__(self, shared: duckdb.DuckDBPyConnection) -> None:
        super().__init__()
        self._duck = Duck(shared)

    async def use(self, database: str) -> None:
        """COM_INIT_DB and USE."""
        try:
            self._duck.use(database)
        except SqlError as error:
            raise MysqlError(error.message, code=error.code) from error
        self.database = database

    async def handle_query(self, sql: str, attrs: dict[str, str]) -> object:
        """Run every statement of ``sql``; the last one answers."""
        result: object = None
        try:
            for statement in parse_mysql(sql):
                result = await self._answer(statement, sql, attrs)
        except SqlError as error:
            raise MysqlError(error.message, code=error.code) from error
        return result

    async def close(self) -> None:
        """The client is gone."""
        self._duck.close()
        await super().close()

    async def _answer(self, statement: exp.Expr, sql: str, attrs: dict[str, str]) -> object:
        if _is_for_session(statement):
            return await super().handle_query(statement.sql(dialect="mysql"), attrs)
        work = asyncio.get_running_loop().run_in_executor(None, self._duck.execute, statement)
        try:
            answer = await work
        except asyncio.CancelledError:
            self._duck.interrupt()
            raise
        self.database = self._duck.database or ""
        return None if answer is None else _result_set(answer)


def _is_for_session(statement: exp.Expr) -> bool:
    """Whether it is about variables and the connection, which mysql-mimic knows."""
    if isinstance(statement, exp.Set | exp.Kill):
        return True
    if isinstance(statement, exp.Show):
        return statement.name.upper() in ("VARIABLES", "STATUS", "WARNINGS", "ERRORS")
    if not isinstance(statement, exp.Select) or statement.find(exp.Table):
        return False
    asks = (exp.SessionParameter, exp.CurrentUser)
    return bool(statement.find(*asks)) or any(
        call.name.upper() in ("DATABASE", "CONNECTION_ID", "USER", "VERSION")
        for call in statement.find_all(exp.Anonymous)
    )


def _result_set(answer: Answer) -> ResultSet:
    columns = [
        ResultColumn(label, _TYPES.get(kind.split("(")[0].split(" ")[0], ColumnType.VAR_STRING))
        for label, kind in zip(answer.labels, answer.types, strict=True)
    ]
    return ResultSet([[_plain(value) for value in row] for row in answer.rows], columns)


def _plain(value: object) -> object:
    """A value as MySQL's text protocol writes it."""
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, datetime):
        return value.replace(tzinfo=None)
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return int(value)
    return value


async def _serve(port: int) -> None:
    # Scripts may be a pull request's: unless it is told not to, DuckDB reads and writes any file of this host.
    shared = duckdb.connect(":memory:", config={"enable_external_access": "false"})
    server = MysqlServer(session_factory=lambda: DuckSession(shared), identity_provider=OnePassword())
    await server.start_server(host="127.0.0.1", port=port)
    over = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, over.set)
    await over.wait()
    server.close()


def main(argv: Sequence[str]) -> int:
    """Serve on the loopback until told to end."""
    asyncio.run(_serve(int(argv[0])))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
