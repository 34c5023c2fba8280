"""The group robot: markdown into a group by one HTTPS POST (developer.work.weixin.qq.com, documents 91770 and 90313).

The key in the address is the only credential, so it is masked wherever an address could show.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

import httpx

from orchestrator.domain.errors import UsageError
from orchestrator.notify.base import RefusedError, RetryLaterError
from orchestrator.notify.wecom.limits import RollingWindow, Window
from orchestrator.notify.wecom.secrets import mask_logs, masked
from orchestrator.notify.wecom.text import MARKDOWN_LIMIT, neutral, size

#: Seconds: to connect, and for the whole exchange.
_CONNECT, _EXCHANGE = 5.0, 10.0
#: An answer is a hundred bytes; more is not from WeCom.
_ANSWER_LIMIT = 64 * 1024
#: "Busy": try again at once, three times at most.
_BUSY, _BUSY_PAUSES = -1, (0.2, 0.5, 1.0)
#: Over the limit: silent for a minute.
_OVER_LIMIT, _SILENCE = 45009, 61.0
#: Tries at a message that is refused with a code no document explains.
_UNKNOWN_TRIES = 5

_REMOVED = "Put the robot's key, as the group shows it, into the environment variable the profile names."
#: Codes that the documents call final, and what to do about them.
PERMANENT: dict[int, str] = {
    93000: _REMOVED,
    93004: "The robot is disabled: enable it in the group's settings.",
    93008: "The robot is not in the group: add it again and use its new key.",
    **dict.fromkeys(
        (
            *(40004, 40006, 40007, 40008, 40033, 40035, 40058, 40063, 44001, 44004, 45001, 45002, 45008),
            *range(42014, 42053),
        ),
        "WeCom does not accept this message; nothing in the group or the network can change that.",
    ),
}


class Robot:
    """One group robot, by its key. Delivers ``{"markdown": text}`` payloads of at most 4096 bytes.

    A :class:`~orchestrator.notify.base.Notifier`. WeCom's robots know no duplicates, so a delivery repeated after a
    lost answer shows twice.
    """

    limit = MARKDOWN_LIMIT

    def __init__(
        self,
        key: str,
        base_url: str = "https://qyapi.weixin.qq.com",
        *,
        window: Window | None = None,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        if not key:
            raise UsageError("the WeCom robot's key is empty", _REMOVED)
        local = is_local(base_url)
        self._key = key
        self._url = f"{base_url.rstrip('/')}/cgi-bin/webhook/send"
        self._window = window or RollingWindow()
        self._pause = pause
        timeout = httpx.Timeout(_EXCHANGE, connect=_CONNECT)
        self._client = httpx.Client(timeout=timeout, trust_env=not local, follow_redirects=False)
        mask_logs("httpx")

    def close(self) -> None:
        """Give the connections back."""
        self._client.close()

    def wait(self) -> float:
        """Seconds until the robot may speak again."""
        return self._window.wait()

    def deliver(self, payload: Mapping[str, Any], key: str) -> None:
        """Say ``payload["markdown"]`` in the group; ``key`` is of no use to a robot."""
        content = payload.get("markdown")
        if not isinstance(content, str) or not content.strip():
            raise RefusedError(f"message {key} has no text", "It was written by another program: nothing was sent.")
        if size(content) > MARKDOWN_LIMIT:
            raise RefusedError(f"message {key} has {size(content)} bytes; a robot takes {MARKDOWN_LIMIT}", "Split it.")
        body = json.dumps({"msgtype": "markdown", "markdown": {"content": content}}, ensure_ascii=False)
        raw = body.encode("utf-8", "replace")
        for pause in (*_BUSY_PAUSES, None):
            code, said = self._post(raw)
            if code != _BUSY or pause is None or self._window.wait() > 0:
                break
            self._pause(pause)
        self._judge(code, said)

    def _judge(self, code: int, said: str) -> None:
        """Business errors come with HTTP 200: only the code tells, its text has no fixed form."""
        if code == 0:
            return
        what = f"WeCom answered {code} ({said})"
        if code == _OVER_LIMIT:
            self._window.block(_SILENCE)
            raise RetryLaterError(what, "The robot's messages of a minute are spent.", after=_SILENCE)
        if code == _BUSY:
            raise RetryLaterError(what, "WeCom is busy.")
        if code in PERMANENT:
            raise RefusedError(what, PERMANENT[code])
        raise RetryLaterError(
            what, f"https://open.work.weixin.qq.com/devtool/query?e={code} may explain it.", tries=_UNKNOWN_TRIES
        )

    def _post(self, raw: bytes) -> tuple[int, str]:
        """``errcode`` and a harmless ``errmsg``; anything that is not WeCom's answer means later."""
        try:
            with self._window.slot():
                status, answer = self._exchange(raw)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            what = self._masked(f"{type(error).__name__}: {error}")
            raise RetryLaterError(f"WeCom cannot be reached ({what})", "Check the network and proxy.") from None
        if status != httpx.codes.OK:
            raise RetryLaterError(f"WeCom answered HTTP {status}", "Check wecom.base_url, the network and the proxy.")
        try:
            reply = json.loads(answer)
            code, said = reply["errcode"], reply.get("errmsg", "")
        except (ValueError, TypeError, KeyError, AttributeError):
            code = None
        if not isinstance(code, int):
            raise RetryLaterError("what answered is not WeCom", "Check wecom.base_url and the proxy.") from None
        return code, self._masked(str(said))

    def _exchange(self, raw: bytes) -> tuple[int, bytes]:
        deadline = time.monotonic() + _EXCHANGE
        headers = {"Content-Type": "application/json; charset=utf-8"}
        with self._client.stream("POST", self._url, params={"key": self._key}, content=raw, headers=headers) as reply:
            answer = bytearray()
            for chunk in reply.iter_bytes():
                answer += chunk
                if len(answer) > _ANSWER_LIMIT or time.monotonic() > deadline:
                    raise httpx.RemoteProtocolError("its answer does not end")
            return reply.status_code, bytes(answer)

    def _masked(self, said: str) -> str:
        return neutral(masked(said, self._key), 300)


def is_local(base_url: str) -> bool:
    """Whether the address is on this host, which a proxy could not find; :class:`UsageError` for no web address."""
    try:
        address = urlsplit(base_url)
        if address.scheme in ("http", "https") and address.hostname:
            return address.hostname in ("localhost", "127.0.0.1", "::1")
    except ValueError:
        pass  # no address at all, as below
    raise UsageError(f"wecom.base_url {base_url!r} is no web address", "Write https://HOST in the profile.")
