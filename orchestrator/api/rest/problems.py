"""Errors as HTTP: one shape for all, with what to do next."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from orchestrator.api.rest.asking import NobodyError
from orchestrator.domain.errors import (
    ConflictError,
    MoTestplanError,
    NotAllowedError,
    UnknownRunError,
    UsageError,
)

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Problem:
    """What went wrong, what it means, what to do next."""

    #: The kind of error: ``UnknownRunError``, ``NotAllowedError`` …
    error: str
    message: str
    remedy: str = ""


#: For every route: what it may answer beside its own.
RESPONSES: dict[int | str, dict[str, Any]] = {
    400: {"model": Problem, "description": "This is no request."},
    401: {"model": Problem, "description": "No good token came with it."},
    403: {"model": Problem, "description": "The caller's role or budget does not cover it."},
    404: {"model": Problem, "description": "There is nothing of that name."},
    409: {"model": Problem, "description": "It contradicts what was done or asked before."},
    413: {"model": Problem, "description": "It is too big."},
    422: {"model": Problem, "description": "What was asked for cannot be understood."},
    503: {"model": Problem, "description": "The answer cannot be had now: try again."},
}

#: What to do about what never reached a route.
_REMEDY = {
    400: "Send a JSON document.",
    404: "The routes are in /openapi.json.",
    405: "The routes and their methods are in /openapi.json.",
    413: "Send less: name revisions or a pull request in place of a diff.",
}

_STATUS: tuple[tuple[type[MoTestplanError], int], ...] = (
    (NobodyError, 401),
    (NotAllowedError, 403),
    (UnknownRunError, 404),
    (ConflictError, 409),
    (UsageError, 422),
    (MoTestplanError, 503),
)


def install(app: FastAPI) -> None:
    """Let ``app`` answer errors as :class:`Problem`."""

    @app.exception_handler(MoTestplanError)
    async def ours(_request: Request, error: MoTestplanError) -> JSONResponse:
        status = next(status for kind, status in _STATUS if isinstance(error, kind))
        headers = {"WWW-Authenticate": "Bearer"} if status == 401 else {"Retry-After": "5"} if status == 503 else None
        return problem(status, type(error).__name__, error.message, error.remedy, headers)

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> JSONResponse:
        kind = request.headers.get("content-type", "")
        if isinstance(error.body, bytes) and not kind.startswith("application/json"):
            said = f"the body is {kind.partition(';')[0][:80] or 'of no type'}, and not JSON"
            return problem(422, "UsageError", said, "Send it with `Content-Type: application/json`.")
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        return problem(422, "UsageError", f"{where}: {first['msg']}", "The schema is at /openapi.json.")

    @app.exception_handler(HTTPException)
    async def other(_request: Request, error: HTTPException) -> JSONResponse:
        remedy = _REMEDY.get(error.status_code, "")
        return problem(error.status_code, "HTTPError", str(error.detail), remedy, dict(error.headers or {}))


def too_big() -> JSONResponse:
    """The answer to a request with too many bytes."""
    return problem(413, "HTTPError", "Content Too Large", _REMEDY[413])


def are_json(document: dict[str, Any]) -> None:
    """Say in the OpenAPI document that errors are JSON; FastAPI gives them the type of what goes well."""
    for routes in document["paths"].values():
        for route in routes.values():
            for status, answer in route["responses"].items():
                if int(status) >= 400:
                    (content,) = answer["content"].values()
                    answer["content"] = {"application/json": content}


def problem(
    status: int, kind: str, message: str, remedy: str = "", headers: dict[str, str] | None = None
) -> JSONResponse:
    """One error as an answer."""
    clean = {"error": kind, "message": message, "remedy": remedy}
    body = {key: value.encode("utf-8", "replace").decode() for key, value in clean.items()}
    return JSONResponse(body, status, headers)
