"""What a bot behind a URL says later, by the addresses that came with messages."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from orchestrator.notify.base import RefusedError, RetryLaterError
from orchestrator.notify.wecom.board import Board
from orchestrator.notify.wecom.hook import ResponseUrls

URL = "https://qyapi.weixin.qq.com/cgi-bin/aibot/response?response_code=secret"


@pytest.fixture
def urls(valkey_url: str) -> Iterator[ResponseUrls]:
    board = Board(valkey_url)
    board.redis.flushall()
    board.keep("team", URL)
    made = ResponseUrls(board, "https://qyapi.weixin.qq.com")
    yield made
    made.close()
    board.redis.close()


@pytest.mark.parametrize(("code", "kept"), [(45009, True), (-1, True), (0, False), (40058, False), (99999, False)])
def test_an_address_that_was_not_used_serves_the_next_try(
    urls: ResponseUrls, monkeypatch: pytest.MonkeyPatch, code: int, kept: bool
) -> None:
    answers = [code, 0]
    monkeypatch.setattr(
        urls._client, "post", lambda *_, **__: httpx.Response(200, json={"errcode": answers.pop(0), "errmsg": "said"})
    )
    if code:
        with pytest.raises((RetryLaterError, RefusedError)):
            urls.say("team", "words")
    else:
        urls.say("team", "words")
    if kept:
        urls.say("team", "words")
    with pytest.raises(RefusedError, match="within the last hour"):
        urls.say("team", "words")
