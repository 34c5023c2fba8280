"""A plug-in of pytest: do this project's own run (``benchmarks/itself.py --record FILE``) and this one agree?

    pytest -p tests.agreement --own-run=FILE

With a space pytest would take the file for a test, and its directory for the root, before this plug-in is there.
Each test that both ran must have the same verdict, or this run fails; what one of them skips says nothing.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """The option that names the other run's verdicts."""
    parser.addoption("--own-run", metavar="FILE", help="verdicts that benchmarks/itself.py recorded")


def pytest_configure(config: pytest.Config) -> None:
    """Compare once: in the process that hears of all tests, not in one that pytest-xdist started."""
    file = config.getoption("--own-run")
    if file and not hasattr(config, "workerinput"):
        config.pluginmanager.register(Agreement(Path(file)), "own-run")


class Agreement:
    """Hears every verdict and compares at the end."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._here: dict[str, str] = {}
        self._said: list[str] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Remember the worst of a test's three phases."""
        name = report.nodeid
        if report.failed:
            self._here[name] = "failed"
        elif report.skipped and self._here.get(name) != "failed":
            self._here[name] = "skipped"
        else:
            self._here.setdefault(name, "passed")

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Fail a run that contradicts the other."""
        try:
            own = json.loads(self._file.read_text())
        except (OSError, ValueError):
            self._said = ["this project did not run its own change: there is nothing to compare with"]
            return
        both = [name for name, status in own["cases"].items() if {status, self._here.get(name)} <= {"passed", "failed"}]
        apart = [name for name in both if own["cases"][name] != self._here[name]]
        self._said = [f"{name}: {own['cases'][name]} there, {self._here[name]} here" for name in sorted(apart)]
        if not any(status == "failed" for status in self._here.values()):
            self._said += [f"{task}: failed there, and no test here did: {why}" for task, why in own["mute"].items()]
        if self._said:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED
        self._said.append(_head(own, len(both), len(apart)))

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:  # noqa: ANN401 - pytest keeps its class private
        """Say what was compared."""
        terminalreporter.section("this project's own run")
        for line in self._said:
            terminalreporter.line(line)


def _head(own: dict[str, Any], both: int, apart: int) -> str:
    agree = "the same verdict for each" if not apart else f"{apart} with another verdict"
    run = f"run {own['run']} of {own['base'][:12]}..{(own['head'] or '')[:12]}"
    return f"{run}: {own['state']} after {own['seconds']:.0f} s; {both} tests ran there and here, {agree}"
