"""Servers started from a command: any that speaks the MySQL protocol, and the embedded one of the demo."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from orchestrator.domain.errors import UsageError
from workers.bvt.dsn import DEFAULT_PORT, Dsn, parse_dsn
from workers.servers.base import Startup
from workers.servers.owned import OwnedServer, free_port

PORT, DIRECTORY = "{port}", "{directory}"


class LaunchedServer(OwnedServer):
    """Runs a command with placeholders.

    ``{port}`` is a free port, ``{port2}`` … ``{port9}`` further ones, ``{directory}`` a private directory.
    """

    def __init__(self, command: Sequence[str], dsn: str | None, startup: Startup, *, name: str = "the server") -> None:
        if not command:
            raise UsageError("provider launch has no command", "Write the words that start the server in the profile.")
        given = parse_dsn(dsn) if dsn else Dsn(password="111", port=DEFAULT_PORT)  # noqa: S106 - MatrixOne's own default
        address = Dsn(port=free_port(), user=given.user, password=given.password)
        super().__init__(name, address, startup)
        self._command = tuple(command)

    def start(self) -> str:
        """Start it. Raises ServerError, ToolMissingError, CancelledError."""
        words = {PORT: str(self.dsn.port), DIRECTORY: str(self.directory)}
        words |= {f"{{port{number}}}": str(free_port()) for number in range(2, 10)}
        argv = []
        for word in self._command:
            for name, value in words.items():
                word = word.replace(name, value)  # noqa: PLW2901 - one replacement after the other
            argv.append(word)
        return self.launch(argv, self._environment())

    def _environment(self) -> dict[str, str]:
        home = str(self.directory)
        return {"PATH": "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin", "HOME": home, "TMPDIR": home, "LANG": "C.UTF-8"}


def embedded_server(startup: Startup) -> LaunchedServer:
    """DuckDB behind the MySQL protocol, as a process of its own."""
    root = Path(__file__).resolve().parents[2]
    command = (sys.executable, "-P", "-c", _BOOT % str(root), PORT)
    return LaunchedServer(command, "mysql://dump:111@127.0.0.1", startup, name="the embedded server")


#: The package may not be installed in the private environment of the server: say where it is.
_BOOT = "import sys; sys.path.insert(0, %r); from workers.servers.embedded import main; sys.exit(main(sys.argv[1:]))"
