"""Python tests: ``pytest`` on the directories or files of a task, each test a case.

What pytest says is read from its JUnit report (docs.pytest.org, ``--junit-xml``; the family ``xunit1`` names files) and
its exit code (docs.pytest.org, "Exit codes").
"""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree as Xml

from orchestrator.domain.errors import InfrastructureError, ToolMissingError
from orchestrator.domain.plan import TestTask
from orchestrator.domain.profile import UnitTests
from orchestrator.domain.run import CaseResult, CaseStatus, FailureKind, TaskState
from workers.process import CappedLog, Exit, Host, Reason
from workers.process.nofollow import read_file
from workers.process.scratch import Scratch
from workers.suites.base import Ending, Job
from workers.suites.execution import by_hand, execution, inside, relative_file

#: The worker's own interpreter, in a profile's command.
PYTHON = "{python}"
#: Bytes of a report, and failed tests that are named in the command for a person.
MAX_REPORT, BY_NAME = 64 << 20, 12
_TEXT = 8000
_REPORT = "report.xml"
#: ``path/test_x.py:12: AssertionError``: where a traceback of pytest ends.
_PLACE = re.compile(r"^(\S[^:\n]*\.py):(\d+): ", re.MULTILINE)
_OK, _FAILED, _INTERRUPTED, _USAGE, _NONE = 0, 1, 2, 4, 5


@dataclass(frozen=True, slots=True)
class PytestSuite:
    """A :class:`workers.suites.base.Suite` for tests that pytest runs."""

    host: Host

    def execute(self, job: Job) -> Ending:
        """Run the task's tests.

        Failing, not importing and overrunning the deadline are verdicts of the tree; what is gone is skipped.

        :raises InfrastructureError: no pytest, options that it does not know, or an end without a report.
        """
        settings = job.profile.unit_tests
        names = _names(job.task, settings)
        paths = tuple(path for name in names if (path := _present(name, job.workspace)) is not None)
        if not paths:
            message = f"{', '.join(names)}: not in this tree; the tests were removed"
            job.emit(CaseResult(names[0], CaseStatus.SKIPPED, message=message))
            return Ending(TaskState.SKIPPED, message)
        log, last = CappedLog(job.log), ""

        def on_line(_: object, line: str) -> None:
            nonlocal last
            last = line.strip() or last
            log(line)

        with execution(self.host, job, settings.env) as run:
            report = run.scratch.home / _REPORT
            done = run.program(_command(settings, paths, report), settings.timeout, on_line, _homes())
            cases = list(_read(run.scratch, job.workspace))
        for case in cases:
            job.emit(case)
        return _ending(settings, paths, cases, done, last)


def _names(task: TestTask, settings: UnitTests) -> tuple[str, ...]:
    """Directories and files of a task: those it is cut down to, itself, or everything."""
    if task.package is None:
        return settings.everything
    folder = task.package.removesuffix("...").rstrip("/") or "."
    return tuple(f"{folder}/{file}" for file in task.files) or (task.package,)


def _present(name: str, workspace: Path) -> str | None:
    """``tests/unit/...`` as pytest takes it, if the tree has it."""
    plain = inside(name.removesuffix("...").rstrip("/") or ".")
    path = (workspace / plain).resolve()
    return plain if path.exists() and path.is_relative_to(workspace.resolve()) else None


def _command(settings: UnitTests, paths: tuple[str, ...], report: Path) -> tuple[str, ...]:
    words = tuple(sys.executable if word == PYTHON else word for word in settings.command)
    fixed = ("-p", "no:cacheprovider", "-o", "junit_family=xunit1", f"--junit-xml={report}")
    return (*words, *settings.flags, *fixed, *paths)


def _homes() -> tuple[Path, ...]:
    """Where the worker's own Python lives: an environment, and what it was made from."""
    return tuple(dict.fromkeys(Path(place) for place in (sys.prefix, sys.base_prefix)))


def _read(scratch: Scratch, workspace: Path) -> Iterator[CaseResult]:
    """The cases of a report. It was written by code of the pull request: its size and its XML are not trusted."""
    try:
        data = read_file(scratch.root, scratch.home.name, _REPORT, limit=MAX_REPORT)
    except OSError:
        return
    if b"<!DOCTYPE" in data or b"<!ENTITY" in data:
        return
    try:
        root = Xml.fromstring(data)  # noqa: S314 - no document type, so no entities
    except Xml.ParseError:
        return
    for element in root.iter("testcase"):
        yield _case(element, workspace)


def _case(element: Xml.Element, workspace: Path) -> CaseResult:
    file = relative_file(element.get("file") or "", workspace)
    name = f"{element.get('file') or element.get('classname') or ''}::{element.get('name') or ''}".strip(":")[:1000]
    seconds = _seconds(element.get("time"))
    bad = next((found for tag in ("failure", "error") if (found := element.find(tag)) is not None), None)
    if bad is None:
        skipped = element.find("skipped")
        if skipped is None:
            return CaseResult(name, CaseStatus.PASSED, seconds)
        return CaseResult(name, CaseStatus.SKIPPED, seconds, (skipped.get("message") or "")[:_TEXT])
    text = bad.text or bad.get("message") or ""
    line = None
    for match in _PLACE.finditer(text):  # the last one is where it ended
        place = relative_file(match[1], workspace)
        file, line = (place, int(match[2][:9])) if place else (file, line)
    collecting = element.get("name") == element.get("classname") or "collection" in (bad.get("message") or "")
    kind = FailureKind.BUILD if bad.tag == "error" and collecting else FailureKind.TEST
    message = f"{bad.get('message') or ''}\n{text[-_TEXT:]}".strip()
    return CaseResult(name, CaseStatus.FAILED, seconds, message, kind, file, line)


def _seconds(text: str | None) -> float:
    try:
        return min(max(0.0, float(text or 0)), 1e6)
    except ValueError:
        return 0.0


def _ending(settings: UnitTests, paths: tuple[str, ...], cases: list[CaseResult], done: Exit, last: str) -> Ending:
    failed = [case.name for case in cases if case.status is CaseStatus.FAILED]
    names = tuple(failed) if 0 < len(failed) <= BY_NAME and all("::" in name for name in failed) else paths
    words = tuple("python" if word == PYTHON else word for word in settings.command)
    reproduce = by_hand((*words, *settings.flags, *names), settings.env)
    if done.reason is Reason.CANCELLED:
        return Ending(TaskState.CANCELLED, "cancelled", reproduce)
    if done.reason is not Reason.EXITED:
        return Ending(TaskState.FAILED, f"{done.stopped(settings.timeout)}; the last line: {last[:200]}", reproduce)
    if failed:
        total, more = len(cases), f" and {len(failed) - 3} more" if len(failed) > 3 else ""
        return Ending(TaskState.FAILED, f"{len(failed)} of {total} failed: {', '.join(failed[:3])}{more}", reproduce)
    if done.code == _OK:
        counts = Counter(case.status for case in cases)
        only_skipped = cases and counts[CaseStatus.SKIPPED] == len(cases)
        return Ending(TaskState.SKIPPED if only_skipped else TaskState.PASSED, "", reproduce)
    if done.code == _NONE:
        return Ending(TaskState.SKIPPED, f"{' '.join(paths)}: no tests", reproduce)
    return _unexplained(done, last, reproduce)


def _unexplained(done: Exit, last: str, reproduce: str) -> Ending:
    """An end without a failed test: the tree's fault when its own code did not load, else nobody's answer."""
    if done.signal is not None:
        raise InfrastructureError(f"pytest was killed by signal {done.signal}", "Look for the kernel's OOM killer.")
    if "No module named pytest" in last:
        raise ToolMissingError("pytest is not installed where this worker runs", "Install it beside mo-testplan.")
    if done.code in (_FAILED, _INTERRUPTED) or (done.code == _USAGE and "rror" in last and "usage" not in last):
        return Ending(TaskState.FAILED, f"pytest ended with {done.words}: {last[:300]}", reproduce)
    raise InfrastructureError(f"pytest ended with {done.words}: {last[:300]}", "Run it by hand: " + reproduce)
