"""A server process of our own: started, waited for, and gone with us, even when we are killed."""

from __future__ import annotations

import contextlib
import errno
import os
import selectors
import socket
import tempfile
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path

from orchestrator.domain.errors import CancelledError, MoTestplanError, ServerError
from workers.bvt.dsn import Dsn
from workers.bvt.guard import Guard
from workers.bvt.session import Sessions, open_wire
from workers.bvt.wire import ServerFaultError
from workers.process.group import Group
from workers.process.model import Command
from workers.process.scratch import remove_tree
from workers.servers.base import Startup

_POLL = 0.05
_KEPT_LINES = 400
#: Ports that are looked at before none is free.
_TRIES = 1000
_PREFIX = "mo-testplan-server-"


class OwnedServer:
    """Runs ``argv`` in a private directory until :meth:`close`; answers count as up."""

    def __init__(self, name: str, user: str, password: str, startup: Startup) -> None:
        self.name = name
        self.ports = Ports()
        self.dsn = Dsn(port=self.ports.take(), user=user, password=password)
        self.directory = make_directory()
        self._startup = startup
        self._group: Group | None = None
        self._tail: _Tail | None = None

    def launch(self, argv: Sequence[str], environment: dict[str, str]) -> str:
        """Start and wait; returns the address. Raises ServerError, CancelledError, ToolMissingError."""
        command = Command(argv=tuple(argv), cwd=self.directory, env=environment, timeout=self._startup.timeout)
        try:
            self._group = Group(command, lingers=True)
            self._tail = _Tail(self._group, self._startup.log)
            self._wait()
        except BaseException:
            self.close()
            raise
        return str(self.dsn)

    def reset(self) -> None:
        """Drop every database but the server's own."""
        sessions = Sessions(self.dsn)
        try:
            Guard(sessions, allow_drops=True).drop_databases(sessions.system())
        finally:
            sessions.close()

    def close(self) -> None:
        """Kill the server and remove its directory; safe to call twice."""
        group, self._group = self._group, None
        if group is not None:
            if self._tail is not None:
                self._tail.stop()
            group.close()
        self.ports.close()
        remove_tree(self.directory)

    def log_tail(self, lines: int = 40) -> str:
        """The last lines the server wrote."""
        return self._tail.last(lines) if self._tail else ""

    def _wait(self) -> None:
        deadline = time.monotonic() + self._startup.timeout
        why = ""
        asked: _Question | None = None
        while time.monotonic() < deadline:
            if self._startup.cancelled():
                raise CancelledError(f"cancelled while {self.name} was starting")
            if self._group is not None and self._group.exited():
                time.sleep(_POLL)  # its last words
                raise self._error("ended before it answered", why)
            asked = asked or _Question(self.dsn)
            asked.join(_POLL)
            if asked.is_alive():
                continue
            if asked.answered:
                return
            why, asked = asked.why, None
            time.sleep(_POLL)
        raise self._error(f"did not answer within {self._startup.timeout:g} s", why)

    def _error(self, what: str, why: str) -> ServerError:
        tail = self.log_tail() or "(it wrote no log)"
        return ServerError(f"{self.name} {what}{': ' + why if why else ''}", f"Its log ends:\n{tail}")


class _Question(threading.Thread):
    """Asks whether a server is up. It may be built from a pull request: answer byte by byte it may, and we not wait."""

    def __init__(self, dsn: Dsn) -> None:
        super().__init__(name="server-up", daemon=True)
        self._dsn = dsn
        self.answered = False
        #: Why it is not, as far as it was told.
        self.why = ""
        self.start()

    def run(self) -> None:
        """Connect; it ends with the server at the latest."""
        try:
            open_wire(self._dsn, timeout=5.0).close()
            self.answered = True
        except (ServerError, ServerFaultError) as error:
            self.why = str(error).split("\n")[0]


class _Tail:
    """Reads what a server writes, so that it never waits for us, and keeps the end of it."""

    def __init__(self, group: Group, log: Callable[[str], None]) -> None:
        self._lines: deque[str] = deque(maxlen=_KEPT_LINES)
        self._log = log
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._read, args=(group.pipes,), name="server-log", daemon=True)
        self._thread.start()

    def last(self, lines: int) -> str:
        """The last ``lines`` lines."""
        return "\n".join(list(self._lines)[-lines:])

    def stop(self) -> None:
        """Read no further."""
        self._over.set()
        self._thread.join()

    def _read(self, pipes: tuple[int, int]) -> None:
        selector = selectors.DefaultSelector()
        rest = dict.fromkeys(pipes, b"")
        for pipe in pipes:
            selector.register(pipe, selectors.EVENT_READ)
        while not self._over.is_set() and selector.get_map():
            for key, _ in selector.select(0.1):
                chunk = self._chunk(key.fd)
                if not chunk:
                    selector.unregister(key.fd)
                *whole, rest[key.fd] = (rest[key.fd] + chunk)[-65536:].split(b"\n")
                for line in whole:
                    self._take(line)
        selector.close()

    def _chunk(self, pipe: int) -> bytes:
        try:
            return os.read(pipe, 65536)
        except OSError:
            return b""

    def _take(self, line: bytes) -> None:
        text = line.decode("utf-8", "replace").rstrip("\r")
        self._lines.append(text)
        with contextlib.suppress(MoTestplanError):  # a log that cannot be kept must not keep the server waiting
            self._log(text)


def make_directory() -> Path:
    """A private directory; those whose makers died without removing them go first."""
    base = Path(tempfile.gettempdir())
    for old in base.glob(f"{_PREFIX}*"):
        pid = old.name.removeprefix(_PREFIX).split("-")[0]
        with contextlib.suppress(OSError):
            if pid.isdigit() and not Path("/proc", pid).exists() and old.stat().st_uid == os.getuid():
                remove_tree(old)
    return Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-"))


class Ports:
    """Free TCP ports that no other server of this host is given before :meth:`close`: it would be taken for this one.

    A claim is a name in the abstract namespace of Unix sockets (``unix(7)``), which goes with its process.
    """

    def __init__(self) -> None:
        self._claims: list[socket.socket] = []

    def take(self) -> int:
        """A port that nobody listens on, and that is ours."""
        for _ in range(_TRIES):
            port, claim = free_port(), socket.socket(socket.AF_UNIX)
            try:
                claim.bind(f"\0{_PREFIX}{port}")
            except OSError as error:
                claim.close()
                if error.errno != errno.EADDRINUSE:
                    raise
                continue
            self._claims.append(claim)
            return port
        raise ServerError("no TCP port of this host is free for a SQL server", "See what listens: ss -ltnp.")

    def close(self) -> None:
        """Give them back; safe to call twice."""
        while self._claims:
            self._claims.pop().close()


def free_port() -> int:
    """A TCP port of the loopback nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
