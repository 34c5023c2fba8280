"""What happens in a run: page by page, or as it happens (server-sent events)."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Header, Query
from fastapi.responses import StreamingResponse
from starlette.concurrency import run_in_threadpool

from orchestrator.api.rest.asking import After, CallerDep, FeedDep, RunName, ServiceDep
from orchestrator.domain.errors import BrokerError
from orchestrator.ledger.feed import Feed
from orchestrator.service.reads import cursor
from orchestrator.service.service import Service
from orchestrator.service.views import EventPage

router = APIRouter(prefix="/runs/{run}/events", tags=["events"])


class EventStream(StreamingResponse):
    """``text/event-stream``."""

    media_type = "text/event-stream"


@router.get("")
def page(
    run: RunName,
    service: ServiceDep,
    _caller: CallerDep,
    after: After = "0",
    wait: Annotated[float, Query(ge=0, le=4, description="Seconds to wait for the first event.")] = 0,
) -> EventPage:
    """Events after a cursor."""
    return service.reads.events(run, after, wait)


#: One event; ``data`` is a JSON object of strings.
_EVENT = {
    "type": "object",
    "properties": {name: {"type": "string"} for name in ("id", "event", "data")} | {"retry": {"type": "integer"}},
}


@router.get(
    "/stream", response_class=EventStream, responses={200: {"content": {"text/event-stream": {"schema": _EVENT}}}}
)
async def stream(
    run: RunName,
    service: ServiceDep,
    feed: FeedDep,
    _caller: CallerDep,
    after: After = "0",
    last: Annotated[str, Header(alias="Last-Event-ID", pattern=r"^([0-9]{1,15}(-[0-9]{1,15})?)?$")] = "",
) -> EventStream:
    """Events as they happen, until `ended`. A reconnect goes on after `Last-Event-ID`: nothing is told twice."""
    summary, _ = await run_in_threadpool(service.reads.find, run)
    return EventStream(
        _events(service, feed, summary.run, cursor(last or after)), headers={"Cache-Control": "no-store"}
    )


async def _events(service: Service, feed: Feed, run: str, after: str) -> AsyncIterator[str]:
    """What there is already, then what comes; of a run that has ended, and may have left the ledger, what there is."""
    yield "retry: 2000\n\n"
    try:
        while True:
            page = await run_in_threadpool(service.reads.events, run, after)
            for event in page.events:
                yield _told(event.id, event.kind, event.fields)
            after = page.cursor
            if page.events and page.events[-1].kind == "ended":
                return
            if not page.events:
                break
        if page.ended:
            yield _told("", "ended", {"state": (await run_in_threadpool(service.reads.run, run)).state.value})
            return
        async for events in feed.follow(run, after):
            for found in events:
                yield _told(found.id, found.kind, found.fields)
            if not events:
                yield ": still there\n\n"
    except BrokerError as error:
        yield f": {error.message.splitlines()[0]}\n\n"  # the client connects again, with the last id it has


def _told(entry: str, kind: str, fields: dict[str, str]) -> str:
    """One event as the protocol writes it; JSON has no line break of its own."""
    head = f"id: {entry}\n" if entry else ""
    return f"{head}event: {kind}\ndata: {json.dumps(fields, ensure_ascii=True)}\n\n"
