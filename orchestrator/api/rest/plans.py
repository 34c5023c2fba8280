"""Plans: made of a change, kept for a week, explained."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path
from fastapi.responses import PlainTextResponse
from pydantic import BaseModel, ConfigDict, Field

from orchestrator.api.rest.asking import CallerDep, MaybeTask, ServiceDep, exactly_one
from orchestrator.planner.codec import plan_to_json
from orchestrator.planner.render.explain import explain
from orchestrator.planner.render.markdown import plan_markdown
from orchestrator.service.change import BUDGET, MAX_DIFF, Change
from orchestrator.service.fields import Pull

router = APIRouter(prefix="/plans", tags=["plans"])

PlanId = Annotated[str, Path(pattern=r"^[0-9a-f]{64}$", description="A plan's id.")]

_ONE_WAY = exactly_one(
    {"pull": "integer", "base": "string", "diff": "string"}, company={"head": "base", "commit": "diff"}
)


class ChangeIn(BaseModel):
    """Exactly one of `pull`, `base` (with `head`) and `diff` names the change."""

    model_config = ConfigDict(extra="forbid", json_schema_extra=_ONE_WAY)

    pull: Pull | None = Field(None, description="Number of a pull request.")
    base: str | None = Field(None, min_length=1, max_length=250, description="Revision of the profile's clone.")
    head: str | None = Field(None, min_length=1, max_length=250, description="The change; HEAD when left out.")
    diff: str | None = Field(None, max_length=MAX_DIFF, description="A unified diff.")
    commit: str | None = Field(None, pattern=r"^[0-9a-f]{40}$", description="What `diff` leads to, to run it.")
    categories: list[str] = Field([], max_length=200, description="Categories wanted in any case.")
    suite: str | None = Field(None, pattern=r"^(ut|bvt|sca)$", description="Only this suite.")
    tasks: list[str] = Field([], max_length=1000, description="Only these tasks.")
    budget: str = Field("", pattern=BUDGET, description="What the tests may cost: 10% of all, 90s, 30min, 1h.")

    def change(self) -> Change:
        """As the service takes it."""
        return Change(
            pull=self.pull,
            base=self.base,
            head=self.head,
            diff=self.diff,
            commit=self.commit,
            categories=tuple(self.categories),
            suite=self.suite,
            tasks=tuple(self.tasks),
            budget=self.budget,
        )


@router.post("", status_code=201)
def make(body: ChangeIn, service: ServiceDep, _caller: CallerDep) -> dict[str, Any]:
    """Plan a change. The same change gives the same plan, and the same id."""
    return plan_to_json(service.plan(body.change()))


@router.get("/{plan}")
def get(plan: PlanId, service: ServiceDep, _caller: CallerDep) -> dict[str, Any]:
    """A plan that was made here."""
    return plan_to_json(service.writes.kept(plan))


@router.get("/{plan}/explanation")
def why(plan: PlanId, service: ServiceDep, _caller: CallerDep, task: MaybeTask = None) -> dict[str, Any]:
    """Why each test was chosen, why others were not, and what it costs; of one test when `task` names it."""
    return explain(service.writes.kept(plan), task)


@router.get("/{plan}/markdown", response_class=PlainTextResponse)
def markdown(plan: PlanId, service: ServiceDep, _caller: CallerDep) -> PlainTextResponse:
    """The plan as a comment for a pull request."""
    return PlainTextResponse(plan_markdown(service.writes.kept(plan)))
