"""What the plug-in ``pytesttell`` tells, as case results while the tests run.

The tests share a process with it, so every word may be forged by the code under test: the verdict also needs the exit
status of pytest.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from orchestrator.domain.naming import case_name
from orchestrator.domain.run import CaseResult, CaseStatus, FailureKind
from workers.process import Reason, Stream
from workers.suites import pytesttell
from workers.suites.execution import relative_file, seconds_told

_NAME, _TEXT = 1000, 8000
#: Characters of one event, and tests at a time, that are kept of what may be forged.
_EVENT, _OPEN = 128 << 10, 10_000
#: ``path/test_x.py:12: AssertionError``: where a traceback of pytest ends.
_PLACE = re.compile(r"^(\S[^:\n]*\.py):(\d+): ", re.MULTILINE)


@dataclass(slots=True)
class _Test:
    started: float
    seconds: float = 0.0
    #: The worst of its phases so far, and the first that was as bad.
    status: CaseStatus | None = None
    reason: str = ""
    text: str = ""


@dataclass(slots=True)
class PytestStream:
    """Fed with lines, emits cases; call :meth:`finish` when pytest is gone."""

    emit: Callable[[CaseResult], None]
    log: Callable[[str], None]
    workspace: Path
    clock: Callable[[], float] = time.monotonic
    #: Cases by status.
    counts: dict[CaseStatus, int] = field(default_factory=lambda: dict.fromkeys(CaseStatus, 0))
    #: Names of failed cases, the first hundred.
    failures: list[str] = field(default_factory=list)
    #: The last line that pytest itself said.
    last: str = ""
    #: Whether pytest said that it began, and that it was through.
    begun: bool = False
    through: bool = False
    #: Whether code under test ended the process by ``os._exit``.
    left: bool = False
    #: What went wrong outside of all tests, as far as pytest told.
    error: str = ""
    _held: str = ""
    _open: dict[str, _Test] = field(default_factory=dict)

    def line(self, source: Stream, line: str) -> None:
        """One line of standard output or error."""
        if source is Stream.STDERR and line.startswith(pytesttell.MARK):
            self._piece(line.removeprefix(pytesttell.MARK))
            return
        self.last = line.strip() or self.last
        if line or source is Stream.STDOUT:  # else: the line end before an event
            self.log(line)

    def _piece(self, text: str) -> None:
        self._held = (self._held + text[1:])[:_EVENT]
        if text[:1] == "+":
            return
        event, self._held = _event(self._held), ""
        if event is not None:
            self._told(str(event["event"]), str(event["node"]), event)

    def _told(self, what: str, node: str, event: dict[str, Any]) -> None:
        test = self._open.get(node)
        if what == "start" and test is None and len(self._open) < _OPEN:
            self._open[node] = _Test(self.clock())
        elif what == "report" and test is not None:
            self._report(test, event)
        elif what == "end" and test is not None:
            self._ended(node, self._open.pop(node), FailureKind.TEST)
        elif what == "collect" or (what == "report" and event.get("outcome") == "failed"):  # never lost, even when late
            test = _Test(self.clock())
            self._report(test, event)
            self._ended(node, test, FailureKind.BUILD if what == "collect" else FailureKind.TEST)
        elif what == "begin":
            self.begun = True
        elif what == "through":
            self.through = True
        elif what == "left":
            self.left = True
        elif what == "error":
            self.error = str(event.get("text", ""))[-_TEXT:].strip()

    def finish(self, reason: Reason, message: str) -> None:
        """Pytest is gone. Of the tests that still ran, the first to start answers for it; ``message``: why it ended."""
        running = sorted(self._open.items(), key=lambda one: one[1].started)
        self._open.clear()
        if reason is Reason.CANCELLED:
            return
        kind = FailureKind.TIMEOUT if reason is Reason.DEADLINE else FailureKind.ABNORMAL
        for _, test in running:
            test.seconds = self.clock() - test.started
        for node, test in running[:1]:
            self._send(node, test, CaseStatus.FAILED, "\n".join(filter(None, [message, test.text])), kind)
        for node, test in running[1:]:  # beside it, in other processes
            self._send(node, test, CaseStatus.SKIPPED, f"did not finish: {message}")

    def _report(self, test: _Test, event: dict[str, Any]) -> None:
        """A phase ended: a failure outweighs a skip, a skip that the test passed; that it was set up is no verdict."""
        test.seconds += seconds_told(event.get("seconds"))
        status = _STATUS.get(str(event.get("outcome")))
        if status is CaseStatus.PASSED and event.get("when") != "call":
            return
        if status is not None and (test.status is None or _WEIGHT[status] > _WEIGHT[test.status]):
            test.status, test.reason, test.text = status, str(event.get("reason", "")), str(event.get("text", ""))
            if event.get("when") in ("setup", "teardown") and status is CaseStatus.FAILED:
                test.reason = f"failed on {event['when']}: {test.reason}"

    def _ended(self, node: str, test: _Test, kind: FailureKind) -> None:
        if test.status is CaseStatus.FAILED:
            self._send(node, test, test.status, f"{test.reason}\n{test.text[-_TEXT:]}".strip(), kind)
        elif test.status is not None:
            self._send(node, test, test.status, test.reason[:_TEXT])
        else:
            self._send(node, test, CaseStatus.FAILED, "pytest did not tell how it ended", FailureKind.ABNORMAL)

    def _send(self, node: str, test: _Test, status: CaseStatus, message: str, kind: FailureKind | None = None) -> None:
        name = case_name(node, _NAME)
        self.counts[status] += 1
        file = line = None
        if status is CaseStatus.FAILED:
            if len(self.failures) < 100:
                self.failures.append(name)
            file, line = self._place(node, test.text)
        self.emit(CaseResult(name, status, test.seconds, message, kind, file, line))

    def _place(self, node: str, text: str) -> tuple[str | None, int | None]:
        file, line = relative_file(node.partition("::")[0], self.workspace), None
        for match in _PLACE.finditer(text):  # the last one is where it ended
            if place := relative_file(match[1], self.workspace):
                file, line = place, int(match[2][:9])
        return file, line


_STATUS = {"passed": CaseStatus.PASSED, "skipped": CaseStatus.SKIPPED, "failed": CaseStatus.FAILED}
_WEIGHT = {CaseStatus.PASSED: 0, CaseStatus.SKIPPED: 1, CaseStatus.FAILED: 2}


def _event(text: str) -> dict[str, Any] | None:
    try:
        event = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return event if isinstance(event, dict) and isinstance(event.get("node"), str) and "event" in event else None
