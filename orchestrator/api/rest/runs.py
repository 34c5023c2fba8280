"""Runs: listed, looked at, read case by case and line by line; in the formats of other tools, too."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Response

from orchestrator.api.rest.asking import After, CallerDep, Limit, MaybeTask, Offset, RunName, ServiceDep, TaskName
from orchestrator.autopilot.judge import Triage, judge
from orchestrator.domain.change import MAX_PULL
from orchestrator.domain.run import RunState, TaskState
from orchestrator.planner.codec import plan_to_json
from orchestrator.service import views
from orchestrator.service.reports.junit import junit_xml
from orchestrator.service.reports.sarif import sarif
from orchestrator.service.reports.source import material

router = APIRouter(prefix="/runs", tags=["runs"])

Pull = Annotated[int | None, Query(ge=1, le=MAX_PULL, description="Only runs of this pull request.")]


class JUnit(Response):
    """JUnit XML."""

    media_type = "application/xml"


@router.get("")
def listed(
    service: ServiceDep, _caller: CallerDep, limit: Limit = 20, pull: Pull = None, state: RunState | None = None
) -> list[views.RunRow]:
    """The newest runs, live ones first."""
    return service.reads.runs(limit, pull, state.value if state else None)


@router.get("/{run}")
def get(run: RunName, service: ServiceDep, _caller: CallerDep) -> views.RunView:
    """How a run stands: verdict or progress, and the tasks that need attention."""
    return service.reads.run(run)


@router.get("/{run}/plan")
def plan(run: RunName, service: ServiceDep, _caller: CallerDep) -> dict[str, Any]:
    """The plan it executes."""
    return plan_to_json(service.reads.find(run)[1])


@router.get("/{run}/tasks")
def tasks(
    run: RunName,
    service: ServiceDep,
    _caller: CallerDep,
    offset: Offset = 0,
    limit: Limit = 50,
    state: TaskState | None = None,
) -> views.TaskPage:
    """Its tasks, each with its first failures."""
    return service.reads.tasks(run, offset, limit, state.value if state else None)


@router.get("/{run}/failures")
def failures(
    run: RunName,
    service: ServiceDep,
    _caller: CallerDep,
    task: MaybeTask = None,
    offset: Offset = 0,
    limit: Limit = 50,
) -> views.FailurePage:
    """What failed, case by case."""
    return service.reads.failures(run, task, offset, limit)


@router.get("/{run}/triage")
def triage(run: RunName, service: ServiceDep, _caller: CallerDep) -> Triage:
    """What each failure means: new with the change, known on the base branch, flaky, or infrastructure."""
    return judge(service, run)


@router.get("/{run}/log")
def log(
    run: RunName,
    task: TaskName,
    service: ServiceDep,
    _caller: CallerDep,
    after: After = "0",
    limit: Annotated[int, Query(ge=1, le=1000)] = 200,
) -> views.LogPage:
    """The log of a task, from a cursor on."""
    return service.reads.log(run, task, after, limit)


@router.get("/{run}/junit.xml", response_class=JUnit)
def junit(run: RunName, service: ServiceDep, _caller: CallerDep) -> JUnit:
    """The run as JUnit XML."""
    return JUnit(junit_xml(material(service.reads, run)))


@router.get("/{run}/sarif")
def code_scanning(run: RunName, service: ServiceDep, _caller: CallerDep) -> dict[str, Any]:
    """What failed at a file and line, as SARIF 2.1.0."""
    return sarif(material(service.reads, run))
