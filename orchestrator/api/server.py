"""Callback endpoints: checked, noted, answered within a second; the work is done afterwards, by whoever takes it."""

from __future__ import annotations

import functools
import logging
from collections.abc import Mapping
from typing import Protocol

from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from orchestrator.api.metrics import Metrics, metrics
from orchestrator.domain.errors import BrokerError, UsageError
from orchestrator.notify.github import hook as github
from orchestrator.notify.github.hook import Webhook
from orchestrator.notify.wecom.crypto import BadCallbackError

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


def routes(
    callbacks: Mapping[str, Callback], source: Metrics | None = None, webhook: Webhook | None = None
) -> list[BaseRoute]:
    """``callbacks`` by path, ``/healthz``, with a ``source`` ``/metrics``, with a ``webhook`` ``/github/webhook``."""
    found: list[BaseRoute] = [Route("/healthz", _healthy, methods=["GET"])]
    if source is not None:
        found.append(Route("/metrics", functools.partial(metrics, source), methods=["GET"]))
    if webhook is not None:
        found.append(Route("/github/webhook", functools.partial(_hooked, webhook), methods=["POST"]))
    for path, callback in callbacks.items():
        found.append(Route(path, functools.partial(_called, callback), methods=["GET", "POST"]))
    return found


async def _healthy(_request: Request) -> Response:
    return _answer(200, b"ok")


async def _called(callback: Callback, request: Request) -> Response:
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


async def _hooked(webhook: Webhook, request: Request) -> Response:
    """A delivery of GitHub: checked and noted; it waits ten seconds at most for an answer."""
    try:
        body = await _body(request, github.MAX_BODY)
        if body is None:
            return _answer(413)
        said = await run_in_threadpool(webhook.receive, dict(request.headers), body)
        return _answer(202, said.encode())
    except github.ForgedError as error:
        logger.warning("refused: %s", error.message)
        return _answer(403)
    except UsageError as error:
        return _answer(400, error.message.encode("utf-8", "replace"))
    except BrokerError as error:
        logger.warning("not noted: %s", error.message)
        return _answer(503)


async def _body(request: Request, most: int = MAX_BODY) -> bytes | None:
    """The request's bytes; None when there are too many, whatever its header says, or when its sender hung up."""
    length = request.headers.get("content-length", "0")
    if not length.isdecimal() or int(length[:12]) > most:
        return None
    body = bytearray()
    try:
        async for chunk in request.stream():
            body += chunk
            if len(body) > most:
                return None
    except ClientDisconnect:  # nobody hears the answer
        return None
    return bytes(body)


def _answer(status: int, body: bytes = b"") -> Response:
    return Response(body, status_code=status, media_type="text/plain")
