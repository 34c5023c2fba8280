"""The AI bot's long connection (document 101463): one a bot, opened by us, kept and opened again after every close."""

from __future__ import annotations

import contextlib
import json
import logging
import secrets
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any

from orchestrator.domain.errors import ToolMissingError, UsageError
from orchestrator.notify.base import RefusedError, RetryLaterError
from orchestrator.notify.wecom.codes import error_of
from orchestrator.notify.wecom.limits import Windows, own_windows
from orchestrator.notify.wecom.secrets import masked
from orchestrator.notify.wecom.text import MARKDOWN_LIMIT, neutral, split

if TYPE_CHECKING:
    from websockets.sync.client import ClientConnection

_PING, _MISSED = 30.0, 2
_BACK_OFF = (1.0, 2.0, 4.0, 8.0, 16.0, 30.0)
_ANSWER = 5.0
_MAX_FRAME = 4 * 1024 * 1024

logger = logging.getLogger(__name__)
Body = Mapping[str, Any]


class BotConnection:
    """Receives what people write to a bot, and sends.

    ``receive(body, req_id)`` is called in the connection's own thread with every message and event: it must be quick.
    ``windows`` are the limits of its chats, replies and pushes together.
    """

    def __init__(  # noqa: PLR0913 - the parts of an address
        self,
        url: str,
        bot_id: str,
        secret: str,
        receive: Callable[[Body, str], object],
        *,
        windows: Windows | None = None,
        ping: float = _PING,
    ) -> None:
        if not (bot_id and secret):
            raise UsageError("the WeCom bot lacks its id or secret", "Complete wecom.bot and its environment variable.")
        self._url, self._id, self._secret = url, bot_id, secret
        self._receive, self._ping = receive, ping
        self.window = windows or own_windows()
        self._socket: ClientConnection | None = None
        self._waiting: dict[str, Future[dict[str, Any]]] = {}
        self._lock = threading.Lock()

    @property
    def connected(self) -> bool:
        """Whether the bot is ours now."""
        return self._socket is not None

    def serve(self, stop: threading.Event) -> bool:
        """Hold the connection until ``stop``; False when another process took the bot over: do not come back soon."""
        tries = 0
        while not stop.is_set():
            began = time.monotonic()
            try:
                if not self._session(stop):
                    logger.warning("another process took the bot over: this one yields")
                    return False
            except (OSError, RetryLaterError) as error:
                logger.warning("the bot's connection: %s", masked(str(error), self._secret))
            tries = 0 if time.monotonic() - began > 60 else tries + 1
            stop.wait(_BACK_OFF[min(max(0, tries - 1), len(_BACK_OFF) - 1)])
        return True

    def say(self, chat: str, command: str, body: Body, req_id: str = "") -> None:
        """Send something that people see in ``chat``; :class:`RetryLaterError` when its window is full."""
        with self.window(chat).slot():
            self.call(command, body, req_id)

    def call(self, command: str, body: Body, req_id: str = "", timeout: float = _ANSWER) -> dict[str, Any]:
        """Send a command and wait for its answer; with ``req_id`` it replies to that callback.

        Raises :class:`RetryLaterError` when there is no connection or no answer, and what ``error_of`` says.
        """
        req_id = req_id or f"{command}_{secrets.token_hex(8)}"
        future: Future[dict[str, Any]] = Future()
        with self._lock:
            socket = self._socket
            if socket is None:
                raise RetryLaterError("the bot is not connected", "It is tried again by itself.", after=2.0)
            self._waiting[req_id] = future
            try:
                self._send(socket, command, body, req_id)
            except RetryLaterError:
                self._waiting.pop(req_id, None)
                raise
        try:
            return _judged(future.result(timeout))
        except TimeoutError:
            raise RetryLaterError("the bot's service did not answer", "It is tried again by itself.") from None
        finally:
            self._waiting.pop(req_id, None)

    def _session(self, stop: threading.Event) -> bool:
        """One connection from its opening to its end; False when it was taken over."""
        with self._opened() as socket:
            self._subscribe(socket)
            logger.info("the bot is connected")
            self._socket = socket
            try:
                return self._listen(socket, stop)
            finally:
                self._socket = None
                self._give_up_waiting()

    def _opened(self) -> ClientConnection:
        connect, failures = _connector()
        proxy = None if self._url.startswith("ws://") else True
        options = {"open_timeout": 5, "close_timeout": 1, "max_size": _MAX_FRAME, "ping_interval": None, "proxy": proxy}
        try:
            made: ClientConnection = connect(self._url, **options)
        except failures as error:  # what answers is a proxy, or a service that is being restarted
            raise RetryLaterError(f"it was not opened ({type(error).__name__}: {error})") from None
        return made

    def _subscribe(self, socket: ClientConnection) -> None:
        req_id = f"aibot_subscribe_{secrets.token_hex(8)}"
        self._send(socket, "aibot_subscribe", {"bot_id": self._id, "secret": self._secret}, req_id)
        deadline = time.monotonic() + _ANSWER
        while (left := deadline - time.monotonic()) > 0:
            frame = _read(_received(socket, left))
            if _req_id(frame) == req_id:
                _judged(frame)
                return
        raise RetryLaterError("the bot's service did not answer the subscription")

    def _listen(self, socket: ClientConnection, stop: threading.Event) -> bool:
        next_ping, missed = time.monotonic() + self._ping, 0
        while not stop.is_set():
            if time.monotonic() >= next_ping:
                if missed >= _MISSED:
                    raise RetryLaterError("the bot's service is silent")
                self._send(socket, "ping", {}, f"ping_{secrets.token_hex(8)}")
                next_ping, missed = time.monotonic() + self._ping, missed + 1
            try:
                frame = _read(_received(socket, 0.3))
            except TimeoutError:
                continue
            if _req_id(frame).startswith("ping_"):
                missed = 0
            elif not self._handle(frame):
                return False
        return True

    def _handle(self, frame: dict[str, Any]) -> bool:
        command, body = frame.get("cmd"), frame.get("body")
        if not command:
            future = self._waiting.get(_req_id(frame))
            if future is not None and not future.done():
                future.set_result(frame)
        elif command in ("aibot_msg_callback", "aibot_event_callback") and isinstance(body, dict):
            event = body.get("event")
            if isinstance(event, dict) and event.get("eventtype") == "disconnected_event":
                return False
            self._receive(body, _req_id(frame))
        return True

    def _send(self, socket: ClientConnection, command: str, body: Body, req_id: str) -> None:
        from websockets.exceptions import ConnectionClosed

        frame: dict[str, Any] = {"cmd": command, "headers": {"req_id": req_id}}
        if body:
            frame["body"] = body
        try:
            socket.send(json.dumps(frame, ensure_ascii=False).encode("utf-8", "replace").decode())
        except (ConnectionClosed, OSError):
            raise RetryLaterError("the bot's connection is closed", after=2.0) from None

    def _give_up_waiting(self) -> None:
        for future in list(self._waiting.values()):
            if not future.done():
                future.set_exception(RetryLaterError("the bot's connection ended", after=2.0))


def _connector() -> tuple[Any, tuple[type[Exception], ...]]:
    """What opens a connection, and how that fails; websockets is imported when a bot is."""
    try:
        from websockets.exceptions import InvalidHandshake, InvalidURI
        from websockets.sync.client import connect
    except ModuleNotFoundError:
        raise ToolMissingError(
            "the AI bot needs the websockets package", "Install it with: pip install 'mo-testplan[wecom]'"
        ) from None
    return connect, (InvalidHandshake, InvalidURI)


def _received(socket: ClientConnection, timeout: float) -> str:
    from websockets.exceptions import ConnectionClosed

    try:
        return str(socket.recv(timeout))
    except ConnectionClosed as error:  # a clean close (1000) too: a bot without a connection hears nothing
        raise RetryLaterError(f"closed by the service ({error.rcvd.code if error.rcvd else 'abruptly'})") from None


def _read(text: str) -> dict[str, Any]:
    with contextlib.suppress(ValueError, RecursionError):
        frame = json.loads(text)
        if isinstance(frame, dict):
            return frame
    return {}


def _req_id(frame: dict[str, Any]) -> str:
    headers = frame.get("headers")
    return str(headers.get("req_id", "")) if isinstance(headers, dict) else ""


def _judged(frame: dict[str, Any]) -> dict[str, Any]:
    code = frame.get("errcode", 0)
    if not isinstance(code, int) or code != 0:
        raise error_of(code if isinstance(code, int) else 40058, neutral(masked(str(frame.get("errmsg", ""))), 300))
    return frame


class BotChat:
    """A bot's chat with one group or person: a :class:`~orchestrator.notify.base.Notifier`."""

    limit = MARKDOWN_LIMIT

    def __init__(self, bot: BotConnection, chat: str) -> None:
        self._bot, self._chat = bot, chat

    def wait(self) -> float:
        """Seconds until the chat may get another message; some while the bot is not connected."""
        return self._bot.window(self._chat).wait() if self._bot.connected else 1.0

    def deliver(self, payload: Mapping[str, Any], key: str) -> None:
        """Send ``payload["markdown"]``, in parts of 4096 bytes."""
        text = payload.get("markdown")
        if not isinstance(text, str) or not text.strip():
            raise RefusedError(f"message {key} has no text")
        for part in split(text, MARKDOWN_LIMIT):
            body = {"chatid": self._chat, "msgtype": "markdown", "markdown": {"content": part}}
            self._bot.say(self._chat, "aibot_send_msg", body)
