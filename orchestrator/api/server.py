"""Callback endpoints: checked, noted, answered within a second; the work is done afterwards, by whoever takes it."""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from orchestrator.api.metrics import Metrics, metrics
from orchestrator.commands.model import Incoming
from orchestrator.domain.errors import BrokerError
from orchestrator.notify.wecom.callback import AppCallback
from orchestrator.notify.wecom.crypto import BadCallbackError

#: Bytes of a callback; WeCom's have a few thousand.
MAX_BODY = 1024 * 1024
#: Parameters without which nothing is a callback.
_NEEDED = ("msg_signature", "timestamp", "nonce")

logger = logging.getLogger(__name__)


def routes(
    app: AppCallback | None, accept: Callable[[Incoming], bool], source: Metrics | None = None
) -> list[BaseRoute]:
    """``/healthz``, ``/metrics`` (with a ``source``), and ``/wecom/app`` (when there is an application).

    ``accept`` notes a message durably and is quick; False means that it was noted before. A callback that cannot be
    noted is answered 503, so that WeCom sends it again.
    """
    found: list[BaseRoute] = [Route("/healthz", _healthy, methods=["GET"])]
    if source is not None:
        found.append(Route("/metrics", functools.partial(metrics, source), methods=["GET"]))
    if app is not None:
        found.append(Route("/wecom/app", functools.partial(_callback, app, accept), methods=["GET", "POST"]))
    return found


async def _healthy(_request: Request) -> Response:
    return _answer(200, b"ok")


async def _callback(app: AppCallback, accept: Callable[[Incoming], bool], request: Request) -> Response:
    query = dict(request.query_params)
    if not all(query.get(name) for name in _NEEDED):
        return _answer(400)
    try:
        if request.method == "GET":
            return _answer(200, app.echo(query))
        body = await _body(request)
        if body is None:
            return _answer(413)
        incoming = app.receive(query, body)
        if incoming is not None:
            await run_in_threadpool(accept, incoming)
    except BadCallbackError as error:
        logger.warning("refused: %s", error.message)
        return _answer(403)
    except BrokerError as error:
        logger.warning("not noted: %s", error.message)
        return _answer(503)
    return _answer(200)


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
    return Response(body, status_code=status, media_type="text/plain")
