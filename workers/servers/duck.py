"""MySQL statements on DuckDB: databases are schemas, errors have MySQL's words. Good enough for small cases."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, NamedTuple

import duckdb
from sqlglot import exp, parse
from sqlglot.errors import SqlglotError

#: Schemas of DuckDB itself.
_HIDDEN = frozenset(("main", "pg_catalog"))
_BUILTIN = ("information_schema",)


class SqlError(Exception):
    """An error in MySQL's words, with its code."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class Answer(NamedTuple):
    """A result set: labels, DuckDB type names, rows."""

    labels: tuple[str, ...]
    types: tuple[str, ...]
    rows: Sequence[Sequence[Any]]


class Duck:
    """One session on a DuckDB that several share. Not thread safe."""

    def __init__(self, shared: duckdb.DuckDBPyConnection) -> None:
        self._cursor = shared.cursor()
        self.database: str | None = None

    def close(self) -> None:
        """End the session; an open transaction is rolled back."""
        self._cursor.close()

    def interrupt(self) -> None:
        """Stop the statement under way; any thread may call this."""
        self._cursor.interrupt()

    def databases(self) -> list[str]:
        """Names, sorted, the server's own included."""
        rows = self._cursor.execute("SELECT DISTINCT schema_name FROM information_schema.schemata").fetchall()
        return sorted({str(row[0]) for row in rows} - _HIDDEN | set(_BUILTIN))

    def use(self, name: str) -> None:
        """Make a database current. Raises SqlError."""
        if name not in self.databases():
            raise SqlError(1049, f"Unknown database '{name}'")
        self.database = name
        self._cursor.execute(f"SET schema = {_literal(name)}")

    def execute(self, statement: exp.Expr) -> Answer | None:
        """Run one parsed statement. Raises SqlError."""
        kind = str(statement.args.get("kind") or "").upper()
        if isinstance(statement, exp.Create) and kind in ("DATABASE", "SCHEMA"):
            self._create_database(statement)
            return None
        if isinstance(statement, exp.Drop) and kind in ("DATABASE", "SCHEMA"):
            self._drop_database(statement)
            return None
        if isinstance(statement, exp.Create | exp.Drop) and kind in ("ACCOUNT", "USER"):
            raise SqlError(1235, "This server has no accounts")
        if isinstance(statement, exp.Use):
            self.use(statement.this.name)
            return None
        if isinstance(statement, exp.Show):
            return self._show(statement)
        if isinstance(statement, exp.Command):
            raise SqlError(1235, f"This server does not yet support '{statement.name.upper()}'")
        return self._run(statement)

    def _run(self, statement: exp.Expr) -> Answer | None:
        is_query = isinstance(statement, exp.Query)
        if (
            self.database is None
            and statement.find(exp.Table)
            and not any(t.args.get("db") for t in statement.find_all(exp.Table))
        ):
            raise SqlError(1046, "No database selected")
        try:
            for text in _translated(statement):
                self._cursor.execute(text)
            if not is_query:
                return None
            described = self._cursor.description or []
            types = tuple(str(column[1]).upper() for column in described)
            return Answer(tuple(str(column[0]) for column in described), types, self._cursor.fetchall())
        except duckdb.Error as error:
            raise _worded(error, self.database) from error

    def _create_database(self, statement: exp.Create) -> None:
        name = _database(statement)
        if name in self.databases():
            if statement.args.get("exists"):
                return
            raise SqlError(1007, f"Can't create database '{name}'; database exists")
        self._cursor.execute(f"CREATE SCHEMA {_identifier(name)}")

    def _drop_database(self, statement: exp.Drop) -> None:
        name = _database(statement)
        if name not in self.databases():
            if statement.args.get("exists"):
                return
            raise SqlError(1008, f"Can't drop database '{name}'; database doesn't exist")
        if name in _BUILTIN:
            raise SqlError(1044, f"Access denied to database '{name}'")
        if self.database == name:
            self._cursor.execute("SET schema = 'main'")
            self.database = None
        self._cursor.execute(f"DROP SCHEMA {_identifier(name)} CASCADE")

    def _show(self, statement: exp.Show) -> Answer:
        what = statement.name.upper()
        if what in ("DATABASES", "SCHEMAS"):
            return Answer(("Database",), ("VARCHAR",), [[name] for name in self.databases()])
        if what == "TABLES":
            database = statement.text("db") or self.database
            if database is None:
                raise SqlError(1046, "No database selected")
            rows = self._cursor.execute(
                "SELECT table_name FROM information_schema.tables WHERE table_schema = ? ORDER BY 1", [database]
            ).fetchall()
            return Answer((f"Tables_in_{database}",), ("VARCHAR",), rows)
        raise SqlError(1235, f"This server does not yet support 'SHOW {what}'")


def parse_mysql(sql: str) -> list[exp.Expr]:
    """The statements of ``sql``. Raises SqlError with code 1064 or 1065."""
    try:
        found = [statement for statement in parse(sql, dialect="mysql") if statement is not None]
    except SqlglotError as error:
        raise SqlError(1064, _syntax(sql, error)) from error
    if not found:
        raise SqlError(1065, "Query was empty")
    return found


def _syntax(sql: str, error: SqlglotError) -> str:
    details: dict[str, Any] = (getattr(error, "errors", None) or [{}])[0]
    near = f"{details.get('highlight') or ''}{details.get('end_context') or ''}" or sql
    return f"You have an error in your SQL syntax near '{near[:80]}' at line {details.get('line') or 1}"


def _translated(statement: exp.Expr) -> list[str]:
    """The statements DuckDB is to run for it."""
    texts: list[str] = []
    if isinstance(statement, exp.Select):
        _label(statement)
    if isinstance(statement, exp.Create):
        texts = _sequences(statement)
    if isinstance(statement, exp.Describe):
        raise SqlError(1235, "This server does not yet support 'DESCRIBE'")
    return [*texts, statement.sql(dialect="duckdb")]


def _label(select: exp.Select) -> None:
    """MySQL names an expression by its text; DuckDB would make up a name."""
    for item in select.expressions:
        if not isinstance(item, exp.Alias | exp.Column | exp.Star):
            text = item.name if isinstance(item, exp.Literal) else item.sql(dialect="mysql")
            item.replace(exp.alias_(item.copy(), text, quoted=True))


def _sequences(create: exp.Create) -> list[str]:
    """AUTO_INCREMENT as a sequence and a default; options that DuckDB does not know are dropped."""
    create.set("properties", None)
    made = []
    for column in create.find_all(exp.ColumnDef):
        for constraint in list(column.args.get("constraints") or []):
            kind = constraint.args.get("kind")
            if isinstance(kind, exp.AutoIncrementColumnConstraint):
                name = f"{create.this.this.name}_{column.name}_seq"
                made.append(f"CREATE OR REPLACE SEQUENCE {_identifier(name)}")
                default = exp.func("nextval", exp.Literal.string(name))
                constraint.set("kind", exp.DefaultColumnConstraint(this=default))
            elif isinstance(
                kind, exp.CommentColumnConstraint | exp.CharacterSetColumnConstraint | exp.CollateColumnConstraint
            ):
                constraint.pop()
    return made


_WORDS: tuple[tuple[str, int, str], ...] = (
    (r"Table with name (\S+) does not exist", 1146, "Table '{db}.{0}' doesn't exist"),
    (r'Table with name "?([^"\s]+)"? already exists', 1050, "Table '{0}' already exists"),
    (r'Referenced column "([^"]+)" not found', 1054, "Unknown column '{0}' in 'field list'"),
    (r'does not have a column (?:with name|named) "?([^"\s!]+)', 1054, "Unknown column '{0}' in 'field list'"),
    (r'Duplicate key "[^:]+: ([^"]*)" violates', 1062, "Duplicate entry '{0}' for key 'PRIMARY'"),
    (r"NOT NULL constraint failed: \S+\.(\S+)", 1048, "Column '{0}' cannot be null"),
    (r"has (\d+) columns but (\d+) values were supplied", 1136, "Column count doesn't match value count at row 1"),
    (r"Scalar Function with name (\S+) does not exist", 1305, "FUNCTION {0} does not exist"),
)


def _worded(error: duckdb.Error, database: str | None) -> SqlError:
    text = str(error)
    first_line = text.partition("\n")[0]
    for pattern, code, words in _WORDS:
        if match := re.search(pattern, text):
            return SqlError(code, words.format(*match.groups(), db=database or ""))
    if isinstance(error, duckdb.InterruptException):
        return SqlError(1317, "Query execution was interrupted")
    if isinstance(error, duckdb.ConversionException):
        return SqlError(1366, first_line)
    return SqlError(1064 if isinstance(error, duckdb.ParserException) else 1105, first_line)


def _database(statement: exp.Expr) -> str:
    table = statement.this or statement.args["tables"][0]
    return str(table.text("db") or table.name)


def _identifier(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
