"""Files and voices uploaded to a robot: three days, for that robot's key only (page 91770)."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from email.parser import BytesParser
from email.policy import HTTP

from orchestrator.notify.wecom.standin.answers import Refusal

#: Seconds a media id is good for.
LIFE = 3 * 24 * 3600.0
#: Smallest and biggest upload, in bytes, by type.
SIZES = {"file": (5, 20 * 1024 * 1024), "voice": (1, 2 * 1024 * 1024)}


@dataclass(slots=True)
class MediaShelf:
    """What was uploaded with one key: media id → seconds when it came."""

    source: random.Random
    born: dict[str, float] = field(default_factory=dict)

    def add(self, kind: str, data: bytes, now: float) -> str:
        """Keep an upload; its media id."""
        if kind not in SIZES:
            raise Refusal(40004, "invalid media type")
        if not data:
            raise Refusal(44001, "empty media data")
        smallest, biggest = SIZES[kind]
        if not smallest <= len(data) <= biggest:
            raise Refusal(40006, "invalid meida size")  # the spelling of the real service
        if kind == "voice" and not data.startswith(b"#!AMR"):
            raise Refusal(40004, "invalid media type: voice must be AMR")
        media_id = f"3{self.source.getrandbits(160):040x}"
        self.born[media_id] = now
        return media_id

    def knows(self, media_id: str, now: float) -> bool:
        """Whether the id may be used now."""
        born = self.born.get(media_id)
        return born is not None and now - born < LIFE


def uploaded(content_type: str, raw: bytes) -> bytes:
    """The bytes of the multipart field ``media``."""
    head = f"Content-Type: {content_type}\r\n\r\n".encode("latin-1", "replace")
    message = BytesParser(policy=HTTP).parsebytes(head + raw)
    parts = list(message.iter_parts()) if message.is_multipart() else []
    for part in parts:
        if part.get_param("name", header="content-disposition") == "media" and part.get_filename():
            payload = part.get_payload(decode=True)
            return payload if isinstance(payload, bytes) else b""
    raise Refusal(41005, "missing multipart field media with a filename")
