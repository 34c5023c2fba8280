"""Callback endpoints: checked, noted, answered within a second; the work is done afterwards, by whoever takes it."""

from __future__ import annotations

import functools
import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Protocol

from orchestrator.domain.errors import BrokerError, ToolMissingError
from orchestrator.notify.wecom.crypto import BadCallbackError

if TYPE_CHECKING:
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import Response

#: Bytes of a callback; WeCom's have a few thousand.
MAX_BODY = 1024 * 1024
#: Parameters without which nothing is a callback.
_NEEDED = ("msg_signature", "timestamp", "nonce")

logger = logging.getLogger(__name__)

Query = Mapping[str, str]


class Callback(Protocol):
    """One callback address. Both calls raise :class:`BadCallbackError` for what does not come from WeCom."""

    def echo(self, query: Query) -> bytes:
        """The answer to WeCom's check of the address."""
        ...

    def receive(self, query: Query, body: bytes) -> bytes:
        """Note durably what a request asks for, and return what to answer, within a second.

        One that cannot be noted raises :class:`BrokerError` and is answered 503, so that WeCom sends it again.
        """
        ...


def make_server(callbacks: Mapping[str, Callback]) -> Starlette:
    """The ASGI application: ``callbacks`` by path, and ``/healthz``."""
    try:
        from starlette.applications import Starlette
        from starlette.routing import Route
    except ModuleNotFoundError:
        raise ToolMissingError(
            "callbacks need the starlette package", "Install it with: pip install 'mo-testplan[wecom]'"
        ) from None
    routes = [Route("/healthz", _healthy, methods=["GET"])]
    for path, callback in callbacks.items():
        routes.append(Route(path, functools.partial(_called, callback), methods=["GET", "POST"]))
    return Starlette(routes=routes)


async def _healthy(_request: Request) -> Response:
    return _answer(200, b"ok")


async def _called(callback: Callback, request: Request) -> Response:
    from starlette.concurrency import run_in_threadpool

    query = dict(request.query_params)
    if not all(query.get(name) for name in _NEEDED):
        return _answer(400)
    try:
        if request.method == "GET":
            return _answer(200, callback.echo(query))
        body = await _body(request)
        if body is None:
            return _answer(413)
        return _answer(200, await run_in_threadpool(callback.receive, query, body))
    except BadCallbackError as error:
        logger.warning("refused: %s", error.message)
        return _answer(403)
    except BrokerError as error:
        logger.warning("not noted: %s", error.message)
        return _answer(503)


async def _body(request: Request) -> bytes | None:
    """The request's bytes; None when there are too many, whatever its header says."""
    length = request.headers.get("content-length", "0")
    if not length.isdecimal() or int(length[:12]) > MAX_BODY:
        return None
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY:
            return None
    return bytes(body)


def _answer(status: int, body: bytes = b"") -> Response:
    from starlette.responses import Response

    return Response(body, status_code=status, media_type="text/plain")
