"""Resources: JSON that can be read, however much there is."""

from __future__ import annotations

import json

import pytest

from orchestrator.domain.errors import UsageError
from orchestrator.mcp.desk import McpDesk
from orchestrator.mcp.telling import Telling
from orchestrator.planner.codec import plan_from_json
from orchestrator.service.caller import Caller, Role
from orchestrator.service.cases import CaseLibrary
from orchestrator.service.generation import Generation
from orchestrator.service.service import Service
from tests.factories import make_plan, make_task
from tests.serving import start_run


def test_the_plan_of_a_run_is_whole_or_an_error_that_says_how_to_read_it(service: Service) -> None:
    desk = McpDesk(
        service,
        CaseLibrary(service.profile, service.profile.repository),  # type: ignore[arg-type]
        Generation(service.profile),
        lambda: Caller("token:x", "mcp", Role.VIEWER),
    )
    few, many = (make_plan([make_task(f"pkg/{n}", f"ut-{n % 9}") for n in range(count)]) for count in (300, 3000))
    runs = [start_run(service, plan) for plan in (few, many)]
    assert plan_from_json(json.loads(Telling(desk).plan_of_run(runs[0]))) == few
    with pytest.raises(UsageError, match="explain_plan"):
        Telling(desk).plan_of_run(runs[1])
