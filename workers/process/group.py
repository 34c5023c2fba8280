"""A process group that cannot outlive its worker.

The program is started by a few lines of ``sh`` that fork a *watcher* into its session and then become the program. The
watcher reads a pipe whose only writer is this process, ignores what TERM ignores, and at end of file (we are gone, even
by ``kill -9``) kills the group. What left the group by ``setsid`` is found by a cookie in its environment; only a
sandbox holds what also clears its environment.
"""

from __future__ import annotations

import contextlib
import functools
import os
import resource
import secrets
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

from orchestrator.domain.errors import InfrastructureError, ToolMissingError
from workers.process.model import Command, Limits

COOKIE = "MO_SPAWN"
_PAGE = resource.getpagesize()

#: $1 cookie, $2 limits (``ulimit`` words separated by ``;``), then the program. Standard input is the death pipe.
#: The watcher forks before the cookie is exported, so that its own environment does not carry it.
SCRIPT = """
exec 3<&0 </dev/null
( ( trap '' HUP INT QUIT TERM USR1 USR2 PIPE ALRM
    read -r _ <&3
    for e in $(timeout 0.5 grep -alsz "^MO_SPAWN=$1\\$" /proc/[0-9]*/environ); do
      e=${e#/proc/}; kill -KILL "${e%/environ}"
    done
    kill -KILL 0 ) >/dev/null 2>&1 & )
exec 3<&-
eval "$2"
MO_SPAWN=$1; export MO_SPAWN; shift 2
exec "$@"
"""

_death_pipes: set[int] = set()


def _forget_death_pipes() -> None:
    """A forked child of ours (a pool process) must not keep our groups alive after our death."""
    for fd in _death_pipes:
        with contextlib.suppress(OSError):
            os.close(fd)
    _death_pipes.clear()


os.register_at_fork(after_in_child=_forget_death_pipes)


class Group:
    """A running program, leader of its own session and process group. Not thread safe; any thread may own one."""

    def __init__(self, command: Command) -> None:
        self._cookie = secrets.token_hex(8)
        reader, self._death_pipe = os.pipe()
        _death_pipes.add(self._death_pipe)
        try:
            self._popen = _spawn(command, self._cookie, reader)
        except BaseException:
            self._let_go()
            raise
        finally:
            os.close(reader)
        self.pid = self._popen.pid

    @property
    def pipes(self) -> tuple[int, int]:
        """File descriptors of standard output and standard error; not blocking."""
        assert self._popen.stdout is not None  # noqa: S101 - both were asked for
        assert self._popen.stderr is not None  # noqa: S101
        return self._popen.stdout.fileno(), self._popen.stderr.fileno()

    def exited(self) -> bool:
        """Whether the leader has ended. It stays a zombie until :meth:`close`: its number cannot be given away."""
        return os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None

    def memory(self) -> int:
        """Bytes that the processes of its session have in memory."""
        found = (stat.rpartition(b")")[2].split() for _, stat in _every("stat"))
        return sum(int(fields[21]) for fields in found if int(fields[3]) == self.pid) * _PAGE

    def signal(self, number: signal.Signals) -> None:
        """Send it to the whole group."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, number)

    def close(self, patience: float = 2.0) -> tuple[int, int]:
        """Kill what is left of the group and of its runaways, wait until it is gone.

        Returns the leader's status (negative: a signal) and the number of processes that did not die in time.
        """
        self.signal(signal.SIGKILL)
        status = self._popen.wait()
        for stream in (self._popen.stdout, self._popen.stderr):
            if stream is not None:
                stream.close()
        for pid in runaways(self._cookie):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        left = _wait_gone(self.pid, patience)
        self._let_go()
        return status, left

    def _let_go(self) -> None:
        _death_pipes.discard(self._death_pipe)
        os.close(self._death_pipe)


def _spawn(command: Command, cookie: str, death_pipe: int) -> subprocess.Popen[bytes]:
    program = find_program(command.argv[0], command.cwd, command.env.get("PATH", os.defpath))
    argv = ["/bin/sh", "-c", SCRIPT, "sh", cookie, _ulimits(command.limits), *_unignore(), program, *command.argv[1:]]
    try:
        popen = subprocess.Popen(
            argv,
            stdin=death_pipe,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=command.cwd,
            env=dict(command.env),
            start_new_session=True,
            bufsize=0,
        )
    except (OSError, ValueError) as error:
        raise InfrastructureError(f"{command.argv[0]} could not be started: {error}") from error
    for stream in (popen.stdout, popen.stderr):
        if stream is not None:
            os.set_blocking(stream.fileno(), False)
    return popen


def _unignore() -> tuple[str, ...]:
    """Words before the program that give it back the signals this process ignores.

    Ignoring is inherited, a shell cannot undo it, and a Celery pool process ignores INT: a test that interrupts its own
    child would wait for ever. ``env --default-signal`` is GNU coreutils 8.31; elsewhere nothing is done.
    """
    ours = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)
    ignored = [number.name.removeprefix("SIG") for number in ours if signal.getsignal(number) is signal.SIG_IGN]
    env = _gnu_env() if ignored else None
    return (env, f"--default-signal={','.join(ignored)}") if env else ()


@functools.lru_cache(maxsize=1)
def _gnu_env() -> str | None:
    env = shutil.which("env")
    if env is None:
        return None
    done = subprocess.run([env, "--default-signal=INT", "true"], capture_output=True, check=False, timeout=10)
    return env if done.returncode == 0 else None


def find_program(name: str, cwd: Path, path: str) -> str:
    """The absolute path of ``name`` on the search path ``path``; one with a slash is relative to ``cwd``.

    :raises ToolMissingError: there is none.
    """
    if "/" in name:
        program = Path(cwd, name)
        found = str(program) if os.access(program, os.X_OK) and program.is_file() else None
    else:
        found = shutil.which(name, path=path)
    if found is None:
        raise ToolMissingError(f"{name} is not on this host", f"Install {name}, or put it on the worker's PATH.")
    return found


def _ulimits(limits: Limits) -> str:
    """Limits as ``ulimit`` words: set between fork and exec without running Python there."""
    words = ["ulimit -c 0"]
    if limits.open_files is not None:
        hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        ceiling = limits.open_files if hard == resource.RLIM_INFINITY else min(hard, limits.open_files)
        words.append(f"ulimit -n {int(ceiling)}")
    if limits.file_size is not None:
        words.append(f"ulimit -f {max(1, int(limits.file_size) // 512)}")  # POSIX: blocks of 512 bytes
    if limits.memory is not None:
        words.append(f"ulimit -d {max(1, int(limits.memory) >> 10)}")
    if limits.cpu is not None:
        words.append(f"ulimit -t {max(1, int(limits.cpu))}")
    if limits.processes is not None:
        count = int(limits.processes)
        words.append(f"ulimit -p {count} 2>/dev/null || ulimit -u {count}")  # dash, then bash
    return "; ".join(words)


def runaways(cookie: str) -> list[int]:
    """Processes that carry ``cookie`` in their environment; zombies have none."""
    wanted = f"{COOKIE}={cookie}".encode()
    return [pid for pid, environ in _every("environ") if wanted in environ]


def _wait_gone(group: int, patience: float) -> int:
    """Wait until every process of the group is dead; the number of those that still live after ``patience``.

    Zombies count as dead: who buries them, and when, is up to this host's init.
    """
    start = time.monotonic()
    pause = 0.0005
    while _group_exists(group):
        living = sum(_lives_in(group, stat) for _, stat in _every("stat"))
        if not living or time.monotonic() - start > patience:
            return living
        time.sleep(pause)
        pause = min(pause * 2, 0.02)
    return 0


def _group_exists(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # a setuid child: it is there and it is not ours
        return True
    return True


def _lives_in(group: int, stat: bytes) -> bool:
    """Whether this ``/proc/N/stat`` is of a process of ``group`` that is neither zombie nor dead."""
    state, _, pgrp = stat.rpartition(b")")[2].split(maxsplit=3)[:3]
    return int(pgrp) == group and state not in b"ZX"


def _every(file: str) -> Iterator[tuple[int, bytes]]:
    """That file of every process that lets us read it. Runs after every test process: no Path objects."""
    for name in os.listdir("/proc"):  # noqa: PTH208
        if not name.isdigit():
            continue
        try:
            fd = os.open(f"/proc/{name}/{file}", os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            continue
        try:
            yield int(name), os.read(fd, 1 << 17)
        except OSError:
            continue
        finally:
            os.close(fd)
