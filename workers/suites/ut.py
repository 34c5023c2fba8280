"""Unit tests: ``go test -json`` on the packages of a task, each Go test a case."""

from __future__ import annotations

import re
from dataclasses import dataclass

from orchestrator.domain.errors import InfrastructureError
from orchestrator.domain.profile import UnitTests
from orchestrator.domain.run import CaseResult, CaseStatus, FailureKind, TaskState
from workers.process import CappedLog, Exit, Host, Reason, Stream
from workers.suites.base import Ending, Job
from workers.suites.execution import by_hand, directory_of, execution, failed_of, go_patterns
from workers.suites.gotest import GoTestStream
from workers.suites.pytest import PytestSuite
from workers.toolchain import host_fault

#: More failed tests than this are re-run as a whole.
BY_NAME = 12


@dataclass(frozen=True, slots=True)
class UnitTestSuite:
    """A :class:`workers.suites.base.Suite` for Go packages."""

    host: Host

    def execute(self, job: Job) -> Ending:
        """Run the task's packages.

        Failing, not building, panicking, racing and overrunning the deadline are verdicts of the tree. A package that
        is no longer there is skipped.

        :raises InfrastructureError: no ``go``, no modules, no memory, no disk, or flags that ``go test`` does not know.
        """
        settings = job.profile.unit_tests
        if settings.format == "pytest":
            return PytestSuite(self.host).execute(job)
        names = (job.task.package,) if job.task.package else settings.everything
        patterns = go_patterns(names)
        present = tuple(pattern for pattern in patterns if directory_of(pattern, job.workspace))
        if not present:
            message = f"{', '.join(names)}: no such directory in this tree; the package was removed"
            job.emit(CaseResult(names[0], CaseStatus.SKIPPED, message=message))
            return Ending(TaskState.SKIPPED, message)
        command = (*_with_json(settings.command), *settings.flags, *present)
        log = CappedLog(job.log)
        stream = GoTestStream(job.emit, log, job.workspace)
        unfetched = None
        with execution(self.host, job, settings.env) as run:
            if settings.command[0] == "go":
                unfetched = run.prefetch(present)
            done = run.go(command, settings.timeout, lambda source, line: _feed(stream, source, line))
            if done.reason is Reason.EXITED and done.signal is not None:
                raise InfrastructureError(
                    f"go test was killed by signal {done.signal}", "Look for the kernel's OOM killer."
                )
            stream.finish(done.reason, _why(done, settings), done.stop_seconds)
        try:
            return _ending(job, stream, done, present)
        except InfrastructureError as error:
            if unfetched is not None:  # the reason behind it
                raise unfetched from error
            raise


def _feed(stream: GoTestStream, source: Stream, line: str) -> None:
    if source is Stream.STDOUT:
        stream.stdout(line)
    else:
        stream.stderr(line)


def _with_json(command: tuple[str, ...]) -> tuple[str, ...]:
    plain_go_test = command[:2] == ("go", "test")
    return (*command, "-json") if plain_go_test and "-json" not in command else command


def _why(done: Exit, settings: UnitTests) -> str:
    """Why the go command ended, for tests that got no verdict."""
    if done.reason is not Reason.EXITED:
        return done.stopped(settings.timeout)
    return f"go test ended with {done.words} in the middle"


def _ending(job: Job, stream: GoTestStream, done: Exit, patterns: tuple[str, ...]) -> Ending:
    """The verdict: what the events say, and never better than the exit status."""
    reproduce = _reproduce(job.profile.unit_tests, stream, patterns)
    if done.reason is Reason.CANCELLED:
        return Ending(TaskState.CANCELLED, "cancelled", reproduce)
    said = "\n".join(stream.errors)
    if done.reason is not Reason.EXITED:
        return _stopped(job, stream, done, reproduce)
    fault = host_fault(f"{said}\n{stream.build.everything()}") if done.code else None
    if fault is not None and not _tests_failed(stream):
        raise fault
    if stream.counts[CaseStatus.FAILED]:
        return Ending(TaskState.FAILED, failed_of(stream.counts, stream.failures), reproduce)
    if done.code and not stream.hollow and "no packages to test" not in said:
        return _unexplained(job, said, done, reproduce)
    if not stream.packages:
        reason = "no packages match" if "matched no packages" in said else "no test files"
        if not stream.counts[CaseStatus.SKIPPED]:
            job.emit(CaseResult(job.task.package or "...", CaseStatus.SKIPPED, message=reason))
        return Ending(TaskState.SKIPPED, f"{' '.join(patterns)}: {reason}", reproduce)
    return Ending(TaskState.PASSED, "", reproduce)


def _tests_failed(stream: GoTestStream) -> bool:
    """Whether a test, and not only a build, failed: then a host's fault elsewhere does not hide it."""
    return any(tests != {""} for tests in stream.failed_tests.values())


def _stopped(job: Job, stream: GoTestStream, done: Exit, reproduce: str) -> Ending:
    message = _why(done, job.profile.unit_tests)
    if not stream.counts[CaseStatus.FAILED]:
        kind = FailureKind.TIMEOUT if done.reason is Reason.DEADLINE else FailureKind.ABNORMAL
        text = f"{message}; no test was running: still building, or between tests"
        job.emit(CaseResult(job.task.package or "...", CaseStatus.FAILED, done.seconds, text, kind))
        return Ending(TaskState.FAILED, text, reproduce)
    return Ending(TaskState.FAILED, f"{message}; {failed_of(stream.counts, stream.failures)}", reproduce)


def _unexplained(job: Job, said: str, done: Exit, reproduce: str) -> Ending:
    """The go command refused before any package: ``go.mod`` is broken, or the profile's flags are.

    :raises InfrastructureError: the latter, or it said nothing.
    """
    usage = re.search(r"flag provided but not defined.*|^usage: .*|invalid value .* for flag.*", said, re.MULTILINE)
    if done.code == 2 or usage:
        line = usage.group(0) if usage else said.strip()[:300]
        raise InfrastructureError(f"go test does not take these flags: {line}", "Correct unit_tests in the profile.")
    if not said.strip():
        raise InfrastructureError(f"go test ended with {done.words} and said nothing", "Run it by hand: " + reproduce)
    message = said.strip()[-4000:]
    job.emit(CaseResult(job.task.package or "...", CaseStatus.FAILED, message=message, kind=FailureKind.BUILD))
    return Ending(TaskState.FAILED, message.splitlines()[0][:300], reproduce)


def _reproduce(settings: UnitTests, stream: GoTestStream, patterns: tuple[str, ...]) -> str:
    """The failed tests of one package by name; otherwise the packages that failed, or all."""
    words = [word for word in (*settings.command, *settings.flags) if word != "-json"]
    failed = stream.failed_tests
    if not failed or len(failed) > BY_NAME:
        return by_hand((*words, *patterns), settings.env)
    packages = ["." if name == "." else f"./{name}" for name in failed]
    names = next(iter(failed.values()))
    if len(failed) == 1 and "" not in names and len(names) <= BY_NAME:
        words += ["-run", f"^({'|'.join(re.escape(name) for name in sorted(names))})$"]
    return by_hand((*words, *packages), settings.env)
