"""The stand-in's HTTP side: a thread a connection, on a port of this machine only."""

from __future__ import annotations

import json
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import NamedTuple, Self
from urllib.parse import parse_qs, urlsplit

from orchestrator.domain.errors import InfrastructureError
from orchestrator.notify.wecom.standin.faults import Fault, FaultKind
from orchestrator.notify.wecom.standin.service import Received, RobotService

_SEND, _UPLOAD = "/cgi-bin/webhook/send", "/cgi-bin/webhook/upload_media"
#: Bytes of a request: an image of 2 MB as base64, and a file of 20 MB, with some room.
_BODY_LIMITS = {_SEND: 4 * 1024 * 1024, _UPLOAD: 21 * 1024 * 1024}
_OTHER_BODY = 1024 * 1024


class Reply(NamedTuple):
    """An HTTP answer."""

    body: bytes
    content_type: str = "application/json; charset=UTF-8"
    status: int = 200


#: Further paths of the server, called from many threads with method, path, query and body; None: not for this route.
Route = Callable[[str, str, dict[str, str], bytes], Reply | None]


class WeComStandIn:
    """A group with one robot at ``base_url``, reachable while the ``with`` block lasts.

    ``clock`` is what the rate window and the media ids go by; ``seed`` makes keys and hints the same every time;
    ``port`` 0 takes a free one; ``routes`` answer what is not the robot's.
    """

    def __init__(
        self,
        *,
        port: int = 0,
        key: str | None = None,
        clock: Callable[[], float] = time.monotonic,
        seed: int | None = None,
        routes: Sequence[Route] = (),
    ) -> None:
        self.routes = routes
        self.service = RobotService(clock, seed)
        self.key = self.service.add_robot(key)
        self._port = port
        self._faults: deque[Fault] = deque()
        self._closing = threading.Event()
        self._server: _Server | None = None

    def __enter__(self) -> Self:
        handler = type("Handler", (_Handler,), {"standin": self})
        try:
            self._server = _Server(("127.0.0.1", self._port), handler)
        except OSError as error:
            raise cannot_open(self._port, error) from None
        self._port = self._server.server_port
        threading.Thread(target=self._server.serve_forever, args=(0.05,), name="wecom-stand-in", daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing.set()
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()

    @property
    def base_url(self) -> str:
        """What ``wecom.base_url`` of a profile should say."""
        return f"http://127.0.0.1:{self._port}"

    @property
    def messages(self) -> list[Received]:
        """What was taken so far, in order."""
        return list(self.service.received)

    def wait_for(self, count: int, timeout: float = 10.0) -> bool:
        """Wait until ``count`` messages were taken in all; whether they were."""
        return self.service.wait_for(count, timeout)

    def inject(self, kind: FaultKind, value: float = 0, times: int = 1) -> None:
        """Let the next ``times`` messages meet a trouble, after those injected before."""
        self._faults.extend([Fault(kind, value)] * times)

    def next_fault(self) -> Fault | None:
        """The trouble of the request at hand."""
        try:
            return self._faults.popleft()
        except IndexError:
            return None

    def pause(self, seconds: float) -> None:
        """Be slow, but not slower than the end of the block."""
        self._closing.wait(seconds)


def cannot_open(port: int, error: OSError) -> InfrastructureError:
    """What to say when a port is taken."""
    return InfrastructureError(
        f"port {port} cannot be opened: {error.strerror}", "Name another one, or 0 for any free one."
    )


class _Server(ThreadingHTTPServer):
    def handle_error(self, request: object, client_address: object) -> None:
        """A caller who hangs up is no news."""
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 30
    standin: WeComStandIn

    def do_POST(self) -> None:
        address = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(address.query).items()}
        raw = self._body(address.path)
        if raw is None:
            return
        if address.path not in _BODY_LIMITS:
            self._routed(address.path, query, raw)
        elif address.path == _UPLOAD:
            kind, content_type = query.get("type", ""), self.headers.get("Content-Type", "")
            self._answer(200, self.standin.service.upload(query.get("key"), kind, content_type, raw))
        else:
            self._send(query.get("key"), raw)

    def do_GET(self) -> None:
        address = urlsplit(self.path)
        if address.path in _BODY_LIMITS:
            self._answer(405, {})
        else:
            self._routed(address.path, {name: values[0] for name, values in parse_qs(address.query).items()}, b"")

    def _routed(self, path: str, query: dict[str, str], raw: bytes) -> None:
        replies = (route(self.command, path, query, raw) for route in self.standin.routes)
        self._reply(next((reply for reply in replies if reply is not None), Reply(b"{}", status=404)))

    def _send(self, key: str | None, raw: bytes) -> None:
        fault = self.standin.next_fault()
        kind, value = (fault.kind, fault.value) if fault else (None, 0.0)
        if kind is FaultKind.HTTP:
            self._answer(int(value), {})
            return
        if kind is FaultKind.SLOW:
            self.standin.pause(value)
        if kind is FaultKind.DROP:
            self.close_connection = True
            return
        forced = int(value) if kind is FaultKind.ERRCODE else None
        answer = self.standin.service.send(key, raw, forced)
        if kind is FaultKind.LOSE:
            self.close_connection = True
            return
        self._answer(200, answer)

    def _body(self, path: str) -> bytes | None:
        """The request's bytes; ``None`` when it was answered already."""
        length = self.headers.get("Content-Length", "")
        status = 0 if length.isdecimal() else 411
        if not status and int(length) > _BODY_LIMITS.get(path, _OTHER_BODY):
            status = 413
        if status:
            self.close_connection = True
            self._answer(status, {})
            return None
        return self.rfile.read(int(length))

    def _answer(self, status: int, body: dict[str, object]) -> None:
        self._reply(Reply(json.dumps(body, ensure_ascii=False).encode(), status=status))

    def _reply(self, reply: Reply) -> None:
        try:
            self.send_response(reply.status)
            self.send_header("Content-Type", reply.content_type)
            self.send_header("Content-Length", str(len(reply.body)))
            self.end_headers()
            self.wfile.write(reply.body)
        except OSError:
            self.close_connection = True  # the caller has hung up

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: the address holds the key."""
