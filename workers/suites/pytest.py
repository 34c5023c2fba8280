"""Python tests: ``pytest`` on the directories or files of a task, each test a case.

Cases come from a plug-in while the tests run (:mod:`workers.suites.pytesttell`); the verdict needs pytest's exit code,
too (docs.pytest.org, "Exit codes").
"""

from __future__ import annotations

import dataclasses
import json
import signal
import sys
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from orchestrator.domain.errors import InfrastructureError, ToolMissingError
from orchestrator.domain.plan import TestTask
from orchestrator.domain.profile import UnitTests
from orchestrator.domain.run import CaseResult, CaseStatus, FailureKind, TaskState
from workers.process import CappedLog, Exit, Host, Reason
from workers.suites import pytesttell
from workers.suites.base import Ending, Job
from workers.suites.execution import Execution, by_hand, execution, failed_of, inside
from workers.suites.pyteststream import PytestStream

#: The worker's own interpreter, in a profile's command.
PYTHON = "{python}"
#: Failed tests that are named in the command for a person.
BY_NAME = 12
#: The plug-in's name where it is copied to.
_PLUGIN = "mo_testplan_tell"
_OK, _FAILED, _INTERRUPTED, _USAGE, _NONE = 0, 1, 2, 4, 5
#: Signals by which a program kills itself, or for which it is to blame; the others come from outside.
_CRASHES = {signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS, signal.SIGFPE, signal.SIGILL, signal.SIGXCPU}


@dataclass(frozen=True, slots=True)
class PytestSuite:
    """A :class:`workers.suites.base.Suite` for tests that pytest runs."""

    host: Host

    def execute(self, job: Job) -> Ending:
        """Run the task's tests.

        Failing, not importing and overrunning the deadline are verdicts of the tree; what is gone is skipped.

        :raises InfrastructureError: no pytest, options that it does not know, or an end that nothing explains.
        """
        settings = job.profile.unit_tests
        names = _names(job.task, settings)
        paths = tuple(path for name in names if (path := _present(name, job.workspace)) is not None)
        if not paths:
            message = f"{', '.join(names)}: not in this tree; the tests were removed"
            job.emit(CaseResult(names[0], CaseStatus.SKIPPED, message=message))
            return Ending(TaskState.SKIPPED, message)
        stream = PytestStream(job.emit, CappedLog(job.log), job.workspace)
        with execution(self.host, job, settings.env) as run:
            done = _told(run, paths).program(_command(settings, paths), settings.timeout, stream.line, _homes())
        if stream.left and done.signal is not None:
            done = dataclasses.replace(done, code=128 + done.signal, signal=None)
        if done.reason is Reason.EXITED and done.signal is not None and done.signal not in _CRASHES:
            raise InfrastructureError(f"pytest was killed by signal {done.signal}", "Look for the kernel's OOM killer.")
        stream.finish(done.reason, _why(done, settings))
        return _ending(job, paths, stream, done)


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


def _told(run: Execution, paths: tuple[str, ...]) -> Execution:
    """``run`` where Python finds the plug-in: a copy, which any interpreter, uid and sandbox can read."""
    folder = run.scratch.root / "plugin"
    folder.mkdir()
    (folder / f"{_PLUGIN}.py").write_text(Path(pytesttell.__file__).read_text("utf-8"), encoding="utf-8")
    path = ":".join(filter(None, [str(folder), run.extra.get("PYTHONPATH")]))
    only = {} if _named(paths) == paths else {pytesttell.ONLY: json.dumps(paths)}
    return dataclasses.replace(run, extra={**run.extra, "PYTHONPATH": path, **only})


def _command(settings: UnitTests, paths: tuple[str, ...]) -> tuple[str, ...]:
    words = tuple(sys.executable if word == PYTHON else word for word in settings.command)
    return (*words, *settings.flags, "-p", "no:cacheprovider", "-p", _PLUGIN, *_named(paths))


def _named(paths: tuple[str, ...]) -> tuple[str, ...]:
    """``paths`` as pytest takes them; for a name in which it sees tests or parameters, the folder that holds it."""
    found = (
        next((str(place) for place in (PurePosixPath(path), *PurePosixPath(path).parents) if not _odd(place)), ".")
        for path in paths
    )
    return tuple(dict.fromkeys(found))


def _odd(path: PurePosixPath) -> bool:
    return "[" in str(path) or "::" in str(path)


def _homes() -> tuple[Path, ...]:
    """Where the worker's own Python lives: an environment, and what it was made from."""
    return tuple(dict.fromkeys(Path(place) for place in (sys.prefix, sys.base_prefix)))


def _why(done: Exit, settings: UnitTests) -> str:
    """Why pytest ended, for tests that got no verdict."""
    if done.reason is not Reason.EXITED:
        return done.stopped(settings.timeout)
    return f"pytest ended with {done.words} while this test ran"


def _ending(job: Job, paths: tuple[str, ...], stream: PytestStream, done: Exit) -> Ending:
    settings = job.profile.unit_tests
    failed, named = stream.counts[CaseStatus.FAILED], stream.failures
    names = tuple(named) if 0 < failed <= BY_NAME and all("::" in name for name in named) else _named(paths)
    words = tuple("python" if word == PYTHON else word for word in settings.command)
    reproduce = by_hand((*words, *settings.flags, *names), settings.env)
    if done.reason is Reason.CANCELLED:
        return Ending(TaskState.CANCELLED, "cancelled", reproduce)
    if done.reason is not Reason.EXITED:
        return Ending(TaskState.FAILED, _stopped(job, stream, done, paths[0]), reproduce)
    if failed:
        return Ending(TaskState.FAILED, failed_of(stream.counts, stream.failures), reproduce)
    if done.code in (_OK, _NONE):
        return _well(job, paths, stream, done, reproduce)
    return _unexplained(job, paths, stream, done, reproduce)


def _well(job: Job, paths: tuple[str, ...], stream: PytestStream, done: Exit, reproduce: str) -> Ending:
    """An end without a failure, as far as pytest itself made it: code under test can end it with any status."""
    if not stream.through:
        text = f"pytest ended with {done.words} before it was through"
        job.emit(CaseResult(paths[0], CaseStatus.FAILED, done.seconds, text, FailureKind.ABNORMAL))
        return Ending(TaskState.FAILED, f"{text}; the last line: {stream.last[:200]}", reproduce)
    if done.code == _NONE:
        return Ending(TaskState.SKIPPED, f"{' '.join(paths)}: no tests", reproduce)
    only_skipped = set() != {status for status, count in stream.counts.items() if count} <= {CaseStatus.SKIPPED}
    return Ending(TaskState.SKIPPED if only_skipped else TaskState.PASSED, "", reproduce)


def _stopped(job: Job, stream: PytestStream, done: Exit, path: str) -> str:
    """The message of a task that was cut; a case for it where no test was cut."""
    message = _why(done, job.profile.unit_tests)
    if stream.counts[CaseStatus.FAILED]:
        return f"{message}; {failed_of(stream.counts, stream.failures)}"
    kind = FailureKind.TIMEOUT if done.reason is Reason.DEADLINE else FailureKind.ABNORMAL
    text = f"{message}; no test was running: still collecting, or between tests"
    job.emit(CaseResult(path, CaseStatus.FAILED, done.seconds, text, kind))
    return f"{text}; the last line: {stream.last[:200]}"


def _unexplained(job: Job, paths: tuple[str, ...], stream: PytestStream, done: Exit, reproduce: str) -> Ending:
    """An end without a failed test: the tree's fault once pytest ran its code, else nobody's answer."""
    last, text = stream.last, f"pytest ended with {done.words}"
    if not stream.begun and "No module named pytest" in last:
        raise ToolMissingError("pytest is not installed where this worker runs", "Install it beside mo-testplan.")
    if done.code in (_FAILED, _INTERRUPTED) or (done.code == _USAGE and "rror" in last and "usage" not in last):
        return Ending(TaskState.FAILED, f"{text}: {last[:300]}", reproduce)
    if not stream.begun or done.code == _USAGE:
        raise InfrastructureError(f"{text}: {last[:300]}", "Run it by hand: " + reproduce)
    said = f"{text} while no test was running\n{stream.error}".strip()
    job.emit(CaseResult(paths[0], CaseStatus.FAILED, done.seconds, said, FailureKind.ABNORMAL))
    return Ending(TaskState.FAILED, f"{text}: {(stream.error.rpartition(chr(10))[2] or last)[:300]}", reproduce)
