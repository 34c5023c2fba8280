"""SQL cases: the scripts of a category on the shard's server, each command a case."""

from __future__ import annotations

import json
import shlex
import sys
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import Any

from orchestrator.domain.errors import EXIT_USAGE, BadPlanError, InfrastructureError, ServerError
from orchestrator.domain.profile import Bvt, Server
from orchestrator.domain.run import CaseResult, CaseStatus, FailureKind, TaskState
from workers.bvt import NO_SCRIPT
from workers.process import CappedLog, Command, Exit, Host, Reason, Stream, run, scratch_directory, scrub
from workers.process.scratch import Scratch
from workers.sandbox import Confinement, View
from workers.servers import Launch, ServerProvider, Startup, make_server
from workers.suites.base import Ending, Job

#: Where the runner's program is imported from.
_SOURCES = Path(__file__).resolve().parents[2]
#: Name of the server among the shard's resources.
_SERVER = "sql-server"
#: Seconds the runner has, once told to stop, to kill its statement on the server and to drop what it made.
_GRACE = 0.8
#: Bytes of a line of the runner: its texts are capped, and JSON may need six bytes for a character.
_LINE = 1 << 20
_STATUS = {
    "PASS": CaseStatus.PASSED,
    "FAILED": CaseStatus.FAILED,
    "ABNORMAL": CaseStatus.FAILED,
    "IGNORED": CaseStatus.SKIPPED,
}
_KIND = {"FAILED": FailureKind.MISMATCH, "ABNORMAL": FailureKind.ABNORMAL}
_SHOWN = 4000


@dataclass(frozen=True, slots=True)
class BvtSuite:
    """A :class:`workers.suites.base.Suite` for SQL cases."""

    host: Host

    def execute(self, job: Job) -> Ending:
        """Run the task's scripts. A category the tree lacks, or has no scripts of, is skipped.

        :raises InfrastructureError: there is no server, or it is lost on the way.
        """
        bvt, category = job.profile.bvt, _category(job)
        directory = job.workspace / bvt.cases / category
        if not directory.is_dir():
            return Ending(TaskState.SKIPPED, f"the tree under test has no {bvt.cases}/{category}")
        reproduce = _reproduce(job, category)
        server = _server(job, self.host.sandbox)
        watcher = _Watcher(job, PurePosixPath(bvt.cases, category).parent)
        _reports(job).mkdir(parents=True, exist_ok=True)
        with scratch_directory(self.host.scratch) as scratch:
            done = run(self._command(job, directory, server.dsn, scratch), watcher.line, job.cancelled)
        try:
            return _ending(job, watcher, done, reproduce)
        except ServerError:
            job.resources.drop(_SERVER)  # the shard's next task is not to find it dead
            raise

    def _command(self, job: Job, directory: Path, dsn: str, scratch: Scratch) -> Command:
        env = scrub(self.host.environment, home=scratch.home, tmp=scratch.tmp)
        env |= {"PYTHONPATH": str(_SOURCES), "PYTHONDONTWRITEBYTECODE": "1", "MO_TESTPLAN_BVT_DSN": dsn}
        argv = (sys.executable, "-m", "workers.bvt", str(directory), "--format", "jsonl", *_options(job))
        if self.host.sandbox is not None:
            readable = (job.workspace, _SOURCES, Path(sys.prefix), Path(sys.base_prefix), Path(sys.executable).parent)
            private = (job.workspace.parent, job.artifacts.parent.parent, job.artifacts.parent, job.artifacts)
            view = View(
                cwd=job.workspace,
                tmp=scratch.tmp,
                readable=readable,
                writable=(_reports(job), scratch.root),
                network=True,
                private=private,
            )
            argv = self.host.sandbox.wrap(argv, view)
        timeout = job.profile.bvt.timeout
        limits = replace(self.host.limits, line=_LINE)
        return Command(argv=argv, cwd=job.workspace, env=env, timeout=timeout, limits=limits, grace=_GRACE)


@dataclass(frozen=True, slots=True)
class _Started:
    """The shard's server, running."""

    provider: ServerProvider
    dsn: str

    def close(self) -> None:
        self.provider.close()


def _server(job: Job, sandbox: Confinement | None) -> _Started:
    settings = job.profile.bvt.server

    def start() -> _Started:
        job.log(f"server: {settings.provider}")
        provider = make_server(
            settings.provider,
            dsn=settings.dsn,
            launch=launch_of(job, sandbox),
            startup=Startup(settings.startup_timeout, job.cancelled, CappedLog(job.log, 1 << 20)),
        )
        return _Started(provider, provider.start())

    made = job.resources.get(_SERVER, start)
    if not isinstance(made, _Started):
        raise InfrastructureError(f"the shard's {_SERVER} is something else", "This is an error of mo-testplan.")
    return made


def launch_of(job: Job, sandbox: Confinement | None) -> Launch:
    """What provider ``launch`` starts, and where providers start servers.

    It may be built from the tree under test, and any server does what scripts say: it is not trusted. A MariaDB may
    write to the tree, where scripts look for what they export.
    """
    server, tree = job.profile.bvt.server, (job.workspace,)
    exports = server.provider == "mariadb"

    def wrap(argv: tuple[str, ...], directory: Path) -> tuple[str, ...]:
        if sandbox is None:
            return argv
        tmp = directory / "tmp"
        tmp.mkdir(exist_ok=True)
        view = View(
            cwd=directory,
            tmp=tmp,
            readable=() if exports else tree,
            writable=(directory, *tree) if exports else (directory,),
            network=True,
            private=(job.workspace.parent,),
        )
        return sandbox.wrap(argv, view)

    return Launch(server.command, server.files, job.workspace, wrap)


def _category(job: Job) -> str:
    """The category as a path below the case tree. Raises BadPlanError when it leaves the tree."""
    name = job.task.category or ""
    path = PurePosixPath(name)
    for part in (path, *map(PurePosixPath, job.task.files)):
        if part.is_absolute() or ".." in part.parts or "\0" in str(part):
            raise BadPlanError(f"{str(part)!r} is no path below the case tree", "Categories are written like join.")
    return path.as_posix()


def _options(job: Job) -> list[str]:
    bvt = job.profile.bvt
    words = ["--compare", bvt.compare, "--statement-timeout", f"{bvt.statement_timeout:g}"]
    words += ["--script-timeout", f"{bvt.timeout:g}", "--report", str(_reports(job))]
    words += ["--resources", str((job.workspace / bvt.cases).parent / "resources")]
    words += [] if bvt.metadata else ["--nometa"]
    words += ["--ignore-issues"] if bvt.ignore_issues else []
    words += ["--reset-server"] if _ours(bvt) else []
    for name in job.task.files:
        words += ["--only", name]
    return words


def _reports(job: Job) -> Path:
    """What the runner may write; the folder it lies in, with the log and the cases, is the worker's alone."""
    return job.artifacts / "bvt"


def _ours(bvt: Bvt) -> bool:
    """Whether everything on the server may go."""
    return bvt.reset_server or bvt.server.provider != "dsn"


def _reproduce(job: Job, category: str) -> str:
    bvt = job.profile.bvt
    words = ["mo-testplan", "cases", "run", f"{bvt.cases}/{category}", "--compare", bvt.compare]
    words += [] if bvt.metadata else ["--nometa"]
    words += ["--ignore-issues"] if bvt.ignore_issues else []
    for name in job.task.files:
        words += ["--only", name]
    return f"{shlex.join(words)} {_where(bvt.server)}"


def _where(server: Server) -> str:
    """The option of ``cases run`` for such a server; one with files of its own must be running."""
    if server.provider == "launch" and not server.files:
        return f"--launch {shlex.quote(shlex.join(server.command))}"
    return '--dsn "$MO_TESTPLAN_BVT_DSN"' if server.provider in ("dsn", "launch") else f"--server {server.provider}"


@dataclass(slots=True)
class _Watcher:
    """Turns the runner's lines into cases."""

    job: Job
    #: Where the runner's paths begin, in the tree under test.
    base: PurePosixPath
    counts: dict[CaseStatus, int] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)
    #: What passes as mo-tester compares and is wrong as the strict comparison finds.
    strict: list[str] = field(default_factory=list)
    errors: deque[str] = field(default_factory=lambda: deque(maxlen=20))

    def line(self, stream: Stream, text: str) -> None:
        """One line the runner wrote."""
        if stream is Stream.STDERR:
            self.errors.append(text)
            self.job.log(text)
            return
        try:
            row = json.loads(text)
            case = _case(row, self.base)
        except (ValueError, KeyError, TypeError, AttributeError):
            self.job.log(f"not a result: {text[:500]}")
            return
        self.counts[case.status] = self.counts.get(case.status, 0) + 1
        if case.status is CaseStatus.FAILED:
            self.job.log(f"{row['verdict']} {case.name}")
            if len(self.failures) < 3:
                self.failures.append(case.name)
        if case.kind is FailureKind.STRICT:
            self.strict.append(case.name)
        self.job.emit(case)

    def summary(self) -> str:
        """What failed, and what only the strict comparison finds, in one line."""
        failed, total = self.counts.get(CaseStatus.FAILED, 0), sum(self.counts.values())
        told = [f"{failed} of {total} commands failed: {_named(self.failures, failed)}"] if failed else []
        told += [f"strict alone finds {_named(self.strict[:3], len(self.strict))}"] if self.strict else []
        return "; ".join(told)


def _named(names: list[str], count: int) -> str:
    """The first three of ``count`` names."""
    return ", ".join(names) + (f" and {count - 3} more" if count > 3 else "")


def _case(row: dict[str, Any], base: PurePosixPath) -> CaseResult:
    """A line of the runner as a case. Raises what a malformed line raises."""
    verdict = str(row["verdict"])
    file = str(base / str(row["path"]))
    findings = [str(finding) for finding in row.get("findings") or []]
    strict_only = verdict == "PASS" and bool(findings)
    return CaseResult(
        name=f"{row['path']}:{int(row['line'])}",
        status=_STATUS[verdict],
        seconds=float(row["seconds"]),
        message=_message(row, findings),
        kind=FailureKind.STRICT if strict_only else _KIND.get(verdict),
        file=file,
        line=int(row["line"]),
        expected=_text(row.get("expected")),
        actual=_text(row.get("actual")),
    )


def _message(row: dict[str, Any], findings: list[str]) -> str:
    why = "; ".join(filter(None, [str(row.get("reason") or ""), *findings]))
    return "\n".join(filter(None, (why, str(row.get("sql") or ""))))[:_SHOWN]


def _text(value: object) -> str | None:
    return None if value is None else str(value)[:_SHOWN]


def _ending(job: Job, watcher: _Watcher, done: Exit, reproduce: str) -> Ending:
    if done.reason is Reason.CANCELLED:
        return Ending(TaskState.CANCELLED, "cancelled", reproduce)
    if done.reason is Reason.DISK:
        raise InfrastructureError("the disk of this host ran full while the scripts ran", "Free space on the worker.")
    if done.reason is not Reason.EXITED:
        why = done.stopped(job.profile.bvt.timeout)
        name = job.task.category or job.task.id
        job.emit(CaseResult(name, CaseStatus.FAILED, done.seconds, why, FailureKind.TIMEOUT))
        return Ending(TaskState.FAILED, why, reproduce)
    outcome: dict[int | None, Callable[[], Ending]] = {
        0: lambda: _passed(watcher, reproduce),
        1: lambda: Ending(TaskState.FAILED, watcher.summary(), reproduce),
        4: lambda: Ending(TaskState.CANCELLED, "cancelled", reproduce),
    }
    if done.code == EXIT_USAGE and any(line.startswith(NO_SCRIPT) for line in watcher.errors):
        return Ending(TaskState.SKIPPED, "the tree under test has none of these scripts", reproduce)
    crashed = done.code == 1 and not watcher.counts.get(CaseStatus.FAILED)  # Python's own exit code for a bug of ours
    if done.code in outcome and not crashed:
        return outcome[done.code]()
    said = "\n".join(watcher.errors).strip() or f"the case runner ended with {done.words}"
    raise (
        ServerError(said, f"By hand: {reproduce}")
        if done.code == 3
        else InfrastructureError(said, f"By hand: {reproduce}")
    )


def _passed(watcher: _Watcher, reproduce: str) -> Ending:
    if not sum(watcher.counts.values()):
        return Ending(TaskState.SKIPPED, "the scripts hold no command", reproduce)
    return Ending(TaskState.PASSED, watcher.summary(), reproduce)
