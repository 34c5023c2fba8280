"""What one Go test printed: bounded, and read for what went wrong and where.

Formats as printed by the ``testing`` package and the runtime of Go 1.20 to 1.27, and by testify's ``assert``.
"""

from __future__ import annotations

import re
from collections import deque
from pathlib import Path

from orchestrator.domain.run import FailureKind
from workers.suites.execution import relative_file

#: Characters kept of the first and of the last lines.
HEAD = 2000
TAIL = 4000

_NOISE = re.compile(r"\s*(?:=== (?:RUN|PAUSE|CONT|NAME|ATTR)|--- (?:PASS|FAIL|SKIP|BENCH): )")
#: ``    a_test.go:3: got 1``: t.Log, t.Error, t.Fatal; the file has no directory.
_LOGGED = re.compile(r"\s{4,}([\w.+-]+\.go):(\d+): ")
#: testify: ``Error Trace:	/tree/pkg/a_test.go:42``.
_ERROR_TRACE = re.compile(r"\s*Error Trace:\s+(\S+\.go):(\d+)")
#: A frame of a goroutine dump or of a race report.
_FRAME = re.compile(r"\s+(/\S+\.go):(\d+)(?: \+0x[0-9a-f]+)?$")
_FATAL = re.compile(r"panic: |fatal error: |SIG[A-Z]+: |unexpected fault address ")
#: Only a dying program prints one of these after the word ``panic``; a test that merely says "panic: " does not die.
_DUMP = re.compile(r"goroutine \d+ .*\[|runtime stack:|\[signal SIG")
_TIMED_OUT = "panic: test timed out after "
#: Below ``running tests:`` of a timeout: ``\t\tTestT/sub (1m3.2s)``.
_RUNNING = re.compile(r"\t\t(\S+) \(((?:\d+h)?(?:\d+m)?\d+(?:\.\d+)?(?:ms|µs|s))\)$")
#: Running tests of a timeout that are kept.
_RUNNING_KEPT = 10_000


class TestOutput:
    """The output of one test (or of a package outside of its tests)."""

    __test__ = False  # not a pytest class

    def __init__(self) -> None:
        self._head: list[str] = []
        self._tail: deque[str] = deque()
        self._head_room = HEAD
        self._tail_size = 0
        self._dropped = 0
        self._fatal: FailureKind | None = None
        self._dumped = False
        self._raced = False
        self._logged: tuple[str, str] | None = None
        self._trace: tuple[str, str] | None = None
        self._frames: list[tuple[str, str]] = []
        #: Tests that a timeout found running, with seconds.
        self.running: dict[str, float] = {}

    def add(self, line: str) -> None:
        """One line, without its newline."""
        if _NOISE.match(line):
            return
        self._read(line)
        if not self._dropped and not self._tail and len(line) < self._head_room:
            self._head_room -= len(line) + 1
            self._head.append(line)
            return
        line = line[:TAIL]
        self._tail.append(line)
        self._tail_size += len(line) + 1
        while self._tail_size > TAIL and len(self._tail) > 1:
            self._tail_size -= len(self._tail.popleft()) + 1
            self._dropped += 1

    def _read(self, line: str) -> None:
        if _FATAL.match(line):
            if self._fatal is None or not self._dumped:
                self._fatal = FailureKind.TIMEOUT if line.startswith(_TIMED_OUT) else FailureKind.PANIC
        elif self._fatal and _DUMP.match(line):
            self._dumped = True
        elif line == "WARNING: DATA RACE" or line.endswith(": race detected outside of test execution"):
            self._raced = True
        elif ".go:" in line:
            self._read_place(line)
        elif (
            self._fatal is FailureKind.TIMEOUT and len(self.running) < _RUNNING_KEPT and (match := _RUNNING.match(line))
        ):
            self.running[match.group(1)] = seconds_of(match.group(2))

    def _read_place(self, line: str) -> None:
        if match := _LOGGED.match(line):
            if match.group(1) != "testing.go":
                self._logged = (match.group(1), match.group(2))
        elif match := _ERROR_TRACE.match(line):
            self._trace = self._trace or (match.group(1), match.group(2))
        elif (self._fatal or self._raced) and len(self._frames) < 50 and (match := _FRAME.match(line)):
            self._frames.append((match.group(1), match.group(2)))

    @property
    def died(self) -> FailureKind | None:
        """PANIC or TIMEOUT when this output is of a program that died of one."""
        return self._fatal if self._fatal and (self._dumped or self._fatal is FailureKind.TIMEOUT) else None

    @property
    def kind(self) -> FailureKind | None:
        """What went wrong, as far as the output alone can tell."""
        return self.died or (FailureKind.RACE if self._raced else None)

    def text(self) -> str:
        """The first and the last of it."""
        cut = [f"… [{self._dropped} lines cut]"] if self._dropped else []
        return "\n".join([*self._head, *cut, *self._tail]).strip("\n")

    def place(self, workspace: Path, folder: Path | None) -> tuple[str | None, int | None]:
        """File in the tree and line where it went wrong; ``folder`` is the package's own."""
        logged = [self._trace, self._logged]
        candidates = [*self._frames, *logged] if self.kind else [*logged, *self._frames]
        for found in candidates:
            if found is None or (folder is None and not found[0].startswith("/")):
                continue
            name = relative_file(found[0], workspace, folder)
            if name is not None:
                return name, int(found[1][:9])
        return None, None


_UNITS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 1e-3, "µs": 1e-6}


def seconds_of(duration: str) -> float:
    """Seconds of a Go duration: ``1m3.2s``."""
    return sum(float(number) * _UNITS[unit] for number, unit in re.findall(r"(\d+(?:\.\d+)?)(ms|µs|h|m|s)", duration))
