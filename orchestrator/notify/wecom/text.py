"""Text for WeCom: limits are bytes of UTF-8, and what tests print must not speak in our name.

The markdown subset a group robot renders (developer.work.weixin.qq.com, document 91770): headings, ``**bold**``,
``[text](url)``, back-ticks, ``> quote``, ``<font color>`` and ``<@member>``; bare addresses become links by themselves.
"""

from __future__ import annotations

import re
import unicodedata

#: Bytes of a markdown message of a group robot.
MARKDOWN_LIMIT = 4096

#: Terminal colours and cursor movements, as test tools print them.
_ANSI = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\-_])")
#: Full-width twins: they read the same and mean nothing to the renderer.
_INERT = str.maketrans("<>@[]`", "＜＞＠［］＇")
_WORDS = ((re.compile(r":(?=//)"), "："), (re.compile(r"\bwww\.", re.IGNORECASE), "www．"))
_BOLD = re.compile(r"\*{2,}")
_BLANK = re.compile(r"\s+")
_LINE_START = re.compile(r"^[#>*+\-|=~]")


def neutral(untrusted: str, limit: int = 200) -> str:
    """One line of at most ``limit`` characters that a chat shows as it stands.

    Mentions, fonts, links, headings, quotes, bold and code lose their power; control, colour and invisible characters
    (bidirectional ones too) vanish; white space of any kind becomes one blank.
    """
    head = untrusted[: limit * 8 + 64]  # nothing beyond can show, and a log line may have megabytes
    visible = "".join(map(_visible, _ANSI.sub("", head)))
    line = _BLANK.sub(" ", visible).strip().translate(_INERT)
    for pattern, twin in _WORDS:
        line = pattern.sub(twin, line)
    line = _BOLD.sub(lambda run: "＊" * len(run[0]), line)
    line = _LINE_START.sub(lambda mark: chr(ord(mark[0]) + 0xFEE0), line)
    return line if len(line) <= limit else line[: limit - 1] + "…"


def _visible(character: str) -> str:
    if character.isascii() and character.isprintable():
        return character
    kind = unicodedata.category(character)
    if kind in ("Cc", "Zl", "Zp", "Zs"):
        return " "
    if kind == "Cs":
        return "\ufffd"
    return "" if kind in ("Cf", "Cn", "Co") else character


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
