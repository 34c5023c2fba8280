"""The bot's connection when what answers is no bot's service."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from orchestrator.notify.wecom.bot import BotConnection
from tests.waiting import until


@pytest.fixture
def proxy() -> Iterator[tuple[str, list[str]]]:
    """An address that answers 502, and what asked there."""
    asked: list[str] = []

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_error(502)

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Answer)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"ws://127.0.0.1:{server.server_port}/bot", asked
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_connection_that_is_refused_by_a_proxy_is_opened_again(proxy: tuple[str, list[str]]) -> None:
    url, asked = proxy
    stop, ended = threading.Event(), list[bool]()
    bot = BotConnection(url, "bot", "secret", lambda body, req_id: None)
    thread = threading.Thread(target=lambda: ended.append(bot.serve(stop)))
    thread.start()
    until(lambda: len(asked) > 1 or not thread.is_alive(), "it is tried again")
    stop.set()
    thread.join()
    assert ended == [True], "it was told to stop, and nothing else ended it"
