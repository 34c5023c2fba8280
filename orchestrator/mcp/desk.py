"""What the tools share: the service, the cases, and who calls."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from orchestrator.domain.errors import NotAllowedError
from orchestrator.service.caller import Caller, Order, Role
from orchestrator.service.cases import CaseLibrary
from orchestrator.service.generation import Generation
from orchestrator.service.service import Service

RunName = Annotated[str, Field(max_length=64, description="A run's id or its beginning, or a pull request's number.")]
TaskName = Annotated[str, Field(max_length=500, description="A task's id, e.g. ut:pkg/sql/plan/... or bvt:join.")]
MaybeTask = Annotated[str | None, Field(max_length=500, description="Only of this task, by its id.")]
PlanId = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$", description="A plan's id, as plan_change answers.")]
Limit = Annotated[int, Field(ge=1, le=200, description="Entries of a page.")]
Offset = Annotated[int, Field(ge=0, description="Where the page starts: `next` of the page before.")]
After = Annotated[str, Field(max_length=40, description="`cursor` of the answer before; 0 from the start.")]
Reason = Annotated[str, Field(max_length=500, description="Why, in one line: kept in the audit log.")]
Key = Annotated[
    str,
    Field(max_length=100, description="Idempotency key, e.g. a UUID: the same for every try at the same order."),
]
DryRun = Annotated[bool, Field(description="Only say what would happen and cost.")]


@dataclass(frozen=True)
class McpDesk:
    """What tools, resources and prompts work with."""

    service: Service
    cases: CaseLibrary
    generation: Generation
    #: Who calls now; raises :class:`NotAllowedError` for nobody.
    who: Callable[[], Caller]
    #: Refuse every order, whatever the caller's role.
    read_only: bool = False

    def reader(self) -> Caller:
        """The caller, who may look."""
        caller = self.who()
        caller.needs(Role.VIEWER, "this server")
        return caller

    def writer(self) -> Caller:
        """The caller, where orders are taken at all; his role is the service's to judge."""
        if self.read_only:
            raise NotAllowedError(
                "this server is read-only: it takes no orders", "Ask its operator to start it without --read-only."
            )
        return self.who()


def order(reason: str, key: str, dry_run: bool) -> Order:
    """An order of these words."""
    return Order(reason, key, dry_run)
