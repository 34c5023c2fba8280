"""A private PostgreSQL on a free port, and databases in it."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.require import require


def binary(name: str) -> str:
    """Debian keeps the server's programs off the PATH."""
    found = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    path = str(found[-1]) if found else shutil.which(name)
    if path is None:
        pytest.skip(f"no {name} on this host")
    return path


def unprivileged() -> str | None:
    """Whom to run the server as: it refuses root."""
    if os.geteuid() != 0:
        return None
    names = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"


@contextlib.contextmanager
def postgres_server() -> Iterator[str]:
    """The address of a private server, without a database's name."""
    require("postgres")
    user = unprivileged()
    home = Path(tempfile.mkdtemp(prefix="mo-testplan-pg-"))
    if user:
        shutil.chown(home, user)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    data = str(home / "data")
    subprocess.run(
        [binary("initdb"), "-D", data, "-U", "tester", "--auth=trust", "--no-sync", "--encoding=UTF8", "--locale=C"],
        check=True, capture_output=True, user=user, cwd="/",
    )  # fmt: skip
    options = ("listen_addresses=127.0.0.1", f"port={port}", "unix_socket_directories=", "fsync=off")
    words = [word for option in options for word in ("-c", option)]
    with (
        (home / "log").open("wb") as log,
        subprocess.Popen(
            [binary("postgres"), "-D", data, *words], stdout=log, stderr=log, user=user, cwd="/"
        ) as process,
    ):
        try:
            wait_until_up(port, process)
            yield f"postgresql://tester@127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait(20)
            shutil.rmtree(home)


def wait_until_up(port: int, process: subprocess.Popen[bytes]) -> None:
    import psycopg

    for _ in range(200):
        assert process.poll() is None, "the server ended"
        try:
            psycopg.connect(f"host=127.0.0.1 port={port} user=tester dbname=postgres").close()
        except psycopg.OperationalError:
            time.sleep(0.1)
        else:
            return
    pytest.fail("the server does not come up")


def new_database(server: str) -> str:
    """The address of an empty database."""
    import psycopg

    name = f"t{uuid.uuid4().hex}"
    with psycopg.connect(f"{server}/postgres", autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}".encode())
    return f"{server}/{name}"
