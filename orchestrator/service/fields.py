"""Fields of what comes by the network, the same for REST and MCP."""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator, Field

from orchestrator.domain.change import MAX_PULL


def _no_truth(value: object) -> object:
    """``value`` as it came; ``true`` is no number, though pydantic takes it for pull request 1."""
    if isinstance(value, bool):
        raise ValueError(f"a number is needed, not {str(value).lower()}")
    return value


#: Number of a pull request.
Pull = Annotated[int, Field(ge=1, le=MAX_PULL), BeforeValidator(_no_truth)]
