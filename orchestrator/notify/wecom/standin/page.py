"""The chat as its members see it: one page of a browser, which asks for what is new and sends words and clicks."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from orchestrator.domain.errors import MoTestplanError
from orchestrator.notify.wecom.standin.answers import Refusal
from orchestrator.notify.wecom.standin.rules import parse
from orchestrator.notify.wecom.standin.server import Reply
from orchestrator.notify.wecom.standin.shapes import Json, integer, string

if TYPE_CHECKING:
    from orchestrator.notify.wecom.standin.world import WeComWorld

_HTML = "text/html; charset=UTF-8"


class ChatPage:
    """The paths ``/`` (the page), ``/chat`` (what a member sees), ``/chat/say`` and ``/chat/click``."""

    def __init__(self, world: WeComWorld) -> None:
        self._world = world

    def route(self, method: str, path: str, query: dict[str, str], raw: bytes) -> Reply | None:
        """The answer to a request."""
        if (method, path) == ("GET", "/"):
            return Reply(Path(__file__).with_name("page.html").read_bytes(), _HTML)
        if (method, path) == ("GET", "/chat"):
            return _json(self._seen(query.get("as", "")))
        if method == "POST" and path in ("/chat/say", "/chat/click"):
            return _json(self._done(path, raw))
        return None

    def _seen(self, user: str) -> dict[str, Any]:
        world = self._world
        user = user if user in world.members else world.members[0]
        return {"members": world.members, "group": world.group, "as": user, "chats": world.seen_by(user)}

    def _done(self, path: str, raw: bytes) -> dict[str, Any]:
        try:
            body = parse(raw)
            self._act(path, body)
        except Refusal as refusal:
            return {"error": refusal.text}
        except MoTestplanError as error:
            return {"error": f"{error.message}. {error.remedy}"}
        return {}

    def _act(self, path: str, body: Json) -> None:
        place, user = string(body, "place"), string(body, "as")
        if path == "/chat/say":
            self._world.say(place, user, string(body, "text"))
        else:
            self._world.click(place, user, integer(body, "number", -1), string(body, "key"))


def _json(data: object) -> Reply:
    return Reply(json.dumps(data, ensure_ascii=False).encode("utf-8", "replace"))
