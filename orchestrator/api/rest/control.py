"""Orders: start, re-run, cancel."""

from __future__ import annotations

import functools
from typing import Annotated, Any

from fastapi import APIRouter, Response
from pydantic import BaseModel, ConfigDict, Field

from orchestrator.api.rest.asking import CallerDep, OrderDep, RunName, ServiceDep, exactly_one
from orchestrator.api.rest.plans import ChangeIn
from orchestrator.domain.errors import NotAllowedError, UsageError
from orchestrator.domain.plan import TestPlan
from orchestrator.planner.codec import plan_from_json
from orchestrator.service.caller import Caller
from orchestrator.service.service import Service
from orchestrator.service.writes import Done

router = APIRouter(prefix="/runs", tags=["control"])

TaskIds = Annotated[list[str], Field(max_length=1000, description="Only these tasks.")]


class StartIn(BaseModel):
    """Exactly one of `plan`, `plan_document` and `change`."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra=exactly_one({"plan": "string", "plan_document": "object", "change": "object"}),
    )

    plan: str | None = Field(None, pattern=r"^[0-9a-f]{64}$", description="Id of a plan made here.")
    plan_document: dict[str, Any] | None = Field(None, description="A plan as `mo-testplan plan` writes it.")
    change: ChangeIn | None = Field(None, description="Plan this, then start it.")


class RerunIn(BaseModel):
    """What of a run to run again."""

    model_config = ConfigDict(extra="forbid")

    failed: bool = Field(False, description="What failed, and what infrastructure took down.")
    tasks: TaskIds = []


class CancelIn(BaseModel):
    """What of a run to end; all of it when no task is named."""

    model_config = ConfigDict(extra="forbid")

    tasks: TaskIds = []


@router.post("", status_code=201, responses={200: {"model": Done, "description": "Done before, or a dry run."}})
def start(body: StartIn, service: ServiceDep, caller: CallerDep, order: OrderDep, response: Response) -> Done:
    """Start a plan. A retry with the same key is the same run."""
    ways = sum(one is not None for one in (body.plan, body.plan_document, body.change))
    if ways != 1:
        raise UsageError(f"a start names its plan in one way, and this in {ways}", "Give exactly one of them.")
    if body.change is not None:
        return _answered(service.start(caller, order, body.change.change()), response)
    plan = functools.partial(_named, body, service, caller)
    named = body.plan[:12] if body.plan is not None else "a plan document"
    return _answered(service.writes.start(caller, order, plan, named=named), response)


def _named(body: StartIn, service: Service, caller: Caller) -> TestPlan:
    if body.plan is not None:
        return service.writes.kept(body.plan)
    if caller.budget.runner_minutes is not None:
        raise NotAllowedError(
            "a plan document says its own cost, and this token has a budget of runner-minutes",
            "Name the change, or the id of a plan made here.",
        )
    return plan_from_json(body.plan_document)


@router.post(
    "/{run}/rerun", status_code=201, responses={200: {"model": Done, "description": "Done before, or a dry run."}}
)
def rerun(  # noqa: PLR0913 - the parts of a request
    run: RunName, body: RerunIn, service: ServiceDep, caller: CallerDep, order: OrderDep, response: Response
) -> Done:
    """A new run of the same commit, with this one as its parent."""
    return _answered(service.writes.rerun(caller, order, run, failed=body.failed, tasks=body.tasks), response)


@router.post("/{run}/cancel")
def cancel(run: RunName, body: CancelIn, service: ServiceDep, caller: CallerDep, order: OrderDep) -> Done:
    """End a run or some of its tasks: what runs is told at once and killed within a second."""
    return service.writes.cancel(caller, order, run, body.tasks)


def _answered(done: Done, response: Response) -> Done:
    if done.dry_run or done.repeated or done.run is None:
        response.status_code = 200
    return done
