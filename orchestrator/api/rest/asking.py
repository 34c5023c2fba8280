"""Who asks and of whom: what every route depends on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, cast

from fastapi import Depends, Header, Path, Query, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from orchestrator.domain.errors import NotAllowedError
from orchestrator.ledger.feed import Feed
from orchestrator.service.caller import Caller, Order, Role
from orchestrator.service.service import Service
from orchestrator.service.views import MAX_PAGE

_bearer = HTTPBearer(auto_error=False, description="A token of tokens.yaml; `mo-testplan token NAME` makes one.")


class NobodyError(NotAllowedError):
    """No token, or one that is not known or no longer good."""


def _service(request: Request) -> Service:
    return cast("Service", request.app.state.service)


def _feed(request: Request) -> Feed:
    return cast("Feed", request.app.state.feed)


ServiceDep = Annotated[Service, Depends(_service)]
FeedDep = Annotated[Feed, Depends(_feed)]


def _caller(service: ServiceDep, token: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]) -> Caller:
    caller = service.caller(token.credentials, "api") if token is not None else None
    if caller is None:
        raise NobodyError("no good token came with this", "Send `Authorization: Bearer TOKEN`.")
    caller.needs(Role.VIEWER, "this API")
    return caller


CallerDep = Annotated[Caller, Depends(_caller)]


def _admin(caller: CallerDep) -> Caller:
    caller.needs(Role.ADMIN, "the audit log")
    return caller


AdminDep = Annotated[Caller, Depends(_admin)]

#: An id of a run, or the beginning of one, or the number of a pull request, which means its newest run.
RunName = Annotated[
    str,
    Path(
        pattern=r"^[0-9a-z][0-9a-z-]{0,63}$",
        description="A run's id, the beginning of one, or a pull request's number: its newest run.",
    ),
]
TaskName = Annotated[str, Query(min_length=1, max_length=500, description="A task's id.")]
MaybeTask = Annotated[str | None, Query(min_length=1, max_length=500, description="A task's id.")]
Offset = Annotated[int, Query(ge=0, le=1_000_000, description="Where the page starts.")]
Limit = Annotated[int, Query(ge=1, le=MAX_PAGE, description="Entries of the page.")]
After = Annotated[str, Query(pattern=r"^[0-9]{1,15}(-[0-9]{1,15})?$", description="The cursor of the answer before.")]


def _order(
    key: Annotated[
        str,
        Header(
            alias="Idempotency-Key",
            pattern=r"^[0-9A-Za-z][0-9A-Za-z._:/-]{0,99}$",
            description="The same for every try at the same order: it is carried out once.",
        ),
    ],
    reason: Annotated[
        str, Query(min_length=1, max_length=500, description="Why; kept in the audit log and the run's own record.")
    ],
    dry_run: Annotated[bool, Query(description="Only say what would happen.")] = False,
) -> Order:
    return Order(reason, key, dry_run)


OrderDep = Annotated[Order, Depends(_order)]


def exactly_one(ways: Mapping[str, str], company: Mapping[str, str] | None = None) -> dict[str, Any]:
    """What OpenAPI says of a body that names just one of ``ways`` (field → type); ``company`` says with which."""
    company = company or {}
    nothing = {"type": "null"}
    return {
        "oneOf": [
            {
                "required": [way],
                "properties": {way: {"type": kind}}
                | {other: nothing for other in ways if other != way}
                | {other: nothing for other, friend in company.items() if friend != way},
            }
            for way, kind in ways.items()
        ]
    }
