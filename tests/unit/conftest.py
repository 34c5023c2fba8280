from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.history.learn import learn
from orchestrator.history.model import Model
from tests.require import require
from tests.unit.history.product import PROFILE, make_history


@pytest.fixture(scope="session")
def product(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bare repository with a history of 120 commits."""
    return make_history(tmp_path_factory.mktemp("product"))


@pytest.fixture(scope="session")
def model(product: Path) -> Model:
    """What is learned from all of it."""
    require("lightgbm")
    return learn(product, PROFILE, "main").model
