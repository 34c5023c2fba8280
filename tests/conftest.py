"""Fixtures every tier may use."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.require import PROBES, promised, require

# No test is judged by the clock; what decides whether a change lands looks at the same examples each time.
settings.register_profile(
    "steady", deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize="CI" in os.environ
)
settings.load_profile("steady")

#: What tests are told from outside, and what the hosts that they start are: a warm build cache saves most of a minute.
HEARD = {"MO_TESTPLAN_REQUIRE", "MO_TESTPLAN_SHARED", "MO_TESTPLAN_FIGURES"}
PASSED_ON = {"MO_TESTPLAN_GOCACHE_SEED"}
# Else a test says itself what it needs to be told: what the shell of an operator, or a hook of git, says is not for it.
for _name in tuple(os.environ):
    if _name.startswith(("MO_TESTPLAN_", "GIT_")) and _name not in HEARD | PASSED_ON:
        del os.environ[_name]
# Nor is what a user or a host has set up for git: signing, hooks, line ends.
os.environ.update(GIT_CONFIG_GLOBAL=os.devnull, GIT_CONFIG_NOSYSTEM="1")

# Tests that were started in the background (`&` in a script) ignore Ctrl-C, and what they start would, too.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN and threading.current_thread() is threading.main_thread():
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_configure() -> None:
    """A promise that no test asks for is a slip of the pen."""
    if unknown := promised() - PROBES.keys():
        raise pytest.UsageError(f"MO_TESTPLAN_REQUIRE names {', '.join(sorted(unknown))}; there is {', '.join(PROBES)}")


@pytest.fixture
def root() -> None:
    """For tests that give files away, or start programs under other uids."""
    require("root")


@pytest.fixture(scope="session")
def valkey_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A real embedded server for the whole session, on a Unix socket."""
    require("valkey")
    from orchestrator.ledger.embedded import EmbeddedRedis

    folder: Path = tmp_path_factory.mktemp("valkey")
    with EmbeddedRedis(folder) as server:
        yield server.url
