"""The self-built application: messages to persons and cards that change (documents 91039, 90236 and 94888)."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

import httpx

from orchestrator.commands.model import Card
from orchestrator.commands.shelf import Shelf
from orchestrator.domain.errors import UsageError
from orchestrator.domain.plain import from_plain
from orchestrator.notify.base import RefusedError, RetryLaterError
from orchestrator.notify.wecom.cards import APP_STYLE, greyed, template_card
from orchestrator.notify.wecom.codes import TOKEN_CODES, error_of
from orchestrator.notify.wecom.limits import Windows, own_windows
from orchestrator.notify.wecom.robot import is_local
from orchestrator.notify.wecom.secrets import mask_logs, masked
from orchestrator.notify.wecom.text import neutral, split

#: Bytes of an application's markdown; half of a robot's.
APP_MARKDOWN = 2048
_EARLY = 300.0


class App:
    """One application. Safe to use from several threads; the token is fetched by one of them.

    ``windows`` are its members' limits: WeCom drops what is above them without a word.
    """

    def __init__(  # noqa: PLR0913 - the parts of an address
        self,
        corp_id: str,
        agent_id: int,
        secret: str,
        base_url: str = "https://qyapi.weixin.qq.com",
        windows: Windows | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        if not (corp_id and agent_id and secret):
            raise UsageError("the WeCom application lacks its corp id, agent id or secret", "Complete wecom.app.")
        self._corp, self._agent, self._secret = corp_id, agent_id, secret
        timeout = httpx.Timeout(10.0, connect=5.0)
        self._client = httpx.Client(base_url=base_url.rstrip("/"), timeout=timeout, trust_env=not is_local(base_url))
        self._clock = clock
        self.window = windows or own_windows()
        self._fetching = threading.Lock()
        self._token, self._good_until = "", float("-inf")
        mask_logs("httpx")

    def close(self) -> None:
        """Give the connections back."""
        self._client.close()

    def send(self, user: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Send ``{"msgtype": …, …}`` to one member; the answer (with ``response_code`` for a card with buttons).

        Raises :class:`RefusedError` when the member is not there, :class:`RetryLaterError` when his window is full, and
        what :func:`error_of` says otherwise.
        """
        with self.window(user).slot():
            answer = self.call("/cgi-bin/message/send", {"touser": user, "agentid": self._agent, **body})
        if answer.get("invaliduser"):
            raise RefusedError("WeCom knows no such member, or the application may not write to him")
        return answer

    def update(self, users: list[str], code: str, card: Card, task: str) -> None:
        """Replace the card that ``code`` (usable once) stands for."""
        body = {"userids": users, "agentid": self._agent, "response_code": code}
        shown = template_card(card, task, APP_STYLE)
        if card.settled and not card.buttons:
            shown = greyed(shown, card.settled)
        self.call("/cgi-bin/message/update_template_card", {**body, "template_card": shown})

    def userid_of(self, opaque: str) -> str:
        """The plain id of a member whom an AI bot knows by an opaque one; empty when we may not see him."""
        answer = self.call("/cgi-bin/batch/openuserid_to_userid", {"open_userid_list": [opaque]})
        rows = answer.get("userid_list")
        for row in rows if isinstance(rows, list) else []:
            if isinstance(row, dict) and row.get("open_userid") == opaque and isinstance(row.get("userid"), str):
                return str(row["userid"])
        return ""

    def call(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """One request of the application; a token that WeCom no longer takes is replaced once."""
        token = self.token()
        answer = self._exchange("POST", path, {"access_token": token}, body)
        if answer["errcode"] in TOKEN_CODES:
            answer = self._exchange("POST", path, {"access_token": self.token(instead_of=token)}, body)
        return self._judged(answer)

    def token(self, instead_of: str = "") -> str:
        """A token; with ``instead_of`` another one than that."""
        with self._fetching:
            if self._clock() >= self._good_until or self._token == instead_of:
                query = {"corpid": self._corp, "corpsecret": self._secret}
                answer = self._judged(self._exchange("GET", "/cgi-bin/gettoken", query, None))
                self._token = str(answer["access_token"])
                self._good_until = self._clock() + max(60.0, float(answer.get("expires_in", 7200)) - _EARLY)
            return self._token

    def _judged(self, answer: dict[str, Any]) -> dict[str, Any]:
        if answer["errcode"] != 0:
            raise error_of(answer["errcode"], self._harmless(str(answer.get("errmsg", ""))))
        return answer

    def _exchange(
        self, method: str, path: str, query: dict[str, str], body: Mapping[str, Any] | None
    ) -> dict[str, Any]:
        raw = None if body is None else json.dumps(body, ensure_ascii=False).encode("utf-8", "replace")
        try:
            reply = self._client.request(method, path, params=query, content=raw)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            what = self._harmless(f"{type(error).__name__}: {error}")
            raise RetryLaterError(f"WeCom cannot be reached ({what})", "Check the network and proxy.") from None
        try:
            answer = reply.json()
            if reply.status_code == httpx.codes.OK and isinstance(answer["errcode"], int):
                return dict(answer)
        except (ValueError, TypeError, KeyError):
            pass  # not WeCom's answer, as below
        raise RetryLaterError(f"what answered HTTP {reply.status_code} is not WeCom", "Check wecom.base_url.")

    def _harmless(self, said: str) -> str:
        return neutral(masked(said, self._secret, self._token), 300)


class Member:
    """The application's chat with one member: a :class:`~orchestrator.notify.base.Notifier`."""

    limit = APP_MARKDOWN

    def __init__(self, app: App, user: str, shelf: Shelf) -> None:
        self._app, self._user, self._shelf = app, user, shelf

    def wait(self) -> float:
        """Seconds until the member may get another message."""
        return self._app.window(self._user).wait()

    def deliver(self, payload: Mapping[str, Any], key: str) -> None:
        """Send ``payload["markdown"]``, in parts; a part that was delivered before is dropped by WeCom itself.

        With ``payload["card"]`` the card that the member has of ``payload["run"]`` changes instead.
        """
        if "card" in payload:
            self._settle(from_plain(Card, payload["card"], key), str(payload.get("run")))
            return
        text = payload.get("markdown")
        if not isinstance(text, str) or not text.strip():
            raise RefusedError(f"message {key} has no text")
        for part in split(text, APP_MARKDOWN):
            body = {"msgtype": "markdown", "markdown": {"content": part}}
            self._app.send(self._user, {**body, "enable_duplicate_check": 1})

    def _settle(self, card: Card, run: str) -> None:
        known = self._shelf.places(run).get(f"app:{self._user}", {})
        if not known.get("response_code"):
            raise RefusedError(f"the card of run {run} is not known (any more)")
        self._app.update([self._user], known["response_code"], card, known["task_id"])
