"""Provider ``dsn``: a server that runs anyway. Shards take turns, since cases share names."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import tempfile
import time
from pathlib import Path
from typing import IO

from orchestrator.domain.errors import CancelledError, ServerError
from workers.bvt.dsn import Dsn, parse_dsn
from workers.bvt.session import open_wire
from workers.bvt.wire import ConnectionLostError, ServerFaultError, Wire
from workers.servers.base import Startup

_LOCK = "mo-testplan-bvt"
#: Seconds between two tries at the lock of a file.
_POLL = 0.2


class SharedServer:
    """A :class:`workers.servers.base.ServerProvider` for an address."""

    def __init__(self, dsn: str | None, startup: Startup) -> None:
        if not dsn:
            raise ServerError(
                "no server address for the SQL cases", "Set MO_TESTPLAN_BVT_DSN, or bvt.server.dsn in the profile."
            )
        self._dsn: Dsn = parse_dsn(dsn)
        self._startup = startup
        self._wire: Wire | None = None
        self._file: IO[bytes] | None = None

    def start(self) -> str:
        """Wait for the server, then for our turn. Raises ServerError, CancelledError."""
        self._wire = self._connect()
        try:
            if not self._locked_on_server(self._wire):
                self._lock_file()
        except BaseException:
            self.close()
            raise
        return str(self._dsn)

    def reset(self) -> None:
        """Nothing: what is on this server may be anybody's."""

    def close(self) -> None:
        """Let the next one have its turn; safe to call twice."""
        wire, self._wire = self._wire, None
        if wire is not None:
            wire.close()  # its lock goes with it
        file, self._file = self._file, None
        if file is not None:
            file.close()

    def log_tail(self, lines: int = 40) -> str:
        """We do not see this server's log."""
        return ""

    def _connect(self) -> Wire:
        deadline = time.monotonic() + self._startup.timeout
        while True:
            try:
                return open_wire(self._dsn)
            except ServerFaultError as error:
                raise ServerError(
                    f"{self._dsn.place} refuses the account {self._dsn.user!r}: {error.message}",
                    "Check user and password.",
                ) from error
            except ServerError:
                if time.monotonic() + 1.0 > deadline:
                    raise
            self._pause(1.0)

    def _locked_on_server(self, wire: Wire) -> bool:
        """Take turns with other hosts too, where the server knows named locks."""
        said = False
        while True:
            try:
                rows = wire.query(f"SELECT GET_LOCK('{_LOCK}', 1)", timeout=10.0).rows
            except (ServerFaultError, ConnectionLostError):
                return False
            if not rows or rows[0][0] is None:
                return False
            if rows[0][0] == b"1":
                return True
            if not said:
                self._startup.log(f"another shard is using {self._dsn.place}: waiting for our turn")
                said = True
            self._pause(0.0)

    def _lock_file(self) -> None:
        name = hashlib.sha256(self._dsn.place.encode()).hexdigest()[:16]
        path = Path(tempfile.gettempdir(), f"{_LOCK}-{name}.lock")
        try:
            self._file = os.fdopen(_lock_of(path), "rb")
        except OSError as error:
            raise ServerError(
                f"the lock of the server {self._dsn.place} cannot be had: {path}: {error.strerror}",
                "Remove that file when it is not a worker's.",
            ) from error
        while True:
            with contextlib.suppress(BlockingIOError):
                fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return
            self._pause(_POLL)

    def _pause(self, seconds: float) -> None:
        if self._startup.cancelled():
            raise CancelledError("cancelled while waiting for the server")
        time.sleep(seconds)


def _lock_of(path: Path) -> int:
    """A file to lock, in a folder where anybody may make one: workers of other users take turns, too."""
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK
    with contextlib.suppress(FileExistsError):
        file = os.open(path, flags | os.O_CREAT | os.O_EXCL)
        os.fchmod(file, 0o644)  # whatever the umask: others only read it
        return file
    return os.open(path, flags)
