"""One script on one server: its commands in order, each answered, judged and told."""

from __future__ import annotations

import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, NamedTuple

from orchestrator.cases.expectation import Expectation, render_set
from orchestrator.cases.script import Command, Script, WaitExpect
from orchestrator.domain.errors import CancelledError, ServerError
from workers.bvt.compare import Outcome, ServerMessage, Verdict, VerdictKind, compare
from workers.bvt.escapes import EscapeError, unescape
from workers.bvt.guard import Guard
from workers.bvt.message import message_of
from workers.bvt.render import result_of
from workers.bvt.resources import FLAG, LocalFiles
from workers.bvt.results import CommandResult
from workers.bvt.session import RefusedError, Sessions
from workers.bvt.strict import strict_differences
from workers.bvt.threats import used_database
from workers.bvt.watch import Watch
from workers.bvt.wire import ConnectionLostError, EndlessResultError, Limits, Reply, ServerFaultError, Wire

CompareMode = Literal["compat", "strict", "both"]
_PING_TIMEOUT = 10.0


@dataclass(frozen=True, slots=True)
class Options:
    """How scripts run. Durations are seconds."""

    compare: CompareMode = "compat"
    metadata: bool = True
    ignore_issues: bool = False
    allow_system: bool = False
    #: Drop every foreign database first.
    reset: bool = False
    #: Let scripts drop and change what was there before.
    allow_drops: bool = False
    #: Drop also the users, roles, snapshots … that a script made; else only databases and accounts.
    drop_made: bool = False
    resources: str = "./resources"
    statement_timeout: float = 120.0
    script_timeout: float = 3600.0
    #: What ``-- @wait`` sleeps before it ends the other transaction (waittime of run.yml).
    wait_time: float = 2.0
    limits: Limits = field(default_factory=Limits)
    connect_timeout: float = 10.0


#: Takes the result of a command.
Tell = Callable[[CommandResult], None]


class AbnormalError(Exception):
    """This command has no answer to compare; the run goes on."""


class StopScriptError(Exception):
    """The rest of the script must not run."""


class _Judged(NamedTuple):
    verdict: Verdict
    outcome: Outcome | None = None
    #: What strict finds; None when it did not look.
    findings: tuple[str, ...] | None = None


class Executor:
    """Executes the commands of one script after the other on one server's sessions."""

    def __init__(
        self,
        sessions: Sessions,
        guard: Guard,
        watch: Watch,
        options: Options,
        log: Callable[[str], None],
    ) -> None:
        self._sessions = sessions
        self._guard = guard
        self._watch = watch
        self._options = options
        self._stop = watch.stop
        self._log = log
        self._deadline = 0.0
        self._started = 0.0
        self._previous = 0
        self._owed: Callable[[], None] | None = None
        self._script = Script("", ())
        #: The connection used last: mo-tester drops the script's database there.
        self.last: Wire | None = None

    def begin(self, script: Script) -> None:
        """Get ready for the commands of ``script``."""
        self._script = script
        self._previous = 0
        self._deadline = time.monotonic() + self._options.script_timeout

    def run(self, script: Script, expectations: Sequence[Expectation], tell: Tell) -> None:
        """Execute and judge every command. Raises ServerError when the server is lost, CancelledError.

        A command is judged while the server works on the next one.
        """
        self.begin(script)
        stopped = ""
        try:
            for command, expectation in zip(script.commands, expectations, strict=True):
                try:
                    if stopped:
                        raise AbnormalError(stopped)
                    self._step(command, expectation, tell)
                except StopScriptError as error:
                    stopped = f"the script was stopped at line {command.line}: {error}"
                    self._settle()
                    tell(self._result(command, expectation, _Judged(Verdict(VerdictKind.ABNORMAL, stopped))))
                except AbnormalError as error:
                    self._settle()
                    tell(self._result(command, expectation, _Judged(Verdict(VerdictKind.ABNORMAL, str(error)))))
        finally:
            self._settle()

    def _step(self, command: Command, expectation: Expectation, tell: Tell) -> None:
        """Execute one command; what is left to do with its answer is owed."""
        self._started = time.monotonic()
        if command.sleep or command.system or command.wait or command.wait_expect:
            self._settle()  # it takes a while: tell what is known
        if command.wait_expect is not None:
            judged = self._judged(command, expectation, command.wait_expect)
            tell(self._result(command, expectation, judged))
        elif self.prepare(command):
            outcome = self.answer(command)
            self._settle()
            seconds = time.monotonic() - self._started
            self._owed = lambda: tell(
                self._result(command, expectation, self._compared(command, expectation, outcome), seconds)
            )
        else:
            self._settle()
            tell(self._result(command, expectation, _ignored(command)))

    def _settle(self) -> None:
        """Judge and tell the command before, if that is still owed."""
        owed, self._owed = self._owed, None
        if owed is not None:
            owed()

    def prepare(self, command: Command) -> bool:
        """Sleep and run system commands as the directives say; whether the command itself is to run."""
        self.pause(command.sleep)
        for line in command.system:
            self._system(line)
        return not command.ignore and bool(command.sql.strip())

    def answer(self, command: Command) -> Outcome:
        """Execute ``command`` on its session. Raises AbnormalError, StopScriptError, ServerError, CancelledError."""
        self._check_time()
        wire = self._connection(command.connection, command.user, command.password)
        if command.connection != self._previous:
            self._sessions.sync_commit()
        self._previous = command.connection
        sql = command.sql.replace(FLAG, self._options.resources)
        if command.wait is None:
            return self._ask(wire, sql)
        self._end_transaction(command.wait.connection, command.wait.operation)
        outcome = self._ask(wire, sql)
        self.pause(self._options.wait_time / 10)
        return outcome

    def pause(self, seconds: float) -> None:
        """Sleep. Raises CancelledError at once when the run is cancelled."""
        left = max(0.0, self._deadline - time.monotonic())
        if seconds > 0 and self._stop.wait(min(seconds, left, threading.TIMEOUT_MAX)):
            raise CancelledError("the run was cancelled")

    def _judged(self, command: Command, expectation: Expectation, expect: WaitExpect) -> _Judged:
        """Execute and judge until the answer is the expected one, or time is up."""
        give_up: float | None = None
        while True:
            if not self.prepare(command):
                return _ignored(command)
            judged = self._compared(command, expectation, self.answer(command))
            if not _may_come_right(judged, expectation):
                return judged
            now = time.monotonic()
            give_up = now + expect.timeout if give_up is None else give_up
            if now >= give_up:
                return judged
            self.pause(min(expect.interval, give_up - now))

    def _compared(self, command: Command, expectation: Expectation, outcome: Outcome) -> _Judged:
        mode, metadata = self._options.compare, self._options.metadata
        verdict = Verdict(VerdictKind.PASS)
        findings: tuple[str, ...] | None = None
        if mode != "strict":
            verdict = compare(command, self._script, expectation, outcome, metadata=metadata)
        if mode != "compat":
            findings = tuple(strict_differences(command, self._script, expectation, outcome, metadata=metadata))
        if mode == "strict" and findings:
            verdict = Verdict(VerdictKind.FAILED, findings[0])
        return _Judged(verdict, outcome, findings)

    def _connection(self, number: int, user: str | None = None, password: str | None = None) -> Wire:
        try:
            self.last = self._sessions.get(number, user, password)
        except RefusedError as error:
            raise AbnormalError(str(error)) from error
        return self.last

    def _ask(self, wire: Wire, sql: str) -> Outcome:
        try:
            text = _sendable(wire, sql)
        except EscapeError as error:
            return Outcome(error=ServerMessage(str(error)))
        if (objection := self._guard.objection(text, wire.database)) is not None:
            raise StopScriptError(objection)
        fault: ServerFaultError | ConnectionLostError | None = None
        self._watch.begin(wire, min(time.monotonic() + self._options.statement_timeout, self._deadline))
        try:
            reply = wire.query(text, limits=self._options.limits, local_file=LocalFiles(sql), meanwhile=self._settle)
        except (ServerFaultError, ConnectionLostError) as error:
            fault = error
        finally:
            self._watch.end()
        self._check_fired(wire)
        if (database := used_database(text)) is not None:
            self._sessions.follow(wire, database, failed=fault is not None)
        return _outcome(reply) if fault is None else self._failed(wire, fault)

    def _failed(self, wire: Wire, fault: ServerFaultError | ConnectionLostError) -> Outcome:
        """The error outcome, if that is what it is."""
        if isinstance(fault, EndlessResultError):
            raise AbnormalError(str(fault))
        if isinstance(fault, ConnectionLostError):
            self._revive(fault)
            raise AbnormalError(f"the server closed the connection in mid-statement: {fault}")
        if not wire.ping(_PING_TIMEOUT):  # mo-tester asks after every error, and statements can see it: ROW_COUNT()
            raise AbnormalError(f"the connection was ended: {fault.message}")
        return Outcome(error=message_of(fault))

    def _check_fired(self, wire: Wire) -> None:
        """Tell a statement that we ended from one that ended by itself."""
        if self._stop.is_set():
            raise CancelledError("the run was cancelled")
        if self._watch.fired:
            wire.abort()
            self._check_time()
            raise AbnormalError(f"no answer in {self._options.statement_timeout:g} s: the statement was killed")

    def _revive(self, lost: ConnectionLostError) -> None:
        """After a lost connection: the server lives and one command has no answer, or the run ends."""
        try:
            self._sessions.get(0)
            self._sessions.system()
        except (RefusedError, ServerError) as error:
            raise ServerError(
                f"the server is lost: {lost}; then {error}", "Look at the server's log, then run these scripts again."
            ) from error

    def _check_time(self) -> None:
        if self._stop.is_set():
            raise CancelledError("the run was cancelled")
        if time.monotonic() >= self._deadline:
            raise StopScriptError(f"the script has used up its {self._options.script_timeout:g} s")

    def _end_transaction(self, number: int, operation: str) -> None:
        """What ``-- @wait`` does: after a while the tester itself commits or rolls back the other connection."""
        self.pause(self._options.wait_time)
        try:
            wire = self._sessions.get(number)
            self._watch.begin(wire, time.monotonic() + self._options.statement_timeout)
            wire.query(operation)
        except (RefusedError, ServerFaultError, ConnectionLostError) as error:
            self._log(f"{self._script.path}: connection {number} could not {operation}: {error}")
        finally:
            self._watch.end()

    def _system(self, line: str) -> None:
        if not self._options.allow_system:
            self._log(f"{self._script.path}: system command not run (allow it with --allow-system): {line}")
            return
        try:
            process = subprocess.Popen(
                line.split(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
            )
        except (OSError, ValueError, IndexError) as error:
            self._log(f"{self._script.path}: system command failed: {line}: {error}")
            return
        try:
            said = self._wait(process)
        finally:
            process.kill()
            process.wait()
            if process.stdout is not None:
                process.stdout.close()
        self._log(f"{line}: exit {process.returncode}\n{said}")

    def _wait(self, process: subprocess.Popen[bytes]) -> str:
        """What ``process`` says until it ends, is out of time, or the run is cancelled."""
        deadline = min(time.monotonic() + self._options.statement_timeout, self._deadline)
        while time.monotonic() < deadline:
            try:
                return process.communicate(timeout=0.05)[0].decode("utf-8", "replace")
            except subprocess.TimeoutExpired:
                self._check_time()
        return "(stopped: it took too long)"

    def _result(
        self, command: Command, expectation: Expectation, judged: _Judged, seconds: float | None = None
    ) -> CommandResult:
        seconds = time.monotonic() - self._started if seconds is None else seconds
        verdict, outcome, findings = judged
        result = CommandResult(
            self._script.path, command.line, command.sql, verdict.kind, seconds, verdict.reason, findings=findings
        )
        if verdict.kind is VerdictKind.IGNORED or (verdict.kind is VerdictKind.PASS and not findings):
            return result
        actual = None if outcome is None else actual_text(outcome)
        return replace(result, expected=expectation.text, actual=actual, separator=command.separator)


def actual_text(outcome: Outcome) -> str | None:
    """The server's answer as reports and result files show it; None for a statement without a result set."""
    if outcome.error is not None:
        return outcome.error.message
    if outcome.broken is not None:
        return f"The result set is not correct because of unexpected reason,Message: {outcome.broken}"
    return None if outcome.result is None else render_set(outcome.result)


def _ignored(command: Command) -> _Judged:
    return _Judged(Verdict(VerdictKind.IGNORED, command.issue or "empty"))


def _may_come_right(judged: _Judged, expectation: Expectation) -> bool:
    """Whether ``-- @wait_expect`` tries again: only a result set that is not the expected one, never an error."""
    outcome = judged.outcome
    has_set = outcome is not None and outcome.result is not None and expectation.text is not None
    return has_set and judged.verdict.kind is not VerdictKind.PASS


def _outcome(reply: Reply) -> Outcome:
    if reply.fields is None:
        return Outcome()
    result, broken = result_of(reply)
    return Outcome(result=result, broken=broken)


def _sendable(wire: Wire, sql: str) -> str:
    """``sql`` as Connector/J would send it. Raises EscapeError where that refuses to."""
    text = unescape(sql)
    limit = wire.max_packet
    if limit and len(text) * 4 > limit and (size := len(text.encode("utf-8", "replace")) + 1) > limit:
        raise EscapeError(
            f"Packet for query is too large ({size:,} > {limit:,}). "
            "You can change this value on the server by setting the 'max_allowed_packet' variable."
        )
    return text
