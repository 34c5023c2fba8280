"""Text of tests and people, made harmless for a chat: it must not speak in our name.

What chats give a meaning to (WeCom: developer.work.weixin.qq.com, document 91770): headings, ``**bold**``,
``[text](url)``, back-ticks, ``> quote``, ``<font color>`` and ``<@member>``; bare addresses become links by themselves.
"""

from __future__ import annotations

import re
import unicodedata

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
