"""The application: every route below ``/api/v1``, its OpenAPI document, and what else ``serve`` listens for."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from fastapi import FastAPI
from starlette.datastructures import Headers
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from orchestrator import __version__
from orchestrator.api.rest import control, events, fleet, plans, problems, runs
from orchestrator.ledger.feed import Feed
from orchestrator.service.service import Service

PREFIX = "/api/v1"
#: Bytes of a request: a diff of eight million characters, with room for their escapes.
MAX_BODY = 24 * 1024 * 1024

_ABOUT = """Plans, runs and controls the tests of a pull request.

Send `Authorization: Bearer TOKEN`. Orders take an `Idempotency-Key` and a reason; a retry with the same key is the same
order. Errors say what to do next. A list goes on at `next` or after `cursor`."""


class _Bounded:
    """Refuses a request of the API that is announced as too big, in the words of every other error.

    FastAPI, which counts the bytes that come, answers such a one in plain text.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass it on, or refuse it."""
        answer = self._app
        if scope["type"] == "http" and scope["path"].startswith(PREFIX):
            length = Headers(scope=scope).get("content-length", "")
            if length.isdecimal() and int(length[:20]) > MAX_BODY:
                answer = problems.too_big()
        await answer(scope, receive, send)


def make_api(service: Service, redis_url: str, more: Sequence[BaseRoute] = ()) -> FastAPI:
    """The ASGI application; ``more`` are routes beside the API: callbacks, webhooks, metrics."""
    feed = Feed(redis_url)

    @asynccontextmanager
    async def life(_app: FastAPI) -> AsyncIterator[None]:
        yield
        await feed.close()

    app = FastAPI(
        title="mo-testplan",
        version=__version__,
        description=_ABOUT,
        lifespan=life,
        docs_url=None,  # its pages load scripts from elsewhere; the document is enough for any viewer
        redoc_url=None,
        responses=problems.RESPONSES,
    )
    app.state.service, app.state.feed = service, feed
    problems.install(app)
    app.add_middleware(_Bounded)
    for module in (plans, control, runs, events, fleet):
        app.include_router(module.router, prefix=PREFIX, max_body_size=MAX_BODY)  # callbacks have limits of their own
    problems.are_json(app.openapi())
    app.router.routes.extend(more)
    return app
