"""Scripts one after the other on one server: set-up, execution, tidying, results."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import NamedTuple

from orchestrator.cases.discover import find_result, read_text
from orchestrator.cases.expectation import split_expectations
from orchestrator.cases.script import Script, parse_script
from orchestrator.domain.errors import BadCaseError, ServerError
from workers.bvt.compare import VerdictKind
from workers.bvt.dsn import Dsn
from workers.bvt.execute import Executor, Options
from workers.bvt.guard import Guard
from workers.bvt.record import record_script
from workers.bvt.results import CommandResult, Listener, ScriptResult
from workers.bvt.session import RefusedError, Sessions, quoted
from workers.bvt.watch import Watch
from workers.bvt.wire import ConnectionLostError, ServerFaultError, Wire

#: Seconds our own statements may take.
_TIDY_TIMEOUT = 30.0


@dataclass(frozen=True, slots=True)
class Case:
    """A script to run: where it is, and what it is called in reports."""

    file: Path
    #: From the parent of the root that was given.
    path: str
    #: What ``path`` is relative to.
    base: Path | None = None


class Runner:
    """One server's worth of a run; a context manager that leaves nothing of its own behind.

    Raises ServerError when the server cannot be had, or is lost, and CancelledError after ``stop`` is set.
    """

    def __init__(
        self,
        dsn: Dsn,
        options: Options,
        listener: Listener,
        stop: threading.Event,
        log: Callable[[str], None] = lambda line: None,
    ) -> None:
        self._options = options
        self._listener = listener
        self._log = log
        self._stop = stop
        self._sessions = Sessions(dsn, connect_timeout=options.connect_timeout)
        self._guard = Guard(self._sessions, allow_drops=options.allow_drops or options.reset)
        self._watch = Watch(dsn, stop)
        self._executor = Executor(self._sessions, self._guard, self._watch, options, log)

    def __enter__(self) -> Runner:
        if self._options.reset:
            self._guard.reset()
        else:
            self._guard.remember()
        self._watch.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._watch.__exit__(kind, error, trace)
        try:
            if self._options.reset:
                self._guard.tidy_all()
        except ServerError as lost:
            self._log(f"nothing could be tidied: {lost}")
        finally:
            self._sessions.close()

    def run(self, case: Case) -> ScriptResult:
        """Run one script against its result file, telling the listener of each command."""
        try:
            script, result = self._parsed(case)
        except BadCaseError as error:
            return self._unreadable(case, error.message)
        if script.skipped:
            return self._end(result)
        try:
            expectations = split_expectations(script, _result_text(case))
        except BadCaseError as error:
            self._tell_unanswered(script, result, error.message)
            return self._end(result)
        with self._own_database(script, result) as ready:
            if ready:
                self._executor.run(script, expectations, lambda told: self._tell(told, result))
        return self._end(result)

    def record(self, case: Case, target: Path) -> ScriptResult:
        """Run one script and write what the server answers into its result file ``target`` (method genrs).

        Raises BadCaseError when it cannot be read.
        """
        script, result = self._parsed(case)
        with self._own_database(script, result) as ready:
            if ready:
                result.result.recorded = record_script(
                    self._executor, script, target, lambda told: self._tell(told, result)
                )
        return self._end(result)

    def _parsed(self, case: Case) -> tuple[Script, _Progress]:
        script = parse_script(read_text(case.file), case.path, ignore_issues=self._options.ignore_issues)
        result = ScriptResult(case.path, total=len(script.commands), skipped=script.skipped)
        result.notes.extend(map(str, script.problems))
        return script, _Progress(result, time.monotonic())

    def _unreadable(self, case: Case, reason: str) -> ScriptResult:
        """A script that cannot be read fails, in place of its commands, and the others run."""
        progress = _Progress(ScriptResult(case.path, total=1, notes=[reason]), time.monotonic())
        self._tell(CommandResult(case.path, 1, "", VerdictKind.ABNORMAL, reason=reason), progress)
        return self._end(progress)

    @contextmanager
    def _own_database(self, script: Script, progress: _Progress) -> Iterator[bool]:
        """The script's database made and current; dropped at the end, with all else the script made and left."""
        self._sessions.reset()
        self._executor.last = None
        if not self._guard.owns(script.use_db):
            reason = f"the database {script.use_db!r} was there before this run and is not ours to use"
            self._tell_unanswered(script, progress, f"{reason}; --reset-server or --allow-drops permit it")
            yield False
            return
        try:
            self._make_database(script.use_db)
            yield True
        finally:
            self._tidy(script)

    def _make_database(self, name: str) -> None:
        try:
            wire = self._sessions.get()
            wire.query(f"create database IF NOT EXISTS {quoted(name)};", timeout=_TIDY_TIMEOUT)
        except RefusedError as error:
            raise ServerError(str(error), "Check user and password of the server address.") from error
        except ServerFaultError as error:
            self._log(f"database {name}: {error.message}")
        except ConnectionLostError as error:
            raise ServerError(f"the server is lost: {error}", "Look at the server's log.") from error
        self._sessions.use(name)

    def _tidy(self, script: Script) -> None:
        """Best effort, and bounded: a lost server has nothing left to tidy."""
        drop = f"drop database IF EXISTS {quoted(script.use_db)};"
        try:
            last, wire = self._executor.last, self._tidying_wire()
            if last is not None and last is not wire and not last.closed:
                self._quietly(last, drop)
            self._sessions.reset()
            self._quietly(wire, drop)
            if not self._options.reset:
                texts = (command.sql for command in script.commands)
                self._guard.tidy(wire, texts, others=self._options.drop_made)
        except (ServerError, RefusedError) as error:
            self._log(f"{script.path}: nothing could be tidied: {error}")

    def _tidying_wire(self) -> Wire:
        """The default connection, whose locks cannot be in its own way; after a cancel it may have been cut."""
        return self._sessions.system() if self._stop.is_set() else self._sessions.get()

    def _quietly(self, wire: Wire, sql: str) -> None:
        try:
            wire.query(sql, timeout=_TIDY_TIMEOUT)
        except (ServerFaultError, ConnectionLostError) as error:
            self._log(f"{sql} {error}")

    def _tell(self, told: CommandResult, progress: _Progress) -> None:
        progress.result.add(told)
        self._listener.command(told)

    def _tell_unanswered(self, script: Script, progress: _Progress, reason: str) -> None:
        """No command of the script can be judged."""
        progress.result.notes.append(reason)
        for command in script.commands:
            told = CommandResult(script.path, command.line, command.sql, VerdictKind.ABNORMAL, reason=reason)
            self._tell(told, progress)

    def _end(self, progress: _Progress) -> ScriptResult:
        progress.result.seconds = time.monotonic() - progress.started
        self._listener.script(progress.result)
        return progress.result


class _Progress(NamedTuple):
    result: ScriptResult
    started: float


def _result_text(case: Case) -> str:
    """The text of the script's result file. Raises BadCaseError."""
    found = find_result(case.path, case.base)
    if found is None:
        raise BadCaseError(f"{case.path} has no result file", "Make one with --method genrs.")
    return read_text(case.base / found if case.base else Path(found))
