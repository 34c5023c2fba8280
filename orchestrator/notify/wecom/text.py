"""Text for WeCom: limits are bytes of UTF-8, not characters."""

from __future__ import annotations

from orchestrator.commands.neutral import neutral

__all__ = ["MARKDOWN_LIMIT", "clip", "neutral", "size", "split"]

#: Bytes of a markdown message of a group robot.
MARKDOWN_LIMIT = 4096


def size(text: str) -> int:
    """Bytes of ``text`` as it travels."""
    return len(text.encode("utf-8", "replace"))


def clip(text: str, limit: int, mark: str = "…") -> str:
    """``text``, or as much of its beginning as fits ``limit`` bytes together with ``mark``; never half a character."""
    raw = text.encode("utf-8", "replace")
    if len(raw) <= limit:
        return text
    return raw[: max(0, limit - size(mark))].decode("utf-8", "ignore") + mark


def split(text: str, limit: int = MARKDOWN_LIMIT) -> list[str]:
    """Cut ``text`` into parts of at most ``limit`` (4 or more) bytes that join to ``text`` again.

    Cuts after the last line end that fits; a line longer than the limit is cut between two characters.
    """
    if limit < 4:
        raise ValueError("a UTF-8 character may need 4 bytes")
    rest = text.encode("utf-8", "replace")
    parts: list[str] = []
    while len(rest) > limit:
        end = rest.rfind(b"\n", 0, limit) + 1 or _boundary(rest, limit)
        parts.append(rest[:end].decode())
        rest = rest[end:]
    return [*parts, rest.decode()] if rest or not parts else parts


def _boundary(raw: bytes, end: int) -> int:
    while raw[end] & 0xC0 == 0x80:  # a continuation byte: the character began before
        end -= 1
    return end
