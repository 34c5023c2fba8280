"""Seconds from a cancel in mid-statement until the run has ended, its statement killed and its databases dropped."""

from __future__ import annotations

import tempfile
import threading
import time
from contextlib import suppress
from pathlib import Path

from benchmarks.bvt.alone import Seen
from benchmarks.rig.waiting import seconds_until
from orchestrator.domain.errors import CancelledError
from workers.bvt.dsn import parse_dsn
from workers.bvt.execute import Options
from workers.bvt.runner import Case, Runner
from workers.bvt.session import open_wire
from workers.bvt.wire import Wire
from workers.servers import make_server

_SQL = "create database made_here;\nselect sleep(60);\n"


def seconds_to_cancel(rounds: int) -> list[float]:
    """One figure a round, on a private MariaDB."""
    server = make_server("mariadb")
    try:
        dsn = parse_dsn(server.start())
        with tempfile.TemporaryDirectory() as folder:
            case = Case(Path(folder, "c.sql"), "c.sql", Path(folder))
            case.file.write_text(_SQL, "utf-8")
            case.file.with_suffix(".result").write_text(_SQL, "utf-8")
            admin = open_wire(dsn)
            figures = []
            for _ in range(rounds):
                stop = threading.Event()
                runner = Runner(dsn, Options(), Seen(), stop)
                thread = threading.Thread(target=_run, args=(runner, case))
                thread.start()
                seconds_until(lambda: _sleeps(admin), "the statement runs")
                asked = time.monotonic()
                stop.set()
                thread.join()
                figures.append(time.monotonic() - asked)
            admin.close()
        return figures
    finally:
        server.close()


def _sleeps(admin: Wire) -> bool:
    return any(b"sleep(60)" in (row[7] or b"") for row in admin.query("SHOW PROCESSLIST").rows)


def _run(runner: Runner, case: Case) -> None:
    with suppress(CancelledError), runner:
        runner.run(case)
