"""What tokens.yaml may say."""

from __future__ import annotations

import math

import pytest

from orchestrator.domain.errors import BadProfileError
from orchestrator.service.tokens import hash_of, tokens_from


@pytest.mark.parametrize("limit", [{"runs": -1}, {"runner_minutes": -0.5}, {"runner_minutes": math.nan}])
def test_a_budget_below_nothing_is_an_error_and_not_no_limit(limit: dict[str, float]) -> None:
    entry = {"name": "ci", "sha256": hash_of("secret"), "role": "developer"}
    with pytest.raises(BadProfileError, match="budget"):
        tokens_from({"tokens": [entry | limit]}, "tokens.yaml")
    caller = tokens_from({"tokens": [entry | {"runs": 0}]}, "t").caller("secret", "demo", "api", "2026-01-01")
    assert caller is not None
    assert caller.budget.runs == 0
