"""Callbacks whose senders go away."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from starlette.routing import Route

from orchestrator.api.server import routes


class Never:
    """A callback that nothing reaches."""

    def echo(self, query: Mapping[str, str]) -> bytes:
        raise AssertionError(query)

    def receive(self, query: Mapping[str, str], body: bytes) -> bytes:
        raise AssertionError(body)


def test_who_hangs_up_in_mid_request_leaves_no_traceback() -> None:
    (route,) = (one for one in routes({"/wecom/app": Never()}) if isinstance(one, Route) and one.path == "/wecom/app")
    heard = [{"type": "http.request", "body": b"abc", "more_body": True}, {"type": "http.disconnect"}]
    sent: list[Any] = []

    async def receive() -> Any:  # noqa: ANN401 - an ASGI message
        return heard.pop(0)

    async def send(message: Any) -> None:  # noqa: ANN401
        sent.append(message)

    query = b"msg_signature=x&timestamp=1&nonce=2"
    scope = {"type": "http", "method": "POST", "path": "/wecom/app", "query_string": query, "headers": []}

    async def call() -> None:
        await route.app(scope, receive, send)

    asyncio.run(call())
    assert sent[0]["status"] == 413
