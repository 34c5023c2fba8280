"""``bubblewrap`` around untrusted code: its own processes, a read-only system, no network, only its own files.

It sees the system's programs and libraries, a few harmless files of ``/etc``, what it is given by name, and nothing
else: no home directories, no ``/var``, no ``/run``. Options as in ``bwrap(1)`` of bubblewrap 0.4 and later.
"""

from __future__ import annotations

import functools
import shutil
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Protocol

#: Read-only, where the host has them.
SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/opt", "/sys")
#: Of ``/etc`` only what libraries read; never ``shadow``, keys or settings of services.
ETC = (
    "alternatives",
    "ca-certificates",
    "group",
    "hosts",
    "ld.so.cache",
    "ld.so.conf",
    "ld.so.conf.d",
    "localtime",
    "mime.types",
    "nsswitch.conf",
    "passwd",
    "pki",
    "protocols",
    "resolv.conf",
    "services",
    "ssl",
    "timezone",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """What a program in the sandbox sees beside the system. Paths are the same inside and outside."""

    cwd: Path
    #: Becomes ``/tmp``.
    tmp: Path
    writable: tuple[Path, ...] = ()
    readable: tuple[Path, ...] = ()
    #: Without one there is a loopback interface of its own, which is what ``net.Listen`` in a test needs.
    network: bool = False
    #: Directories of one run, the run's own first: no other run passes through them.
    private: tuple[Path, ...] = ()
    #: It executes nothing of the change, and writes what all runs read: Go's modules.
    fetches: bool = False


class Confinement(Protocol):
    """How untrusted code is kept from everything else."""

    @property
    def name(self) -> str:
        """For operators."""
        ...

    @property
    def tmp(self) -> str | None:
        """The directory for temporary files as the program sees it; None: as outside."""
        ...

    @property
    def one_owner(self) -> bool:
        """Whether the worker's own uid owns what every program writes."""
        ...

    def wrap(self, argv: Iterable[str], view: View) -> tuple[str, ...]:
        """``argv`` where it sees and may do what ``view`` says."""
        ...


@dataclass(frozen=True, slots=True)
class Sandbox:
    """A ``bwrap`` that works on this host."""

    program: str
    name: ClassVar[str] = "bubblewrap"
    tmp: ClassVar[str | None] = "/tmp"  # noqa: S108 - the sandbox's own
    one_owner: ClassVar[bool] = True

    def wrap(self, argv: Iterable[str], view: View) -> tuple[str, ...]:
        """``argv`` inside the sandbox."""
        words = [self.program, "--die-with-parent", "--unshare-pid", "--unshare-ipc", "--unshare-uts"]
        words += [] if view.network else ["--unshare-net"]
        for path in (*SYSTEM, *(f"/etc/{name}" for name in ETC)):
            words += ["--ro-bind-try", path, path]
        words += ["--proc", "/proc", "--dev", "/dev", "--bind", str(view.tmp), "/tmp"]  # noqa: S108 - in the sandbox
        for path in dict.fromkeys(str(_place(path, view)) for path in view.readable):
            words += ["--ro-bind", path, path]
        for path in dict.fromkeys(map(str, view.writable)):
            words += ["--bind", path, path]
        return (*words, "--chdir", str(view.cwd), "--", *argv)


def _place(path: Path, view: View) -> Path:
    """Where ``path`` is mounted: a link in what is shown stays one, as a linked ``.venv``, and what it names is shown.

    Links that code under test may have made are not followed.
    """
    if any(path.is_relative_to(place) for place in (view.cwd, *view.writable, *view.private)):
        return path
    for top in (*map(Path, SYSTEM), *view.readable):
        if path.is_relative_to(top) and top.resolve() / path.relative_to(top) != path.resolve():
            return path.resolve()
    return path


@functools.lru_cache(maxsize=8)
def available(path: str | None = None) -> Sandbox | None:
    """The sandbox of this host when it has one that really works (in containers it often does not).

    ``path`` is a search path like ``PATH``. Tried once a process.
    """
    program = shutil.which("bwrap", path=path)
    if program is None:
        return None
    sandbox = Sandbox(program)
    return sandbox if _fault(sandbox) is None else None


def describe(path: str | None = None) -> str:
    """One line for ``doctor``."""
    program = shutil.which("bwrap", path=path)
    if program is None:
        return "no sandbox: bubblewrap is not installed (apt install bubblewrap)"
    fault = _fault(Sandbox(program))
    if fault is None:
        return f"sandbox: bubblewrap at {program}"
    return f"no sandbox: {program} does not work here ({fault}); allow user namespaces, or use another host"


def _fault(sandbox: Sandbox) -> str | None:
    """Why a trial does not succeed, in one line; ``None`` when it does."""
    argv = sandbox.wrap(["true"], View(cwd=Path("/"), tmp=Path("/usr")))
    try:
        done = subprocess.run(argv, capture_output=True, timeout=10, check=False, env={"PATH": "/usr/bin:/bin"})
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    if done.returncode == 0:
        return None
    words = done.stderr.decode("utf-8", errors="replace").strip().splitlines()
    return words[-1] if words else f"exit status {done.returncode}"
