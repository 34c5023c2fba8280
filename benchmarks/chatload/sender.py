"""Sends prepared requests at a steady rate: `python -m benchmarks.chatload.sender URL FILE RATE` prints JSON."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from pathlib import Path

import httpx


async def send(url: str, requests: list[tuple[dict[str, str], str]], rate: int) -> list[tuple[int, float]]:
    """Status and seconds of each request, sent at ``rate`` a second whatever the answers do."""
    limits = httpx.Limits(max_connections=100, max_keepalive_connections=100)

    async with httpx.AsyncClient(limits=limits, timeout=10, trust_env=False) as client:

        async def one(query: dict[str, str], body: str) -> tuple[int, float]:
            began = time.monotonic()
            try:
                reply = await client.post(url, params=query, content=body)
            except httpx.HTTPError:
                return 0, time.monotonic() - began
            return reply.status_code, time.monotonic() - began

        began, tasks = time.monotonic(), []
        for number, (query, body) in enumerate(requests):
            await asyncio.sleep(max(0.0, began + number / rate - time.monotonic()))
            tasks.append(asyncio.create_task(one(query, body)))
        return list(await asyncio.gather(*tasks))


if __name__ == "__main__":
    address, file, rate = sys.argv[1:]
    print(json.dumps(asyncio.run(send(address, json.loads(Path(file).read_text()), int(rate)))))
