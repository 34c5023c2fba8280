"""A plug-in of pytest, copied beside the tests: tells each start, report and end as it happens, as JSON.

It runs in the interpreter of the tests, whatever is installed there: the standard library only. Where the lines go is
pytest's standard error as it was before pytest captured it. Hooks: docs.pytest.org, "API reference", since pytest 6.
"""

from __future__ import annotations

import json
import os
import select
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

#: Environment variable: the paths to collect, as JSON, if these are not all that pytest is given.
ONLY = "MO_TESTPLAN_ONLY"
#: Before each line; then ``+`` when the JSON goes on in the next of these lines, ``.`` when it ends here.
MARK = "\x1emo-testplan "
#: Characters of a reason and of a traceback.
REASON, TEXT = 2000, 8000
#: Characters of JSON in a line. A pipe takes so much whole, whoever else writes to it (pipe(7), PIPE_BUF).
PIECE = 4000

_ERROR_OUTPUT = os.dup(2)


def pytest_load_initial_conftests() -> None:
    """Pytest is here, and runs no code of the tree before this."""
    _tell("begin", "")


def pytest_configure(config: Any) -> None:  # noqa: ANN401 - pytest may be missing where this is only copied
    """Tell, unless this is one of pytest-xdist's workers: their master hears all of it."""
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(Teller(), "mo-testplan-teller")
        _tell_of_leaving(os.getpid(), os._exit)
        _tell_of_killing(os.getpid(), os.kill, os.killpg)
    if only := os.environ.get(ONLY):
        config.pluginmanager.register(Chooser(json.loads(only)), "mo-testplan-chooser")


def _tell_of_leaving(process: int, leave: Callable[[int], NoReturn]) -> None:
    """Tell of ``os._exit``: from outside, its status 137 and the kernel's kill look alike."""

    def told(status: int) -> NoReturn:
        if os.getpid() == process:
            _tell("left", "")
        leave(status)

    os._exit = told


def _tell_of_killing(process: int, kill: Callable[[int, int], None], killpg: Callable[[int, int], None]) -> None:
    """Tell of ``os.kill`` and ``os.killpg`` with SIGKILL that end this process itself, for the same reason."""

    def tell(number: int, *, ends: bool) -> None:
        if ends and number == signal.SIGKILL and os.getpid() == process:
            _tell("left", "")

    def told(pid: int, number: int, /) -> None:
        tell(number, ends=pid in (process, 0, -os.getpgrp()))
        kill(pid, number)

    def group_told(group: int, number: int, /) -> None:
        tell(number, ends=group in (0, os.getpgrp()))
        killpg(group, number)

    os.kill, os.killpg = told, group_told


class Chooser:
    """Collects these paths alone, which pytest takes for other things when it is given them as words."""

    def __init__(self, paths: list[str]) -> None:
        self._paths = [Path(path).resolve() for path in paths]

    def pytest_ignore_collect(self, collection_path: Path) -> bool | None:
        """Leave out what neither holds one of them nor lies in one."""
        near = (path in (collection_path, *collection_path.parents) for path in self._paths)
        above = (collection_path in path.parents for path in self._paths)
        return None if any(near) or any(above) else True


class Teller:
    """Passes on what pytest reports."""

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        """A test begins."""
        _tell("start", nodeid)

    def pytest_runtest_logreport(self, report: Any) -> None:  # noqa: ANN401
        """One of its phases ended; what is no failure of a subtest says nothing of the test."""
        if hasattr(report, "context") and report.outcome != "failed":
            return
        _tell("report", report.nodeid, **_outcome(report), seconds=report.duration, when=report.when)
        if report.when not in ("setup", "call", "teardown"):  # it took its worker of pytest-xdist with it
            _tell("end", report.nodeid)

    def pytest_runtest_logfinish(self, nodeid: str) -> None:
        """All of them did."""
        _tell("end", nodeid)

    def pytest_collectreport(self, report: Any) -> None:  # noqa: ANN401
        """A file was looked at; one that is as it should be is nothing to tell."""
        if not report.passed:
            _tell("collect", report.nodeid, **_outcome(report))

    def pytest_internalerror(self, excrepr: Any) -> None:  # noqa: ANN401
        """Something outside of all tests raised: a hook of a ``conftest.py``, ``sys.exit`` of a module."""
        _tell("error", "", text=str(excrepr)[-TEXT:])

    def pytest_sessionfinish(self) -> None:
        """Pytest is through: an end before this is not one of its own."""
        _tell("through", "")


def _outcome(report: Any) -> dict[str, str]:  # noqa: ANN401
    found = report.longrepr
    if report.outcome == "passed":
        return {"outcome": "passed"}
    if hasattr(report, "wasxfail") and report.outcome == "skipped":
        return {"outcome": "skipped", "reason": report.wasxfail.removeprefix("reason: ")[:REASON]}
    if report.outcome == "skipped" and isinstance(found, tuple):
        return {"outcome": "skipped", "reason": str(found[2]).removeprefix("Skipped: ")[:REASON]}
    crash = getattr(found, "reprcrash", None)
    text = str(found)
    reason = text if crash is None else str(crash.message)
    return {"outcome": str(report.outcome), "reason": reason[:REASON], "text": text[-TEXT:]}


def _tell(event: str, node: str, **more: Any) -> None:  # noqa: ANN401
    """In lines with a line end before each, too: a test may have left half a one."""
    text = json.dumps({"event": event, "node": node[:REASON], **more})
    for start in range(0, len(text), PIECE):
        sign = "+" if start + PIECE < len(text) else "."
        _write(f"\n{MARK}{sign}{text[start : start + PIECE]}\n".encode("ascii"))


def _write(data: bytes) -> None:
    while data:
        try:
            data = data[os.write(_ERROR_OUTPUT, data) :]
        except BlockingIOError:  # a test made the pipe so, for all who have it
            select.select([], [_ERROR_OUTPUT], [])
