"""The stream of ``go test -json`` as case results.

Events as in ``go doc test2json`` and ``go help buildjson`` (build events since Go 1.24; older ones print them as text).
Every word of it may be forged by the code under test: the verdict also needs the exit status of ``go test``.
"""

from __future__ import annotations

import json
import re
import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

from orchestrator.domain.naming import case_name
from orchestrator.domain.run import CaseResult, CaseStatus, FailureKind
from workers.nofollow import read_file
from workers.process import Reason
from workers.suites.execution import seconds_told
from workers.suites.gobuild import BuildLog
from workers.suites.gooutput import TestOutput

#: Kinds of which the output itself tells.
DEATHS = (FailureKind.PANIC, FailureKind.TIMEOUT)
NAME_LIMIT = 400
MESSAGE_LIMIT = 8000
_DIED = "the test binary ended while this test ran"
#: What ``go test`` prints of a binary that one of the supervisor's signals ended.
_OUR_SIGNALS = ("signal: terminated", "signal: killed")
#: Tests of a package without a verdict, and packages, that are kept: whoever prints like a test can make up any number.
OPEN_LIMIT = 100_000
#: Bytes of a ``go.mod``.
MAX_MODULE = 1 << 20
_PLAIN_FAILURE = re.compile(r"FAIL\t(\S+) \[(?:build|setup) failed\]")
_PLAIN_EMPTY = re.compile(r"\?\s+\t(\S+)\t\[no test files\]")
_STATUS = {"pass": CaseStatus.PASSED, "bench": CaseStatus.PASSED, "skip": CaseStatus.SKIPPED, "fail": CaseStatus.FAILED}


@dataclass(slots=True)
class _Test:
    name: str
    started: float
    paused: bool = False
    output: TestOutput = field(default_factory=TestOutput)


@dataclass(slots=True)
class _Package:
    """A package whose test binary runs."""

    name: str
    started: float
    #: Tests without a verdict, in the order they started.
    open: dict[str, _Test] = field(default_factory=dict)
    output: TestOutput = field(default_factory=TestOutput)
    #: Failed tests, the first few.
    failed: list[str] = field(default_factory=list)
    cases: int = 0
    #: The test in which the binary died, and how.
    died: tuple[str, FailureKind] | None = None
    active: str | None = None
    build_failed: bool = False
    #: ``go test`` says that a signal ended the binary: perhaps ours.
    signalled: bool = False
    #: When its verdict came.
    closed: float = 0.0
    #: Failed subtests whose parents have not ended yet, the deepest first.
    held: list[tuple[_Test, CaseResult]] = field(default_factory=list)


class GoTestStream:
    """Fed with lines, emits cases; ask it for the verdict after :meth:`finish`."""

    def __init__(
        self,
        emit: Callable[[CaseResult], None],
        log: Callable[[str], None],
        workspace: Path,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._emit = emit
        self._log = log
        self._workspace = workspace
        self._module = module_path(workspace)
        self._clock = clock
        self._open: dict[str, _Package] = {}
        self._ended: set[str] = set()
        #: Packages whose binary died of a signal: :meth:`finish` knows whether it was ours.
        self._signalled: list[_Package] = []
        self.build = BuildLog()
        #: Cases by status.
        self.counts: dict[CaseStatus, int] = dict.fromkeys(CaseStatus, 0)
        #: Names of failed cases, the first hundred.
        self.failures: list[str] = []
        #: Failed top-level tests by package directory, for the command to run by hand.
        self.failed_tests: dict[str, set[str]] = {}
        #: Packages whose tests ran to an end or that did not build.
        self.packages = 0
        #: Patterns that name a directory without a Go package: the go command calls that a failure.
        self.hollow = 0
        #: What the go command said on standard error.
        self.errors: deque[str] = deque(maxlen=200)

    # -- lines ------------------------------------------------------------------------------------------------------

    def stdout(self, line: str) -> None:
        """One line of standard output."""
        event = _event(line)
        if event is None:
            self._plain(line)
            return
        action = event.get("Action")
        if action in ("build-output", "build-fail"):
            text = str(event.get("Output", "")).rstrip("\n")
            if action == "build-output":
                self._log(text)
                self.build.add(str(event.get("ImportPath", "")), text)
            return
        name = str(event.get("Package", ""))
        package = self._package(name) if name else None
        if package is None:
            return
        if event.get("Test"):
            self._test_event(package, str(event["Test"]), str(action), event)
        else:
            self._package_event(package, str(action), event)

    def stderr(self, line: str) -> None:
        """One line of standard error: the go command's own words (before Go 1.24 also what the compiler said)."""
        self._log(line)
        self.errors.append(line[:1000])
        self.build.plain(line)

    def _plain(self, line: str) -> None:
        self._log(line)
        failure = _PLAIN_FAILURE.match(line)
        match = failure or _PLAIN_EMPTY.match(line)
        package = self._package(match.group(1)) if match else None
        if package is not None:
            package.build_failed = failure is not None
            self._close(package, "fail" if failure else "skip", {})

    def _package(self, name: str) -> _Package | None:
        """The package of that name; None when it has its verdict, or there are too many to be true."""
        known = self._open.get(name)
        if known is None and name not in self._ended and len(self._open) + len(self._ended) < OPEN_LIMIT:
            known = self._open[name] = _Package(name, self._clock())
        return known

    # -- events -----------------------------------------------------------------------------------------------------

    def _test_event(self, package: _Package, name: str, action: str, event: dict[str, object]) -> None:
        if package.held and not package.held[0][0].name.startswith(name + "/"):
            self._release(package)
        test = package.open.get(name)
        if action == "output":
            text = str(event.get("Output", "")).rstrip("\n")
            self._log(text)
            (test.output if test else package.output).add(text)
            package.signalled = text in _OUR_SIGNALS
            package.active = name
        elif action in ("pause", "cont", "run"):
            if test is None and len(package.open) >= OPEN_LIMIT:
                return
            test = test or package.open.setdefault(name, _Test(name, self._clock()))
            test.paused = action == "pause"
            package.active = package.active if test.paused else name
        elif action in _STATUS:
            package.open.pop(name, None)
            seconds = seconds_told(event.get("Elapsed"))
            self._test_ended(package, test or _Test(name, self._clock()), _STATUS[action], seconds)

    def _test_ended(self, package: _Package, test: _Test, status: CaseStatus, seconds: float) -> None:
        if status is CaseStatus.SKIPPED:
            self._case(package, test, CaseResult("", status, seconds, test.output.text()[:1000]))
        elif status is not CaseStatus.FAILED:
            self._case(package, test, CaseResult("", status, seconds))
        elif test.output.died and package.held:
            self._blame_held(package, test, seconds, test.output.died)
        else:
            if test.output.died:
                package.died = (test.name, test.output.died)
            below = [name for name in package.failed if name.startswith(test.name + "/")]
            below += [held.name for held, _ in package.held]
            message = test.output.text() or (f"subtest failed: {', '.join(below[:5])}" if below else "")
            package.held.append((test, _failed(seconds, message, test.output.kind or FailureKind.TEST)))
            if "/" not in test.name:
                self._release(package)

    def _blame_held(self, package: _Package, root: _Test, seconds: float, kind: FailureKind) -> None:
        """A subtest panicked: it fails first, its parents next, and the panic is printed as the output of the last."""
        culprit, case = package.held[0]
        package.died = (culprit.name, kind)
        message = "\n".join(filter(None, [case.message, root.output.text()]))
        blamed = _Test(culprit.name, culprit.started, output=root.output)
        self._case(package, blamed, replace(case, message=message, kind=kind))
        parents = [(test, case.seconds) for test, case in package.held[1:]]
        package.held.clear()
        for test, took in [*parents, (root, seconds)]:
            self._case(package, test, _failed(took, f"in subtest {culprit.name}", kind))

    def _release(self, package: _Package) -> None:
        """Emit failed subtests that waited to see whether a panic follows."""
        held, package.held = package.held, []
        for test, case in held:
            self._case(package, test, case)

    def _package_event(self, package: _Package, action: str, event: dict[str, object]) -> None:
        if action == "output":
            text = str(event.get("Output", "")).rstrip("\n")
            self._log(text)
            package.output.add(text)
            package.signalled = package.signalled or text in _OUR_SIGNALS
            package.build_failed = package.build_failed or bool(_PLAIN_FAILURE.match(text))
        elif action in _STATUS:
            self._close(package, action, event)

    def _close(self, package: _Package, action: str, event: dict[str, object]) -> None:
        """A package has its verdict."""
        self._open.pop(package.name, None)
        self._ended.add(package.name)
        self._release(package)
        seconds = seconds_told(event.get("Elapsed"))
        if action == "skip":
            self._package_case(package, CaseResult("", CaseStatus.SKIPPED, seconds, "no test files"))
            return
        if action == "fail" and (package.build_failed or event.get("FailedBuild")):
            self._build_case(package, str(event.get("FailedBuild") or package.name))
            return
        self.packages += 1
        if action == "fail" and package.signalled:
            package.closed = self._clock()
            self._signalled.append(package)
        elif action == "fail":
            self._settle(package, seconds, FailureKind.ABNORMAL, _DIED)
        elif not package.cases:
            self._package_case(package, CaseResult("", CaseStatus.SKIPPED, seconds, "no tests to run"))

    def _build_case(self, package: _Package, culprit: str) -> None:
        text = self.build.text(culprit, package.name)
        if package.name.startswith("./") and self.build.hollow(text):
            self.hollow += 1
            self._package_case(package, CaseResult("", CaseStatus.SKIPPED, 0.0, text))
            return
        self.packages += 1
        path = culprit.split(" ", maxsplit=1)[0]
        message = text if path == package.name else f"{self.relative(path)} does not build:\n{text}"
        file, line = self.build.place(text, self._workspace)
        self._package_case(
            package, CaseResult("", CaseStatus.FAILED, 0.0, message, FailureKind.BUILD, file=file, line=line)
        )

    # -- verdicts for what has none ---------------------------------------------------------------------------------

    def finish(self, reason: Reason, message: str, stopping: float = 0.0) -> None:
        """The go command is gone. Packages still open get their verdict; ``message`` says why it ended.

        ``stopping`` seconds ago the supervisor began to signal its processes. A binary that died of a signal before
        that met another one.
        """
        ours = self._clock() - stopping
        for package in self._signalled:
            if reason is Reason.EXITED or package.closed < ours:
                self._settle(package, package.closed - package.started, FailureKind.ABNORMAL, _DIED)
            else:
                self._open[package.name] = package
        packages = sorted(self._open.values(), key=lambda package: package.started)
        self._open.clear()
        for package in packages:
            self._release(package)
        if reason is Reason.CANCELLED:
            return
        kind = FailureKind.TIMEOUT if reason is Reason.DEADLINE else FailureKind.ABNORMAL
        for package in packages[:1]:  # the one that has run longest has to answer for it
            self._settle(package, self._clock() - package.started, kind, message)
        for package in packages[1:]:
            for test in package.open.values():
                self._case(package, test, CaseResult("", CaseStatus.SKIPPED, 0.0, f"did not finish: {message}"))

    def _settle(self, package: _Package, seconds: float, kind: FailureKind, message: str) -> None:
        """The binary failed or died: one test has to answer for it, the others that were running did not finish.

        ``kind`` and ``message`` are for a culprit whose output does not explain itself.
        """
        culprit, cause = self._culprit(package, kind)
        for test in list(package.open.values()):
            took = self._clock() - test.started
            if test.name == culprit:
                said = [test.output.text()] if cause in DEATHS and test.output.died else [message, test.output.text()]
                self._case(package, test, _failed(took, "\n".join(filter(None, said)), cause))
            elif culprit and culprit.startswith(test.name + "/"):
                self._case(package, test, _failed(took, f"in subtest {culprit}", cause))
            else:
                words = f"did not finish: the test binary died in {culprit or 'no test in particular'} ({cause})"
                self._case(package, test, CaseResult("", CaseStatus.SKIPPED, took, words))
        if (culprit is None and not package.failed) or (package.output.kind and package.died is None):
            self._blame_package(package, seconds, kind, message)

    def _blame_package(self, package: _Package, seconds: float, kind: FailureKind, message: str) -> None:
        """It failed outside of its tests: in ``init``, ``TestMain``, a goroutine left behind."""
        outside = message.replace("while this test ran", "outside of its tests")
        text = "\n".join(filter(None, ["" if package.output.kind else outside, package.output.text()]))
        case = _failed(seconds, text, package.output.kind or kind)
        file, line = package.output.place(self._workspace, self._folder(package))
        self._package_case(package, replace(case, file=file, line=line))

    def _culprit(self, package: _Package, kind: FailureKind) -> tuple[str | None, FailureKind]:
        if package.died:
            return package.died
        for test in package.open.values():
            if test.output.died is FailureKind.TIMEOUT:
                listed = {name: took for name, took in test.output.running.items() if name in package.open}
                return _longest(listed) or test.name, FailureKind.TIMEOUT
            if test.output.died:
                return test.name, test.output.died
        leaves = {test.name: self._clock() - test.started for test in _running_leaves(package.open)}
        if kind is FailureKind.ABNORMAL and package.active in leaves:
            return package.active, kind
        return _longest(leaves), kind

    # -- cases ------------------------------------------------------------------------------------------------------

    def _case(self, package: _Package, test: _Test, case: CaseResult) -> None:
        """Emit ``case`` under the test's name and, when it failed, with its place."""
        package.cases += 1
        if case.status is CaseStatus.FAILED:
            file, line = test.output.place(self._workspace, self._folder(package))
            case = replace(case, file=file, line=line)
            if len(package.failed) < 1000:
                package.failed.append(test.name)
            names = self.failed_tests.setdefault(self.relative(package.name), set())
            if len(names) < 1000:
                names.add(test.name.split("/")[0])
        self._send(replace(case, name=self._name(package, test.name)))

    def _package_case(self, package: _Package, case: CaseResult) -> None:
        if case.status is CaseStatus.FAILED:
            self.failed_tests.setdefault(self.relative(package.name), set()).add("")
        self._send(replace(case, name=self._name(package)))

    def _send(self, case: CaseResult) -> None:
        self.counts[case.status] += 1
        if case.status is CaseStatus.FAILED and len(self.failures) < 100:
            self.failures.append(case.name)
        self._emit(replace(case, message=_shortened(case.message)))

    def _name(self, package: _Package, test: str = "") -> str:
        name = f"{self.relative(package.name)}.{test}" if test else self.relative(package.name)
        return case_name(name, NAME_LIMIT)

    def relative(self, package: str) -> str:
        """An import path as a directory of the tree: ``pkg/sql/plan``; the top is ``.``."""
        if package == self._module:
            return "."
        return package.removeprefix(f"{self._module}/").removeprefix("./") if self._module else package

    def _folder(self, package: _Package) -> Path | None:
        folder = self._workspace / self.relative(package.name)
        return folder if folder.is_dir() else None


def _event(line: str) -> dict[str, object] | None:
    if not line.startswith("{"):
        return None
    try:
        event = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return event if isinstance(event, dict) and isinstance(event.get("Action"), str) else None


def _running_leaves(tests: dict[str, _Test]) -> Iterable[_Test]:
    parents = {name.rpartition("/")[0] for name in tests}
    return [test for test in tests.values() if not test.paused and test.name not in parents]


def _longest(running: dict[str, float]) -> str | None:
    """The deepest of those that have run longest: a parent runs at least as long as its subtests."""
    parents = {name.rpartition("/")[0] for name in running}
    leaves = [name for name in running if name not in parents]
    return max(leaves, key=lambda name: running[name]) if leaves else None


def _failed(seconds: float, message: str, kind: FailureKind) -> CaseResult:
    return CaseResult("", CaseStatus.FAILED, seconds, message, kind)


def _shortened(message: str) -> str:
    half = MESSAGE_LIMIT // 2
    return message if len(message) <= MESSAGE_LIMIT else f"{message[:half]}\n… [cut]\n{message[-half:]}"


def module_path(workspace: Path) -> str:
    """The module's path from ``go.mod``, or nothing."""
    try:
        text = read_file(workspace, "go.mod", limit=MAX_MODULE).decode(errors="replace")
    except OSError:
        return ""
    match = re.search(r'^\s*module\s+"?([^\s"]+)', text, re.MULTILINE)
    return match.group(1) if match else ""
