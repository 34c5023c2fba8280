"""A private MariaDB (or MySQL-compatible ``mariadbd``): own port, own data directory, one account, gone at the end."""

from __future__ import annotations

import os
import shutil
from collections import deque
from pathlib import Path

from orchestrator.domain.errors import CancelledError, ServerError, ToolMissingError
from workers.process import Command, Reason, run
from workers.servers.base import Startup, Wrap, as_it_is
from workers.servers.owned import OwnedServer

#: The account mo-tester uses by default (mo.yml).
USER, PASSWORD = "dump", "111"
#: Character set, collation and mode of the reference runs; durability is of no use to a server that is thrown away.
SETTINGS = (
    "--character-set-server=utf8mb4",
    "--collation-server=utf8mb4_general_ci",
    "--sql-mode=",
    "--bind-address=127.0.0.1",
    "--innodb-flush-log-at-trx-commit=0",
    "--innodb-log-file-size=16M",
    "--innodb-doublewrite=0",
    "--sync-frm=0",
)
_INSTALL_TIMEOUT = 120.0
_PATH = "/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin"


class MariaDb(OwnedServer):
    """A :class:`workers.servers.base.ServerProvider`."""

    def __init__(self, startup: Startup, wrap: Wrap = as_it_is) -> None:
        """``wrap``: scripts may have the server read and write any file that it can."""
        super().__init__("MariaDB", USER, PASSWORD, startup)
        self._wrap = wrap

    def start(self) -> str:
        """Make a data directory and start. Raises ServerError, ToolMissingError, CancelledError."""
        try:
            server, install = _program("mariadbd", "mysqld"), _program("mariadb-install-db", "mysql_install_db")
            self._install(install)
        except BaseException:
            self.close()
            raise
        grants = "".join(map(_account, ("localhost", "127.0.0.1", "%")))
        (self.directory / "init.sql").write_text(grants, encoding="utf-8")
        argv = (
            server,
            "--no-defaults",
            *_user(),
            f"--datadir={self.directory / 'data'}",
            "--socket=",  # none: clients come by TCP, and a path of more than 107 bytes would end the server
            f"--pid-file={self.directory / 'pid'}",
            f"--port={self.dsn.port}",
            f"--init-file={self.directory / 'init.sql'}",
            *SETTINGS,
        )
        try:
            words = self._wrap(argv, self.directory)
        except BaseException:
            self.close()
            raise
        return self.launch(words, self._environment())

    def _install(self, program: str) -> None:
        argv = (
            program,
            "--no-defaults",
            f"--datadir={self.directory / 'data'}",
            "--auth-root-authentication-method=normal",
            "--skip-test-db",
            "--innodb-log-file-size=16M",
            *_user(),
        )
        said: deque[str] = deque(maxlen=40)
        command = Command(argv=argv, cwd=self.directory, env=self._environment(), timeout=_INSTALL_TIMEOUT)
        done = run(command, lambda _, line: said.append(line[:1000]), self._startup.cancelled)
        if done.reason is Reason.CANCELLED:
            raise CancelledError("cancelled while MariaDB's data directory was made")
        if not done.passed:
            why = done.words if done.reason is Reason.EXITED else done.stopped(_INSTALL_TIMEOUT)
            raise ServerError(f"MariaDB's data directory could not be made: {why}", "\n".join(said))

    def _environment(self) -> dict[str, str]:
        return {
            "PATH": _PATH,
            "HOME": str(self.directory),
            "TMPDIR": str(self.directory),
            "LANG": "C.UTF-8",
            "TZ": "UTC",
        }


def _program(*names: str) -> str:
    """The first of ``names`` on this host. Raises ToolMissingError."""
    for name in names:
        if (found := shutil.which(name, path=_PATH)) is not None:
            return str(Path(found))
    raise ToolMissingError(f"{names[0]} is not on this host", "Install it (Debian: apt-get install mariadb-server).")


def _account(host: str) -> str:
    name = f"'{USER}'@'{host}'"
    return (
        f"CREATE USER IF NOT EXISTS {name} IDENTIFIED BY '{PASSWORD}';\n"
        f"GRANT ALL PRIVILEGES ON *.* TO {name} WITH GRANT OPTION;\n"
    )


def _user() -> tuple[str, ...]:
    """MariaDB does not run as root unless it is told that it may. Another uid need not have a name (containers)."""
    return ("--user=root",) if os.geteuid() == 0 else ()
