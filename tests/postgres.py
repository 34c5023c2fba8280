"""A private PostgreSQL for tests, and databases in it."""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Iterator

from benchmarks.rig.postgres import postgres
from tests.require import require


@contextlib.contextmanager
def postgres_server() -> Iterator[str]:
    """The address of a private server, without a database's name."""
    require("postgres", "psycopg")
    with postgres() as address:
        yield address


def new_database(server: str) -> str:
    """The address of an empty database."""
    import psycopg

    name = f"t{uuid.uuid4().hex}"
    with psycopg.connect(f"{server}/postgres", autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}".encode())
    return f"{server}/{name}"
