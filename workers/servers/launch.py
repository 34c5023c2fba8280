"""Servers started from a command: any that speaks the MySQL protocol, and the embedded one of the demo."""

from __future__ import annotations

import re
import sys
from pathlib import Path, PurePosixPath

from orchestrator.domain.errors import ServerError, UsageError
from workers.bvt.dsn import Dsn, parse_dsn
from workers.servers.base import Launch, Startup
from workers.servers.owned import OwnedServer

_PLACEHOLDER = re.compile(r"\{(port[2-9]?|directory|workspace)\}")


class LaunchedServer(OwnedServer):
    """Runs a command until :meth:`close`."""

    def __init__(self, launch: Launch, dsn: str | None, startup: Startup, *, name: str = "the server") -> None:
        """``dsn`` tells the account: of its address only user and password count."""
        if not launch.command:
            raise UsageError("provider launch has no command", "Write the words that start the server in the profile.")
        given = parse_dsn(dsn) if dsn else Dsn(password="111")  # noqa: S106 - MatrixOne's own default
        super().__init__(name, given.user, given.password, startup)
        self._launch = launch
        self._values = {"port": str(self.dsn.port), "directory": str(self.directory)}
        self._values |= {f"port{number}": str(self.ports.take()) for number in range(2, 10)}
        if launch.workspace is not None:
            self._values["workspace"] = str(launch.workspace)

    def start(self) -> str:
        """Write its files and start it. Raises ServerError, ToolMissingError, CancelledError."""
        try:
            for name, text in self._launch.files.items():
                self._write(PurePosixPath(name), self._filled(text))
            argv = self._launch.wrap(tuple(map(self._filled, self._launch.command)), self.directory)
        except BaseException:
            self.close()
            raise
        return self.launch(argv, self._environment())

    def _filled(self, text: str) -> str:
        return _PLACEHOLDER.sub(lambda found: self._values.get(found[1], found[0]), text)

    def _write(self, name: PurePosixPath, text: str) -> None:
        if name.is_absolute() or ".." in name.parts:
            raise UsageError(f"the server's file {str(name)!r} leaves its directory", "Name it like etc/server.toml.")
        path = self.directory / name
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        except OSError as error:
            raise ServerError(f"{path} could not be written: {error.strerror}", "Is the disk full?") from error

    def _environment(self) -> dict[str, str]:
        home = str(self.directory)
        return {"PATH": "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin", "HOME": home, "TMPDIR": home, "LANG": "C.UTF-8"}


def embedded_server(startup: Startup) -> LaunchedServer:
    """DuckDB behind the MySQL protocol, as a process of its own."""
    root = Path(__file__).resolve().parents[2]
    command = (sys.executable, "-P", "-c", _BOOT % str(root), "{port}")
    return LaunchedServer(Launch(command), "mysql://dump:111@127.0.0.1", startup, name="the embedded server")


#: The package may not be installed in the private environment of the server: say where it is.
_BOOT = "import sys; sys.path.insert(0, %r); from workers.servers.embedded import main; sys.exit(main(sys.argv[1:]))"
