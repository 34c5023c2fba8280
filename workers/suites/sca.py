"""Static analysis: one analyser of the profile on the packages of a task, each finding a failed case."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

from orchestrator.domain.errors import BadPlanError, InfrastructureError, nearest
from orchestrator.domain.profile import Analyser
from orchestrator.domain.run import CaseResult, CaseStatus, FailureKind, TaskState
from workers.process import CappedLog, Exit, Host, Reason, Stream
from workers.suites.base import Ending, Job
from workers.suites.execution import by_hand, directory_of, execution, go_patterns
from workers.suites.findings import OBJECT_LIMIT, Finding, VetReader, in_line
from workers.toolchain import host_fault

PACKAGES = "{packages}"
#: Findings told one by one; further ones are only counted.
TOLD = 1000


@dataclass(frozen=True, slots=True)
class StaticAnalysisSuite:
    """A :class:`workers.suites.base.Suite` for analysers."""

    host: Host

    def execute(self, job: Job) -> Ending:
        """Run the task's analyser.

        Findings, and packages that do not compile, are verdicts of the tree.

        :raises BadPlanError: the profile has no such analyser.
        :raises InfrastructureError: the analyser is missing, crashes, or fails without a finding.
        """
        analyser = _analyser(job)
        packages = _packages(job)
        if not packages:
            message = "none of the changed directories has Go files any more"
            job.emit(CaseResult(analyser.name, CaseStatus.SKIPPED, message=message))
            return Ending(TaskState.SKIPPED, message)
        command = tuple(_expanded(analyser.command, packages))
        reader = _Reader(job, analyser)
        host = replace(self.host, limits=replace(self.host.limits, line=OBJECT_LIMIT))  # a cut line is no JSON
        with execution(host, job, analyser.env) as run:
            unfetched = run.prefetch(packages)
            done = run.go(command, analyser.timeout, reader.line)
        try:
            return _ending(job, analyser, packages, reader, done, by_hand(command, analyser.env))
        except InfrastructureError as error:
            if unfetched is not None:  # the reason behind it
                raise unfetched from error
            raise


def _analyser(job: Job) -> Analyser:
    name = job.task.analyser or ""
    known = {analyser.name: analyser for analyser in job.profile.sca.analysers}
    if name not in known:
        raise BadPlanError(f"the profile {job.profile.name} has no analyser {name!r}", nearest(name, known))
    return known[name]


def _packages(job: Job) -> tuple[str, ...]:
    """The task's directories that still hold Go files; all of the tree when the task names none."""
    if not job.task.files:
        return go_patterns(job.profile.unit_tests.everything)
    patterns = go_patterns(name.rstrip("/") or "." for name in job.task.files)
    return tuple(dict.fromkeys(pattern for pattern in patterns if _has_go(pattern, job.workspace)))


def _has_go(pattern: str, workspace: Path) -> bool:
    folder = directory_of(pattern, workspace)
    if folder is None:
        return False
    return pattern.endswith("...") or any(folder.glob("*.go"))


def _expanded(command: Iterable[str], packages: tuple[str, ...]) -> Iterable[str]:
    for word in command:
        yield from packages if word == PACKAGES else (word,)


@dataclass(slots=True)
class _Reader:
    """Turns lines into cases as they come."""

    job: Job
    analyser: Analyser
    found: int = 0
    first: list[str] = field(default_factory=list)
    #: Last lines that are no findings.
    rest: deque[str] = field(default_factory=lambda: deque(maxlen=100))
    seen: set[Finding] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._log = CappedLog(self.job.log)
        self._vet = {stream: VetReader(self.job.workspace) for stream in Stream}

    _log: CappedLog = field(init=False)
    _vet: dict[Stream, VetReader] = field(init=False)

    def line(self, source: Stream, line: str) -> None:
        """One line of the analyser."""
        self._log(line)
        if self.analyser.format == "go-vet-json":
            for found in self._vet[source].feed(line):
                self._tell(found)
        elif finding := in_line(line, self.job.workspace):
            self._tell(finding)
        elif line.strip():
            self.rest.append(line[:1000])

    def words(self) -> list[str]:
        """What was said beside findings."""
        return [*self.rest, *(line for vet in self._vet.values() for line in vet.rest), *self.lost()]

    def lost(self) -> list[str]:
        """Why findings may be missing."""
        return [vet.lost for vet in self._vet.values() if vet.lost]

    def _tell(self, finding: Finding) -> None:
        if finding in self.seen:  # a package and its test variant say the same
            return
        self.found += 1
        if self.found > TOLD:
            return
        self.seen.add(finding)
        if len(self.first) < 3:
            self.first.append(f"{finding.name}: {finding.message.splitlines()[0] if finding.message else ''}"[:200])
        self.job.emit(
            CaseResult(
                finding.name,
                CaseStatus.FAILED,
                message=finding.message,
                kind=finding.kind,
                file=finding.file,
                line=finding.line,
            )
        )


def _ending(  # noqa: PLR0913 - all that a verdict is made of
    job: Job, analyser: Analyser, packages: tuple[str, ...], reader: _Reader, done: Exit, reproduce: str
) -> Ending:
    """The verdict: findings fail; failing without one is no answer."""
    if done.reason is Reason.CANCELLED:
        return Ending(TaskState.CANCELLED, "cancelled", reproduce)
    if done.reason is not Reason.EXITED:
        return _stopped(job, analyser, reader, done, reproduce)
    words = reader.words()
    text = "\n".join(words)
    if done.signal is not None:
        raise InfrastructureError(f"{analyser.name} was killed by signal {done.signal}", "Look for the OOM killer.")
    fault = host_fault(text) if done.code else None
    if fault is not None:
        raise fault
    if reader.found:
        more = f" and {reader.found - 3} more" if reader.found > 3 else ""
        return Ending(TaskState.FAILED, f"{_count(reader.found)}: {'; '.join(reader.first)}{more}", reproduce)
    unmatched = sum("matched no packages" in line for line in words)
    if "no packages to vet" in words or (not done.code and unmatched >= len(packages)):
        job.emit(CaseResult(analyser.name, CaseStatus.SKIPPED, message="no packages match"))
        return Ending(TaskState.SKIPPED, "no packages match", reproduce)
    unread = analyser.format == "go-vet-json" and (reader.lost() or any(" failed: " in line for line in words))
    if done.code or unread:
        tail = "\n".join(words[-10:]) or "and said nothing"
        raise InfrastructureError(
            f"{analyser.name} ended with {done.words} without a finding: {tail}", f"Run it by hand: {reproduce}"
        )
    job.emit(CaseResult(analyser.name, CaseStatus.PASSED, done.seconds))
    return Ending(TaskState.PASSED, "", reproduce)


def _count(found: int) -> str:
    return "1 finding" if found == 1 else f"{found} findings"


def _stopped(job: Job, analyser: Analyser, reader: _Reader, done: Exit, reproduce: str) -> Ending:
    late = done.reason is Reason.DEADLINE
    message = f"{done.stopped(analyser.timeout)}; {_count(reader.found)} so far"
    kind = FailureKind.TIMEOUT if late else FailureKind.ABNORMAL
    job.emit(CaseResult(analyser.name, CaseStatus.FAILED, done.seconds, message, kind))
    return Ending(TaskState.FAILED, message, reproduce)
