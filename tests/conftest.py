"""Fixtures every tier may use."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.require import require


@pytest.fixture(scope="session")
def valkey_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A real embedded server for the whole session, on a Unix socket."""
    require("valkey")
    from orchestrator.ledger.embedded import EmbeddedRedis

    folder: Path = tmp_path_factory.mktemp("valkey")
    with EmbeddedRedis(folder) as server:
        yield server.url
