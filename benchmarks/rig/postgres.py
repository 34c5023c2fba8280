"""A private PostgreSQL server."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from workers.servers.owned import free_port

_UP_SECONDS = 30.0


def binary(name: str) -> str | None:
    """A program of PostgreSQL; Debian keeps the server's off the PATH. ``None`` where there is none."""
    found = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    return str(found[-1]) if found else shutil.which(name)


def unprivileged() -> str | None:
    """Whom to run the server as: it refuses root."""
    if os.geteuid() != 0:
        return None
    names = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"


def works() -> bool:
    """Whether a server can be started: it is there, this uid has a name, and temporary files are in its user's reach.

    A directory for temporary files that only root enters, as those of a run's tests are, is not.
    """
    if binary("initdb") is None or binary("postgres") is None:
        return False
    try:
        pwd.getpwuid(os.geteuid())
        reached = subprocess.run(["test", "-x", tempfile.gettempdir()], user=unprivileged(), cwd="/", check=False)
    except (KeyError, OSError):  # a uid without a name; a sandbox in which nobody becomes somebody else
        return False
    return reached.returncode == 0


@contextlib.contextmanager
def postgres() -> Iterator[str]:
    """Start a server on a free port of the loopback: its address without a database's name.

    :raises FileNotFoundError: there is no PostgreSQL on this host.
    """
    initdb, server = binary("initdb"), binary("postgres")
    if initdb is None or server is None:
        raise FileNotFoundError("PostgreSQL is not installed on this host")
    user = unprivileged()
    home = Path(tempfile.mkdtemp(prefix="mo-testplan-pg-"))
    if user:
        shutil.chown(home, user)
    port = free_port()
    data = str(home / "data")
    words = [initdb, "-D", data, "-U", "tester", "--auth=trust", "--no-sync", "--encoding=UTF8", "--locale=C"]
    subprocess.run(words, check=True, capture_output=True, user=user, cwd="/")
    options = ("listen_addresses=127.0.0.1", f"port={port}", "unix_socket_directories=", "fsync=off")
    words = [server, "-D", data, *(word for option in options for word in ("-c", option))]
    with (
        (home / "log").open("wb") as log,
        subprocess.Popen(words, stdout=log, stderr=log, user=user, cwd="/") as process,
    ):
        try:
            _wait(port, process)
            yield f"postgresql://tester@127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait(20)
            shutil.rmtree(home)


def _wait(port: int, process: subprocess.Popen[bytes]) -> None:
    import psycopg

    end = time.monotonic() + _UP_SECONDS
    while True:
        if process.poll() is not None:
            raise RuntimeError("the PostgreSQL server ended by itself")
        try:
            psycopg.connect(f"host=127.0.0.1 port={port} user=tester dbname=postgres").close()
        except psycopg.OperationalError:
            if time.monotonic() > end:
                raise
            time.sleep(0.1)
        else:
            return
