"""The server that generated cases are tried on: the case runner's connections behind the generator's interface."""

from __future__ import annotations

import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from orchestrator.cases.discover import result_paths
from orchestrator.cases.script import database_of
from orchestrator.cli.life import undisturbed
from orchestrator.domain.errors import ServerError, UsageError
from orchestrator.generate.executor import Answer, Recorded
from orchestrator.generate.ownership import Ownership, drops, named_by
from orchestrator.generate.publish import write_files
from workers.bvt.compare import VerdictKind
from workers.bvt.dsn import Dsn, parse_dsn
from workers.bvt.execute import Options
from workers.bvt.guard import Guard
from workers.bvt.render import BadValueError, result_of
from workers.bvt.results import CommandResult, ScriptResult
from workers.bvt.runner import Case, Runner
from workers.bvt.session import Sessions, open_wire, quoted
from workers.bvt.wire import ConnectionLostError, Limits, Reply, ServerFaultError, Wire

_TIMEOUT = 20.0
_ROWS = 20_000
#: Seconds after which a clock that counts seconds shows another one.
_TICK = 1.0
_OPTIONS = Options(statement_timeout=_TIMEOUT)


class BvtServer:
    """An `Executor` over one address."""

    def __init__(self, dsn: Dsn) -> None:
        """Raises ServerError when nobody answers there."""
        self._sessions = Sessions(dsn)
        self._dsn = dsn
        guard = Guard(self._sessions, allow_drops=False)
        guard.remember()
        self._guard = guard
        self._ownership = Ownership(self._quietly)
        #: What was run here, and in which databases: whatever appeared and has a name in these is ours.
        self._texts: set[str] = set()
        with _needed(dsn):
            reply = self._sessions.system().query("select version()", timeout=_TIMEOUT)
        self.version = _cells(reply)[0][0] or ""

    def close(self) -> None:
        """Drop what an interrupted run left, and close the connections."""
        with undisturbed():
            try:
                self.tidy(named_by(self._texts, self.objects() - self._ownership.before))
            except ServerError:
                pass  # a lost server has nothing left to tidy
            finally:
                self._sessions.close()

    def run(self, statements: Sequence[str], database: str) -> list[Answer]:
        """Run in a new session and a database of its own.

        Raises ServerError when a database of this name was there before, or none may be made.
        """
        if not self._guard.owns(database):
            raise ServerError(
                f"the database {database!r} was there before this run and is not ours to use",
                "Drop it, or try the cases on another server.",
            )
        self._texts.update(statements, (database,))
        wire = self._fresh(database)
        answers = []
        try:
            for sql in statements:
                if wire.closed:
                    wire = self._fresh(database, keep=True)
                answers.append(self._answer(wire, sql, database))
        finally:
            wire.close()
            self._quietly(f"drop database if exists {quoted(database)}")
        return answers

    def _fresh(self, database: str, *, keep: bool = False) -> Wire:
        system = self._sessions.system()
        with _needed(self._dsn):
            if not keep:
                self._quietly(f"drop database if exists {quoted(database)}")
                system.query(f"create database {quoted(database)}", timeout=_TIMEOUT)
            wire = open_wire(self._dsn)
            wire.query(f"use {quoted(database)}", timeout=_TIMEOUT)
        return wire

    def _answer(self, wire: Wire, sql: str, database: str) -> Answer:
        objection = self._guard.objection(sql, database) or self._ownership.objection(sql)
        if objection:
            return Answer(withheld=objection)
        try:
            reply = wire.query(sql, limits=Limits(rows=_ROWS), timeout=_TIMEOUT)
            told = self._ownership.told_by(sql, _cells(reply))
            return Answer(withheld=told) if told else Answer() if reply.fields is None else _result(reply)
        except ServerFaultError as fault:
            return Answer(error=fault.message)
        except ConnectionLostError:
            return Answer(lost=True)

    def objects(self) -> frozenset[str]:
        """What lives outside of the database of a run."""
        return self._ownership.now()

    def recorded(self, scripts: Mapping[str, str]) -> dict[str, Recorded]:
        """Record scripts, then judge each against that, each run in sessions and a database of its own."""
        with tempfile.TemporaryDirectory(prefix="mo-testplan-record-") as folder:
            base = Path(folder)
            write_files(base, scripts)
            self._texts.update(scripts.values(), map(database_of, scripts))
            targets = {path: base / result_paths(path)[0] for path in scripts}
            told = {path: _Told() for path in scripts}
            left = {path: self._leaves(path, base, told[path], targets[path]) for path in scripts}
            time.sleep(_TICK)
            for path in (path for path in scripts if targets[path].is_file()):
                left[path] |= self._leaves(path, base, told[path])
            texts = {path: _text(target) for path, target in targets.items()}
        return {path: Recorded(texts[path], told[path].reasons, left[path]) for path in scripts}

    def _leaves(self, path: str, base: Path, told: _Told, target: Path | None = None) -> frozenset[str]:
        """Record a script into ``target``, or run it against what was recorded; what it leaves, which is tidied."""
        case, before = Case(base / path, path, base), self.objects()
        told.seen = 0
        with Runner(self._dsn, _OPTIONS, told, threading.Event()) as runner:
            if target is not None:
                runner.record(case, target)
            else:
                runner.run(case)
        left = named_by((case.file.read_text(encoding="utf-8"), database_of(path)), self.objects() - before)
        self.tidy(left)
        return left

    def tidy(self, left: frozenset[str]) -> None:
        """Drop what a run left, as far as there is a word for it."""
        for sql in drops(left):
            self._quietly(sql)

    def _quietly(self, sql: str) -> list[tuple[str | None, ...]]:
        try:
            return _cells(self._sessions.system().query(sql, timeout=_TIMEOUT))
        except (ServerFaultError, ConnectionLostError):
            return []


@contextmanager
def _needed(dsn: Dsn) -> Iterator[None]:
    """Around statements that no trial can do without: what goes wrong with them is a ServerError."""
    try:
        yield
    except (ServerFaultError, ConnectionLostError) as error:
        raise ServerError(
            f"no case can be tried on {dsn.place}: {error}",
            "Name an account that may make databases there, or look at the server's log.",
        ) from error


class _Told:
    """Keeps why commands did not pass, by position."""

    def __init__(self) -> None:
        self.seen = 0
        self.reasons: dict[int, str] = {}

    def command(self, result: CommandResult) -> None:
        """A command was recorded or judged."""
        if result.verdict is not VerdictKind.PASS:
            self.reasons[self.seen] = f"{result.verdict}: {result.reason[:160]}"
        self.seen += 1

    def script(self, result: ScriptResult) -> None:
        """A script ended."""

    def close(self, scripts: Sequence[ScriptResult]) -> None:
        """The run ended."""


def _text(recorded: Path) -> str:
    """An expectation, byte by byte; empty when the server had no place for the script's database."""
    return recorded.read_bytes().decode("utf-8", "replace") if recorded.is_file() else ""


def _cells(reply: Reply) -> list[tuple[str | None, ...]]:
    return [
        tuple(None if cell is None else cell.decode("utf-8", "replace") for cell in row) for row in reply.rows or ()
    ]


def _result(reply: Reply) -> Answer:
    labels = tuple(one.label for one in reply.fields or ())
    try:
        shown, _ = result_of(reply)
    except (BadValueError, ValueError):
        return Answer(labels, tuple(_cells(reply)))
    return Answer(labels, tuple(tuple(str(cell) for cell in row) for row in shown.rows))


@contextmanager
def server_of(dsn: str | None, kind: str) -> Iterator[BvtServer | None]:
    """The server that the options name: an address, one of our own, or none.

    Raises:
        UsageError: both are given, or the address cannot be read.
        ServerError: nobody answers there, or the server does not start.
    """
    if dsn and kind != "none":
        raise UsageError("--dsn and --server both name a server", "Give one of them.")
    with ExitStack() as stack:
        if not dsn and kind == "none":
            yield None
            return
        if not dsn:
            from workers.servers import Startup, make_server

            made = make_server(kind, startup=Startup(60.0, threading.Event().is_set))
            stack.callback(made.close)
            dsn = made.start()
        server = BvtServer(parse_dsn(dsn))
        stack.callback(server.close)
        yield server
