"""Sends prepared requests at a steady rate: `python -m benchmarks.chatload.sender URL FILE RATE` prints JSON.

Bare HTTP/1.1 over kept connections: an HTTP library would cost more than what is measured.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from pathlib import Path
from urllib.parse import urlencode, urlsplit

_CONNECTIONS = 100

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def send(url: str, requests: list[tuple[dict[str, str], str]], rate: int) -> list[tuple[int, float]]:
    """Status and seconds of each request, sent at ``rate`` a second whatever the answers do."""
    address = urlsplit(url)
    host, port = str(address.hostname), address.port or 80
    raw = [_bytes(f"{host}:{port}", address.path, query, body) for query, body in requests]
    free: asyncio.LifoQueue[Streams | None] = asyncio.LifoQueue()
    for _ in range(_CONNECTIONS):
        free.put_nowait(None)

    async def one(request: bytes) -> tuple[int, float]:
        began = time.monotonic()
        streams = await free.get()
        for kept in (streams, None):  # the server closes a kept connection when it likes: then a new one
            try:
                streams = kept or await asyncio.open_connection(host, port)
                status = await _exchange(streams, request)
                break
            except (OSError, ValueError, asyncio.IncompleteReadError):
                streams, status = None, 0
        free.put_nowait(streams)
        return status, time.monotonic() - began

    began, tasks = time.monotonic(), []
    for number, request in enumerate(raw):
        await asyncio.sleep(max(0.0, began + number / rate - time.monotonic()))
        tasks.append(asyncio.create_task(one(request)))
    return list(await asyncio.gather(*tasks))


def _bytes(host: str, path: str, query: dict[str, str], body: str) -> bytes:
    content = body.encode()
    head = f"POST {path}?{urlencode(query)} HTTP/1.1\r\nHost: {host}\r\nContent-Length: {len(content)}\r\n\r\n"
    return head.encode() + content


async def _exchange(streams: Streams, request: bytes) -> int:
    reader, writer = streams
    writer.write(request)
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
    length = head.partition("content-length:")[2].partition("\r\n")[0].strip()
    await reader.readexactly(int(length or 0))
    return int(head.split(" ", 2)[1])


if __name__ == "__main__":
    address, file, rate = sys.argv[1:]
    print(json.dumps(asyncio.run(send(address, json.loads(Path(file).read_text()), int(rate)))))
