"""A process group that cannot outlive its worker.

The program is started by a few lines of ``sh`` that fork a *watcher* into its session and then become the program. The
watcher reads a pipe whose only writer is this process, ignores what TERM ignores, and at end of file (we are gone, even
by ``kill -9``) kills the group. What left the group by ``setsid`` is found by a cookie in its environment, and, while
we live, by descent: this process adopts orphans (``PR_SET_CHILD_SUBREAPER``), so whatever a program leaves behind
becomes our child. After our own death only a sandbox holds what also clears its environment.
"""

from __future__ import annotations

import contextlib
import ctypes
import functools
import os
import resource
import secrets
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Mapping
from pathlib import Path

from orchestrator.domain.errors import InfrastructureError, ToolMissingError
from workers.process.model import Command, Limits
from workers.process.table import Process, below, cookies, processes, started, uids_of

#: ``prctl(2)``.
_PR_SET_CHILD_SUBREAPER = 36
#: Seconds between two looks for orphans of ours that ended.
_BURY = 1.0

#: $1 cookie, $2 limits (``ulimit`` words separated by ``;``), then the program. Standard input is the death pipe.
#: The watcher forks before the cookie is exported, so that its own environment does not carry it. The shell waits until
#: the watcher has let go of the pipe of ``$(…)``, by when it ignores signals: a program may signal its group at once.
SCRIPT = """
exec 3<&0 </dev/null
: "$( (
    trap '' HUP INT QUIT TERM USR1 USR2 PIPE ALRM
    exec >/dev/null 2>&1
    PATH=/usr/local/bin:/usr/bin:/bin
    read -r _ <&3
    for e in $(timeout 0.5 grep -alsz "^MO_SPAWN=$1\\$" /proc/[0-9]*/environ); do
      e=${e#/proc/}; kill -KILL "${e%/environ}"
    done
    kill -KILL 0 ) & )"
exec 3<&-
eval "$2"
MO_SPAWN=$1; export MO_SPAWN; shift 2
exec "$@"
"""


class _Family:
    """The groups of this process. A forked child of ours (a pool process) must not keep them alive after our death."""

    def __init__(self) -> None:
        #: Held while a group is born: who reads the table sees no leader that is not yet in :attr:`cookies`.
        self.lock = threading.Lock()
        self.death_pipes: set[int] = set()
        #: Cookie by leader of every group that is not closed.
        self.cookies: dict[int, str] = {}

    def forget(self) -> None:
        """We are a child now, and none of them is ours."""
        for fd in self.death_pipes:
            with contextlib.suppress(OSError):
                os.close(fd)
        self.__dict__.update(vars(_Family()))

    def table(self) -> dict[int, Process]:
        """The table of processes."""
        with self.lock:
            return processes()


_family = _Family()
os.register_at_fork(after_in_child=_family.forget)


class Group:
    """A running program, leader of its own session and process group. Not thread safe; any thread may own one."""

    def __init__(self, command: Command, *, lingers: bool = False) -> None:
        """``lingers``: this process starts other things meanwhile, so orphans of its own uid may be theirs."""
        self._cookie = secrets.token_hex(8)
        self._lingers = lingers
        _adopt_orphans()
        try:
            reader, self._death_pipe = os.pipe()
        except OSError as error:
            raise InfrastructureError(f"{command.argv[0]} could not be started: {error}") from error
        _family.death_pipes.add(self._death_pipe)
        try:
            with _family.lock:
                self._popen = _spawn(command, self._cookie, reader)
                _family.cookies[self._popen.pid] = self._cookie
        except BaseException:
            self._let_go()
            raise
        finally:
            os.close(reader)
        self.pid = self._popen.pid
        self._started = started(self.pid)
        self._next_burial = time.monotonic() + _BURY

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
        """Bytes that its processes have in memory, those that left its session too."""
        table = _family.table()
        return sum(table[pid].memory for pid in self._members(table))

    def bury(self) -> None:
        """Let orphans that ended go, once a second: who waits for a daemon's death may look for its number."""
        if time.monotonic() >= self._next_burial:
            self._next_burial = time.monotonic() + _BURY
            if os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None:
                self._reap(_family.table())

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
        left = self._end(patience)
        _family.cookies.pop(self.pid, None)
        self._let_go()
        return status, left

    def _end(self, patience: float) -> int:
        """Kill what is left until nothing comes after it; the number of those that still live after ``patience``.

        What a dying process leaves behind becomes our child, so whoever forks faster than this is found again.
        Zombies of others count as dead: who buries them, and when, is up to this host's init.
        """
        end = time.monotonic() + patience
        pause = 0.0005
        while True:
            table = _family.table()
            living = [pid for pid in self._members(table) if table[pid].lives]
            for pid in living:
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.kill(pid, signal.SIGKILL)
            followed = self._reap(table)
            if not (living or followed) or time.monotonic() > end:
                return len(living) or followed
            time.sleep(pause)
            pause = min(pause * 2, 0.02)

    def _members(self, table: Mapping[int, Process]) -> set[int]:
        """Its session, who carries its cookie, the orphans that nobody else can have left, and all below them."""
        carried = cookies()
        others = {cookie for leader, cookie in _family.cookies.copy().items() if leader != self.pid}
        tops = {pid for pid, cookie in carried.items() if cookie == self._cookie}
        tops |= {pid for pid, one in table.items() if one.session == self.pid}
        tops |= {pid for pid in self._orphans(table) if carried.get(pid) not in others}
        return below(table, tops)

    def _orphans(self, table: Mapping[int, Process]) -> set[int]:
        """Processes that this one has adopted since the group was born, but for those in the session of another group.

        What we start ourselves stays in our session, was there before, or, while a group lingers, has our uid.
        """
        ours = os.getpid()
        elsewhere = {os.getsid(0), *_family.cookies.copy()} - {self.pid}
        found = (one for one in table.values() if one.parent == ours and one.started >= self._started)
        strange = {one.pid: one for one in found if one.session not in elsewhere and one.pid != self.pid}
        return {
            pid
            for pid, one in strange.items()
            if one.session == self.pid or not self._lingers or os.geteuid() not in uids_of(pid)
        }

    def _reap(self, table: Mapping[int, Process]) -> int:
        """Bury dead orphans; the number of those from outside of its session: they may have forked while we looked."""
        dead = [pid for pid in self._orphans(table) if not table[pid].lives]
        for pid in dead:
            with contextlib.suppress(ChildProcessError):
                os.waitpid(pid, os.WNOHANG)
        return sum(table[pid].session != self.pid for pid in dead)

    def _let_go(self) -> None:
        _family.death_pipes.discard(self._death_pipe)
        os.close(self._death_pipe)


def _adopt_orphans() -> None:
    """From now on, what loses its parent below this process becomes its child. It is not inherited by ``fork``."""
    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


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
        seconds = max(1, int(limits.cpu))  # then comes XCPU; KILL, at the hard limit, may be anybody's
        words.append(f"ulimit -S -t {seconds}; ulimit -H -t {seconds + 1}")
    if limits.processes is not None:
        count = int(limits.processes)
        words.append(f"ulimit -p {count} 2>/dev/null || ulimit -u {count}")  # dash, then bash
    return "; ".join(words)
