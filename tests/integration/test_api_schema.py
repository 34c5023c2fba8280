"""A bounded schemathesis campaign on the OpenAPI document: no 500, no answer that the document does not describe."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    ignored_auth,
    negative_data_rejection,
    positive_data_acceptance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
)

from orchestrator.api.rest.app import make_api
from orchestrator.domain.profile import Profile
from orchestrator.domain.run import CaseResult, CaseStatus, TaskState
from orchestrator.service.service import Service
from tests.factories import make_plan, make_task
from tests.serving import TOKENS, end_run, make_service, play, serving, start_run

#: Operation → how it may refuse a request that fits the schema: no schema tells a diff from another text, a revision
#: from a word, a plan from an object, or a line that prints from one that does not.
_CHANGE, _REASON = r"diff|revision|names no repository|no category|no task", r"an order needs a reason"
UNFORESEEN = {
    "POST /api/v1/plans": _CHANGE,
    "POST /api/v1/runs": f"{_CHANGE}|{_REASON}|the plan is no plan",
    "POST /api/v1/runs/{run}/rerun": f"{_REASON}|no task|has nothing",
    "POST /api/v1/runs/{run}/cancel": _REASON,
}


def positive_data_is_taken(context: Any, response: Any, case: Any) -> bool | None:  # noqa: ANN401 - schemathesis' types
    """schemathesis' own check, but for the refusals in :data:`UNFORESEEN`."""
    expected = UNFORESEEN.get(case.operation.label)
    if response.status_code == 422 and expected and re.search(expected, response.json()["message"]):
        return None
    return positive_data_acceptance(context, response, case)


CHECKS = [
    positive_data_is_taken,
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    negative_data_rejection,
    ignored_auth,
    unsupported_method,
]
BOUNDED = settings(
    max_examples=12,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)

HEADERS = {"Authorization": f"Bearer {TOKENS['admin']}"}


@pytest.fixture(scope="module")
def service(valkey_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with make_service(valkey_url, tmp_path_factory.mktemp("api"), Profile(name="demo")) as made:
        yield made


@pytest.fixture(scope="module")
def real(service: Service) -> dict[str, str]:
    """A run that has ended and a plan that is kept, so that routes answer more than 404."""
    plan = service.writes.keep(make_plan([make_task("pkg/a", "ut-1")]))
    run = start_run(service, plan)
    case = CaseResult("TestX", CaseStatus.FAILED, message="boom", file="pkg/a/a_test.go", line=3)
    play(service, run, {"ut:pkg/a": (TaskState.FAILED, (case,))})
    end_run(service, run)
    return {"run": run, "plan": plan.id}


@pytest.fixture(scope="module")
def document(service: Service, valkey_url: str) -> Iterator[Any]:
    with serving(make_api(service, valkey_url)) as url:
        found = schemathesis.openapi.from_url(f"{url}/openapi.json")
        found.config.generation.update(allow_extra_parameters=False)  # HTTP ignores what it does not know
        yield found


def campaign(document: Any, mode: GenerationMode, check: Callable[[Any], None]) -> int:  # noqa: ANN401
    """Hypothesis over every operation, as schemathesis generates its requests; how many operations there are."""
    operations = [found.ok() for found in document.get_all_operations()]
    if mode is GenerationMode.NEGATIVE:  # what takes nothing but a token has nothing that could be wrong
        operations = [one for one in operations if any((list(one.path_parameters), list(one.query), list(one.body)))]
    for operation in operations:

        @BOUNDED
        @given(case=operation.as_strategy(generation_mode=mode, headers=HEADERS))
        def requests(case: Any) -> None:  # noqa: ANN401 - schemathesis' case
            check(case)

        requests()
    return len(operations)


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
def test_any_request_is_answered_as_the_document_says(document: Any, mode: GenerationMode) -> None:  # noqa: ANN401
    assert campaign(document, mode, lambda case: case.call_and_validate(headers=HEADERS, checks=CHECKS)) >= 15


def test_requests_that_reach_a_run_or_a_plan_are_too(document: Any, real: dict[str, str]) -> None:  # noqa: ANN401
    # Schemathesis takes the request for the one it generated, whose path may have been wrong on purpose.
    checks = [check for check in CHECKS if check is not negative_data_rejection]

    reached: set[str] = set()

    def reach(case: Any) -> None:  # noqa: ANN401
        known = {name: real[name] for name in case.path_parameters or {} if name in real}
        if known:
            case.path_parameters = {**case.path_parameters, **known}
            case.call_and_validate(headers=HEADERS, checks=checks)
            reached.add(case.operation.path)

    campaign(document, GenerationMode.POSITIVE, reach)
    assert len(reached) >= 5
