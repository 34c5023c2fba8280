"""An OpenAI-compatible endpoint on this host for tests: it answers well, or in one of the ways that models misbehave.

Chat completions only, streamed (https://platform.openai.com/docs/api-reference/chat-streaming); it checks what the
protocol demands: the path, the bearer key, the roles of the messages.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType

KEY = "stand-in-key"
GOOD = json.dumps(
    {
        "cases": [
            {
                "name": "upper_edges",
                "why": "upper over empty, null and multi-byte text",
                "statements": [
                    "create table m1 (a int, b varchar(10))",
                    "insert into m1 values (1, 'a'), (2, ''), (3, null)",
                    "select a, upper(b) from m1 order by a",
                    "drop table m1",
                ],
            }
        ],
        "tests": [
            {"kind": "big data", "state": "needs attention", "reason": "the loop reads every row of a block"},
            {"kind": "BVT", "state": "not related", "reason": "nothing to see"},
        ],
    }
)


def _case(*statements: str) -> str:
    return json.dumps({"cases": [{"name": "bad", "why": "bad", "statements": list(statements)}]})


#: Behaviour: the texts it answers with, one a request, the last one again and again.
BEHAVIOURS: dict[str, Sequence[str]] = {
    "good": (GOOD,),
    "fenced": (f"```json\n{GOOD}\n```",),
    "malformed": ("Here are your cases: none.",),
    "repaired": ("not json", GOOD),
    "truncated": (GOOD[: len(GOOD) // 2],),
    "drop": (_case("drop database mo_catalog", "select 1"),),
    "system": (_case("-- @system rm -rf /\nselect 1"),),
    "directive": (_case("select 1 -- @system rm -rf /"),),
    "several": (_case("select 1; drop database mysql"),),
    "path": (json.dumps({"cases": [{"name": "../../etc/x", "why": "", "statements": ["select 1"]}]}),),
    "words": ("The change breaks pricing.\nLook at TestX first.",),
    "endless": (GOOD,),
    "slow": (GOOD,),
    "refused": (GOOD,),
}


class StandIn:
    """The endpoint, in a thread of its own; a context manager. ``requests`` are the bodies that came."""

    def __init__(self, behaviour: str) -> None:
        self.behaviour = behaviour
        self.requests: list[dict[str, object]] = []
        self.stopped = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    @property
    def url(self) -> str:
        """Where a client finds it."""
        return f"http://127.0.0.1:{self._server.server_address[1]}/v1"

    def __enter__(self) -> StandIn:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stopped.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def pieces(self) -> Iterator[str]:
        """The text of the next answer, in pieces."""
        if self.behaviour == "endless":
            while not self.stopped.is_set():
                yield "and so on " * 500
        if self.behaviour == "slow":
            self.stopped.wait(30)
        texts = BEHAVIOURS[self.behaviour]
        text = texts[min(len(self.requests) - 1, len(texts) - 1)]
        for at in range(0, len(text), 40):
            yield text[at : at + 40]

    def complaint(self, path: str, authorization: str | None, body: dict[str, object]) -> tuple[int, str] | None:
        """What the protocol says against a request."""
        if path != "/v1/chat/completions":
            return 404, "no such path"
        if authorization != f"Bearer {KEY}":
            return 401, "Incorrect API key provided"
        messages = body.get("messages")
        if not body.get("model") or not isinstance(messages, list) or not messages:
            return 400, "model and messages are required"
        if any(one.get("role") not in {"system", "user", "assistant"} for one in messages):
            return 400, "invalid role"
        return (429, "rate limit reached") if self.behaviour == "refused" else None

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        standin = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, format: str, *args: object) -> None:
                return

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers.get("Content-Length", "0"))) or b"{}")
                complaint = standin.complaint(self.path, self.headers.get("Authorization"), body)
                standin.requests.append(body)
                if complaint:
                    self._say(complaint[0], json.dumps({"error": {"message": complaint[1]}}))
                    return
                self.send_response(200)
                self.send_header("Content-Type", "text/event-stream")
                self.end_headers()
                try:
                    for piece in standin.pieces():
                        self._event(json.dumps(_chunk(piece)))
                    self._event("[DONE]")
                except OSError:
                    return  # the client has had enough

            def _say(self, status: int, text: str) -> None:
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text.encode())

            def _event(self, data: str) -> None:
                self.wfile.write(f"data: {data}\n\n".encode())
                self.wfile.flush()

        return Handler


def _chunk(piece: str) -> dict[str, object]:
    return {
        "id": "chatcmpl-standin",
        "object": "chat.completion.chunk",
        "created": int(time.time()),
        "model": "stand-in",
        "choices": [{"index": 0, "delta": {"role": "assistant", "content": piece}, "finish_reason": None}],
    }
