"""A real Redis of each test's own, with a ledger and a Celery application on it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from orchestrator.ledger.client import Ledger
from orchestrator.ledger.embedded import EmbeddedRedis
from orchestrator.messaging import App, make_app
from tests.require import require


@pytest.fixture
def url(tmp_path: Path) -> Iterator[str]:
    require("valkey")
    with EmbeddedRedis(tmp_path / "redis") as server:
        yield server.url


@pytest.fixture
def ledger(url: str) -> Ledger:
    return Ledger(url)


@pytest.fixture
def app(url: str) -> App:
    return make_app(url)
