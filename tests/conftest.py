"""Fixtures every tier may use."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.require import require

# No test is judged by the clock; what decides whether a change lands looks at the same examples each time.
settings.register_profile(
    "steady", deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize="CI" in os.environ
)
settings.load_profile("steady")


@pytest.fixture(scope="session")
def valkey_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A real embedded server for the whole session, on a Unix socket."""
    require("valkey")
    from orchestrator.ledger.embedded import EmbeddedRedis

    folder: Path = tmp_path_factory.mktemp("valkey")
    with EmbeddedRedis(folder) as server:
        yield server.url
