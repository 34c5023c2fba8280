"""A service over a real ledger, a real store and the clone of the chat's tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from orchestrator.domain.profile import Profile
from orchestrator.service.service import Service
from tests.serving import make_service


@pytest.fixture
def service(valkey_url: str, tmp_path: Path) -> Iterator[Service]:
    with make_service(valkey_url, tmp_path, Profile(name="demo")) as made:
        yield made
