"""The store on a real PostgreSQL: the same promises as on SQLite, with other processes on the line."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import threading
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from orchestrator.domain.errors import InfrastructureError
from orchestrator.store import Store
from tests.require import require
from tests.unit.store.contract import StoreContract, plan
from tests.unit.store.factories import make_message, make_summary


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


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
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


@pytest.fixture
def url(server: str) -> str:
    import psycopg

    name = f"t{uuid.uuid4().hex}"
    with psycopg.connect(f"{server}/postgres", autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}".encode())
    return f"{server}/{name}"


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    with Store(url) as store:
        yield store


class TestPostgresStore(StoreContract):
    pass


def test_programs_meeting_an_empty_database_lay_it_out_once(url: str) -> None:
    barrier = threading.Barrier(6)

    def open_it(n: int) -> None:
        barrier.wait()
        with Store(url) as store:
            plan(store, f"r-{n}")

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(open_it, range(6)))
    with Store(url) as store:
        assert len(store.runs(100)) == 6


def test_of_two_control_processes_one_commits(url: str) -> None:
    with Store(url) as one, Store(url) as other:
        barrier = threading.Barrier(2)

        def commit(store: Store) -> bool:
            barrier.wait()
            return store.commit_run(make_summary(), [make_message()])

        with ThreadPoolExecutor(2) as pool:
            assert sorted(pool.map(commit, (one, other))) == [False, True]
        assert len(one.outbox()) == 1


def test_a_lost_connection_is_made_again(store: Store, server: str) -> None:
    import psycopg

    plan(store)
    with psycopg.connect(f"{server}/postgres", autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename='tester' AND pid<>pg_backend_pid()"
        )
    assert store.run("r-0001") is not None


def test_a_missing_database_says_what_to_do(server: str) -> None:
    with pytest.raises(InfrastructureError, match=r"does not exist\n.*Create the database"):
        Store(f"{server}/none")
