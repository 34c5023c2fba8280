"""What UT and SCA share: running a program of the profile in the tree under test."""

from __future__ import annotations

import contextlib
import dataclasses
import re
import shlex
import signal
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Protocol

from orchestrator.domain.errors import BadPlanError, InfrastructureError
from orchestrator.domain.run import CaseStatus
from workers.caches import private_cache
from workers.process import Command, Exit, Host, Reason, Stream, run, scratch_directory, scrub
from workers.process.group import find_program
from workers.process.scratch import Scratch
from workers.process.supervisor import OnLine
from workers.sandbox import Sandbox, View
from workers.toolchain import find_go, go_settings, host_fault

WORKSPACE = "{workspace}"
#: Seconds that a test is believed to have taken.
LONGEST = 1e6
#: Longest a module download before the tests may take.
PREFETCH_SECONDS = 900.0


class Work(Protocol):
    """What is executed: a job of a suite, or a build."""

    @property
    def workspace(self) -> Path:
        """The tree under test."""
        ...

    @property
    def log(self) -> Callable[[str], None]:
        """Takes a line."""
        ...

    @property
    def cancelled(self) -> Callable[[], bool]:
        """Whether to end."""
        ...


@dataclass(frozen=True, slots=True)
class Execution:
    """A task's private home, and how programs are started in it."""

    host: Host
    job: Work
    scratch: Scratch
    #: The profile's own variables, ``{workspace}`` already replaced.
    extra: Mapping[str, str]

    def go(self, argv: Iterable[str], timeout: float, on_line: OnLine) -> Exit:
        """Run a program that may call ``go``; without network where there is a sandbox to take it away.

        :raises InfrastructureError: it cannot be started.
        """
        go = self._go()
        words = tuple(word.replace(WORKSPACE, str(self.job.workspace)) for word in argv)
        if words[0] == "go":
            words = (str(go), *words[1:])
        return self._run(self._command(words, timeout, go, network=False), on_line)

    def program(self, argv: tuple[str, ...], timeout: float, on_line: OnLine, homes: tuple[Path, ...]) -> Exit:
        """Run a program that needs no ``go``; in a sandbox it sees ``homes``, where its interpreter lives, too.

        :raises InfrastructureError: it cannot be started.
        """
        sandbox, workspace = self.host.sandbox, self.job.workspace
        words = tuple(word.replace(WORKSPACE, str(workspace)) for word in argv)
        places = {"home": self.scratch.home, "tmp": self.scratch.tmp}
        own = _go_cache(self.host.environment) if sandbox is None else {}
        env = scrub(self.host.environment, **places, extra={**own, **self.extra}, network=sandbox is None)
        env["PATH"] = ":".join([*(str(home / "bin") for home in homes), env["PATH"]])
        if sandbox is not None:
            env["TMPDIR"] = sandbox.tmp or env["TMPDIR"]
            found = Path(find_program(words[0], workspace, env["PATH"]))
            writable, private = (workspace, self.scratch.root), (workspace.parent,)
            view = View(
                cwd=workspace,
                tmp=self.scratch.tmp,
                readable=homes if any(found.is_relative_to(home) for home in homes) else (*homes, found),
                writable=writable,
                private=private,
            )
            words = sandbox.wrap((str(found), *words[1:]), view)
        return self._run(Command(argv=words, cwd=workspace, env=env, timeout=timeout, limits=self.host.limits), on_line)

    def _run(self, command: Command, on_line: OnLine) -> Exit:
        """:func:`workers.process.run`; a disk that ran full, or a sandbox that fails, says nothing about the tree.

        :raises InfrastructureError: that happened, or the program cannot be started.
        """
        said: list[str] = []

        def hear(source: Stream, line: str) -> None:
            if len(said) < 2:
                said.append(line[:300])
            on_line(source, line)

        done = run(command, hear, self.job.cancelled)
        confined = self.host.sandbox is not None and done.reason is Reason.EXITED and done.code == 1
        if confined and len(said) == 1 and said[0].startswith(f"{Path(command.argv[0]).name}: "):
            raise InfrastructureError(
                f"the sandbox of this host did not start the test: {said[0]}",
                "`mo-testplan doctor` tries it out.",
            )
        if done.reason is Reason.DISK:
            raise InfrastructureError(
                "the disk of this host ran full while the test ran; it was ended",
                "Free space, or see what the test writes.",
            )
        return _signal_of(done) if isinstance(self.host.sandbox, Sandbox) else done

    def prefetch(self, patterns: Iterable[str]) -> InfrastructureError | None:
        """In a sandbox: download the modules ``patterns`` need, before any code of the PR runs without a network.

        ``go list`` loads packages and runs nothing of them. A failure is not raised but returned: whether it matters,
        the program that needs the modules will tell.
        """
        if self.host.sandbox is None or not (self.job.workspace / "go.mod").is_file():
            return None
        go = self._go()
        argv = (str(go), "list", "-e", "-deps", "-test", "-f", "{{with .Error}}{{.}}{{end}}", *patterns)

        said: deque[str] = deque(maxlen=50)

        def on_line(_: object, line: str) -> None:
            if line.strip():
                said.append(line[:1000])
                self.job.log(f"go list: {line[:1000]}")

        run(self._command(argv, PREFETCH_SECONDS, go, network=True), on_line, self.job.cancelled)
        return host_fault("\n".join(said))

    def _go(self) -> Path:
        return find_go(self.extra.get("PATH") or self.host.environment.get("PATH"))

    def _command(self, argv: tuple[str, ...], timeout: float, go: Path, *, network: bool) -> Command:
        """``argv`` in the workspace, with the operator's Go settings, in the sandbox when there is one."""
        sandbox, workspace = self.host.sandbox, self.job.workspace
        env = scrub(
            self.host.environment,
            home=self.scratch.home,
            tmp=self.scratch.tmp,
            extra={**go_settings(go, self.host.environment), **self.extra},
            network=network or sandbox is None,
        )
        env["PATH"] = f"{go.parent}:{env['PATH']}"
        if network and sandbox is not None and not sandbox.one_owner:
            env["GOCACHE"] = str(self.scratch.root / "fetch")  # the run's own belongs to its tests
        elif self.host.private_caches:
            env["GOCACHE"] = str(private_cache(workspace.parent, self.host.cache_seed))
        if sandbox is not None:
            env["TMPDIR"] = sandbox.tmp or env["TMPDIR"]
            if not network:
                env["GOPROXY"] = "off"
            program = find_program(argv[0], workspace, env["PATH"])
            argv = sandbox.wrap((program, *argv[1:]), self._view(env, go, Path(program), network=network))
        return Command(argv=argv, cwd=workspace, env=env, timeout=timeout, limits=self.host.limits)

    def _view(self, env: Mapping[str, str], go: Path, program: Path, *, network: bool) -> View:
        """Tests may write their tree, their home and the build cache; ``go list`` the modules, and not the tree."""
        build_cache, modules = Path(env["GOCACHE"]), Path(env["GOMODCACHE"])
        for cache in (build_cache, modules):
            cache.mkdir(parents=True, exist_ok=True)
        own = (self.job.workspace, self.scratch.root, build_cache)
        fetched = (self.scratch.root, build_cache, modules)
        return View(
            cwd=self.job.workspace,
            tmp=self.scratch.tmp,
            readable=(
                Path(env.get("GOROOT", go.parent)),
                go.parent,
                program,
                *((self.job.workspace,) if network else (modules,)),
            ),
            writable=fetched if network else own,
            network=network,
            private=(self.job.workspace.parent,),
            fetches=network,
        )


def _signal_of(done: Exit) -> Exit:
    """``done`` with the signal that ended a program in ``bwrap``, which tells of one as a shell does."""
    if done.reason is Reason.EXITED and done.code is not None and 128 < done.code < 128 + signal.NSIG:
        return dataclasses.replace(done, code=None, signal=done.code - 128)
    return done


def _go_cache(environment: Mapping[str, str]) -> dict[str, str]:
    """The user's own Go build cache, which unconfined code could write anyhow: a cold one costs a minute a task."""
    home = environment.get("HOME")
    cache = environment.get("GOCACHE") or (f"{home}/.cache/go-build" if home else "")
    return {"GOCACHE": cache} if cache else {}


@contextlib.contextmanager
def execution(host: Host, job: Work, env: Mapping[str, str]) -> Iterator[Execution]:
    """An :class:`Execution` for ``job`` with the profile's variables ``env``; its home is removed at the end."""
    extra = {name: value.replace(WORKSPACE, str(job.workspace)) for name, value in env.items()}
    with scratch_directory(host.scratch) as scratch:
        yield Execution(host, job, scratch, extra)


def go_patterns(names: Iterable[str]) -> tuple[str, ...]:
    """``pkg/a/...`` as the go command wants it: ``./pkg/a/...``.

    :raises BadPlanError: a name that leaves the tree.
    """
    return tuple("." if name == "." else f"./{inside(name)}" for name in names)


def inside(name: str) -> str:
    """``name`` as a path in the tree, without ``./`` before it.

    :raises BadPlanError: a name that leaves the tree.
    """
    plain = name.removeprefix("./")
    if not plain or plain.startswith("/") or ".." in PurePosixPath(plain).parts or re.search(r"[\x00-\x1f]", plain):
        raise BadPlanError(
            f"{name!r} is no package of the tree under test", "Packages are written like pkg/sql/plan/..."
        )
    return plain


def directory_of(pattern: str, workspace: Path) -> Path | None:
    """The directory a pattern starts at; ``None`` when the tree has none (or only by a link that leaves it)."""
    base = (workspace / pattern.removesuffix("...").rstrip("/")).resolve()
    return base if base.is_dir() and base.is_relative_to(workspace.resolve()) else None


def by_hand(argv: Iterable[str], env: Mapping[str, str]) -> str:
    """The command line for a person in the top directory of a clone; ``{workspace}`` is where they are."""
    words = [f"{name}={value}" for name, value in env.items()]
    line = shlex.join([*(["env", *words] if words else []), *argv])
    return line.replace(WORKSPACE, "'\"$PWD\"'") if WORKSPACE in line else line


def failed_of(counts: Mapping[CaseStatus, int], failures: Sequence[str]) -> str:
    """``2 of 7 failed: TestA, TestB``: for a task's message."""
    failed, total = counts[CaseStatus.FAILED], sum(counts.values())
    more = f" and {failed - 3} more" if failed > 3 else ""
    return f"{failed} of {total} failed: {', '.join(failures[:3])}{more}"


def seconds_told(value: object) -> float:
    """How long a test took by its own word, which may be anything."""
    try:
        return min(max(0.0, float(value)), LONGEST) if isinstance(value, int | float) else 0.0
    except OverflowError:  # a number of hundreds of digits
        return LONGEST


def relative_file(name: str, workspace: Path, base: Path | None = None) -> str | None:
    """``name`` (absolute, or relative to ``base``) as a path in the tree, if it is a file there; else ``None``."""
    try:
        path = Path(base or workspace, name).resolve()
        relative = path.relative_to(workspace.resolve())
        return relative.as_posix() if path.is_file() else None
    except (ValueError, OSError, RuntimeError):
        return None
