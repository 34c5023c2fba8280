"""The robots of a group, without HTTP: keys, the rate of each, and what was delivered."""

from __future__ import annotations

import random
import threading
import uuid
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from orchestrator.notify.wecom.standin import lint, rules
from orchestrator.notify.wecom.standin.answers import Refusal, accepted, refused
from orchestrator.notify.wecom.standin.media import MediaShelf, uploaded
from orchestrator.notify.wecom.standin.shapes import Json

#: Seconds of the rolling window, and messages a robot may send in it.
WINDOW, PER_WINDOW = 60.0, 20


@dataclass(frozen=True, slots=True)
class Received:
    """A message as the group would see it."""

    key: str
    #: By the stand-in's clock.
    at: float
    msgtype: str
    #: The JSON that was delivered, with what the service cuts already cut; nothing but the shown part.
    body: Json
    warnings: tuple[str, ...] = ()

    @property
    def content(self) -> str:
        """The words of the message."""
        part = self.body[self.msgtype]
        if self.msgtype == "news":
            return "\n".join(article["title"] for article in part["articles"])
        if self.msgtype == "template_card":
            title = part.get("main_title") or {}
            return "\n".join(filter(None, (title.get("title"), title.get("desc"), part.get("sub_title_text"))))
        return str(part.get("content", ""))


@dataclass(slots=True)
class _Robot:
    media: MediaShelf
    enabled: bool = True
    attempts: deque[float] = field(default_factory=deque)

    def attempt(self, now: float) -> None:
        """Count a request, whatever becomes of it."""
        while self.attempts and self.attempts[0] <= now - WINDOW:
            self.attempts.popleft()
        self.attempts.append(now)
        if len(self.attempts) > PER_WINDOW:
            raise Refusal(45009, "api freq out of limit")


class RobotService:
    """All robots of one group. Safe to use from several threads."""

    def __init__(self, clock: Callable[[], float], seed: int | None = None) -> None:
        self._clock = clock
        self._source = random.Random(seed)  # noqa: S311 - hints and sample keys, not secrets
        self._robots: dict[str, _Robot] = {}
        self._changed = threading.Condition()
        self.received: list[Received] = []
        #: Requests that named a known robot, refused ones included.
        self.attempts = 0

    def add_robot(self, key: str | None = None) -> str:
        """Put a robot into the group; its key."""
        with self._changed:
            key = key or str(uuid.UUID(int=self._source.getrandbits(128), version=4))
            self._robots[key] = _Robot(MediaShelf(self._source))
            return key

    def remove_robot(self, key: str) -> None:
        """Take a robot out of the group: its key is unknown from now on."""
        with self._changed:
            self._robots.pop(key, None)

    def enable(self, key: str, enabled: bool) -> None:
        """Switch a robot on or off."""
        with self._changed:
            self._robots[key].enabled = enabled

    def send(self, key: str | None, raw: bytes, forced: int | None = None) -> dict[str, Any]:
        """The answer to ``/cgi-bin/webhook/send``; ``forced`` is an errcode to answer instead of the truth."""
        with self._changed:
            try:
                robot, now = self._robot(key), self._clock()
                self.attempts += 1
                robot.attempt(now)
                if forced is not None:
                    raise Refusal(forced, "injected")
                msgtype, part = rules.check(rules.parse(raw), lambda media: robot.media.knows(media, now))
            except Refusal as refusal:
                return refused(refusal, self._source)
            body = {"msgtype": msgtype, msgtype: part}
            self.received.append(Received(str(key), now, msgtype, body, lint.warnings(msgtype, body)))
            self._changed.notify_all()
            return accepted()

    def upload(self, key: str | None, kind: str, content_type: str, raw: bytes) -> dict[str, Any]:
        """The answer to ``/cgi-bin/webhook/upload_media``."""
        with self._changed:
            try:
                now = self._clock()
                media_id = self._robot(key).media.add(kind, uploaded(content_type, raw), now)
            except Refusal as refusal:
                return refused(refusal, self._source)
            return accepted(type=kind, media_id=media_id, created_at=str(int(now)))

    def wait_for(self, count: int, timeout: float) -> bool:
        """Wait until ``count`` messages were taken in all, at most ``timeout`` seconds; whether they were."""
        with self._changed:
            return self._changed.wait_for(lambda: len(self.received) >= count, timeout)

    def _robot(self, key: str | None) -> _Robot:
        robot = self._robots.get(key or "")
        if robot is None:
            raise Refusal(93000, "invalid webhook url")
        if not robot.enabled:
            raise Refusal(93004, "robot is disabled")
        return robot
