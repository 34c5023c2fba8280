"""The real mo-tester as a peer: its jars, its configuration for one server, its reports.

MO_TESTER names a checkout of matrixorigin/mo-tester; only its ``lib`` is used. Java 8 or newer must be on the PATH.
"""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from benchmarks.promised.measure import environment
from orchestrator.cases.sql.words import SYSTEM_DATABASES
from workers.bvt.dsn import Dsn

#: What run.sh of mo-tester gives the Java machine.
JAVA = ("java", "-Xms1024M", "-Xmx1024M")
#: A line of report.txt: a script, or SUMMARY, and how many commands it has.
_TOTAL = re.compile(r"^\[(.*?)\] COST :.*?TOTAL :(\d+)", re.MULTILINE)
_FAILED = re.compile(r"^\[SCRIPT   FILE\]: (.*)\n\[ROW    NUMBER\]: (\d+)$", re.MULTILINE)


class Used(NamedTuple):
    """What a process cost."""

    seconds: float
    #: Peak of resident memory, in MB.
    megabytes: float
    exit_code: int | None
    #: Seconds of processor time, of it and its children.
    cpu: float = 0.0


@dataclass
class Answered:
    """What mo-tester said of a run: how many commands, and by script the lines of those that did not pass."""

    used: Used
    #: Commands in all; None when it made no report.
    total: int | None = None
    totals: dict[str, int] = field(default_factory=dict)
    rows: dict[str, list[int]] = field(default_factory=dict)
    #: The end of its log, when it made no report.
    said: str = ""


def jars() -> Path:
    """The directory of mo-tester's jars. Raises MissingError."""
    return Path(environment("MO_TESTER"), "lib").resolve()


def run_measured(
    command: Sequence[str],
    *,
    cwd: Path,
    log: Path = Path(os.devnull),
    timeout: float = 3600.0,
    env: dict[str, str] | None = None,
) -> Used:
    """Run ``command`` with its output in ``log``; exit code None when it had to be killed after ``timeout`` seconds."""
    started = time.monotonic()
    with log.open("wb") as out:
        process = subprocess.Popen(command, cwd=cwd, stdin=subprocess.DEVNULL, stdout=out, stderr=out, env=env)
        killed = False
        while True:
            pid, status, usage = os.wait4(process.pid, os.WNOHANG)
            if pid:
                break
            if not killed and time.monotonic() - started > timeout:
                process.kill()
                killed = True
            time.sleep(0.005)
    process.returncode = os.waitstatus_to_exitcode(status)
    code = None if killed else process.returncode
    return Used(time.monotonic() - started, usage.ru_maxrss / 1024, code, usage.ru_utime + usage.ru_stime)


class MoTester:
    """mo-tester for one server; a context manager that owns a working directory."""

    def __init__(self, dsn: Dsn) -> None:
        self.lib = jars()
        self._folder = tempfile.TemporaryDirectory()
        self.home = Path(self._folder.name)
        self._configure(dsn)

    def __enter__(self) -> MoTester:
        return self

    def __exit__(self, *_: object) -> None:
        self._folder.cleanup()

    def run(self, base: Path, *words: str, timeout: float = 3600.0) -> Answered:
        """``words`` are mo-tester's arguments; paths in them are taken from ``base``."""
        report = self.home / "report"
        for name in ("report.txt", "error.txt"):
            with suppress(FileNotFoundError):
                (report / name).unlink()
        self._link(base)
        log = self.home / "log.txt"
        command = [*JAVA, "-Dfile.encoding=UTF-8", "-cp", f"{self.home}:{self.lib}/*", "io.mo.Tester", *words]
        env = {**os.environ, "LC_ALL": "C.UTF-8"}
        answered = Answered(run_measured(command, cwd=self.home, log=log, timeout=timeout, env=env))
        try:
            text = (report / "report.txt").read_text("utf-8", "replace")
            errors = (report / "error.txt").read_text("utf-8", "replace")
        except FileNotFoundError:
            answered.said = "\n".join(log.read_text("utf-8", "replace").splitlines()[-8:])
            return answered
        answered.totals = {path: int(total) for path, total in _TOTAL.findall(text)}
        answered.total = answered.totals.pop("SUMMARY", None)
        for path, line in _FAILED.findall(errors):
            answered.rows.setdefault(path, []).append(int(line))
        return answered

    def _link(self, base: Path) -> None:
        """mo-tester reads its configuration where it runs: put what is in ``base`` there, too."""
        for old in filter(Path.is_symlink, list(self.home.iterdir())):
            old.unlink()
        for entry in base.iterdir():
            (self.home / entry.name).symlink_to(entry)

    def _configure(self, dsn: Dsn) -> None:
        source = self.lib.parent
        mo = (source / "mo.yml").read_text("utf-8").replace("127.0.0.1:6001", f"{dsn.host}:{dsn.port}")
        mo = mo.replace('name: "dump"', f'name: "{dsn.user}"').replace('sysuser: "dump"', f'sysuser: "{dsn.user}"')
        mo = mo.replace('password: "111"', f'password: "{dsn.password}"')
        mo = mo.replace('syspass: "111"', f'syspass: "{dsn.password}"')
        (self.home / "mo.yml").write_text(mo, "utf-8")
        run = (source / "run.yml").read_text("utf-8")
        builtin = f"builtindb: {','.join(sorted(SYSTEM_DATABASES))}"
        (self.home / "run.yml").write_text(re.sub(r"^builtindb:.*$", builtin, run, flags=re.M), "utf-8")
        (self.home / "log4j.properties").write_text((source / "log4j.properties").read_text("utf-8"), "utf-8")
