"""A private MariaDB for tests."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from tests.require import require
from workers.bvt.dsn import Dsn, parse_dsn
from workers.bvt.wire import Wire
from workers.servers import ServerProvider, make_server


@contextlib.contextmanager
def mariadb_server() -> Iterator[tuple[ServerProvider, Dsn]]:
    """One that has started, and its address."""
    require("mariadb")
    with contextlib.closing(make_server("mariadb")) as server:
        yield server, parse_dsn(server.start())


def busy_with(wire: Wire, word: str) -> bool:
    """Whether the server executes a statement with ``word`` in it."""
    return any(word.encode() in (row[7] or b"") for row in wire.query("show full processlist").rows)
