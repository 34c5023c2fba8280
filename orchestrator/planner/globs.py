"""Glob patterns of a profile, read as ``.gitignore`` reads them."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable

_TOKEN = re.compile(r"\*\*/|\*\*|\*|\?|[^*?]+")
_MEANING = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}


def matches(path: str, patterns: Iterable[str]) -> bool:
    """Whether the last of ``patterns`` that matches ``path`` takes it in; one that starts with ``!`` takes it out.

    A pattern without ``/`` matches the file's name in any directory; others match the whole path. ``*`` and ``?`` stay
    within a directory, ``**`` does not.
    """
    taken = False
    for pattern in patterns:
        inverted = pattern.startswith("!")
        if taken is inverted and _compiled(pattern[inverted:]).fullmatch(path):
            taken = not inverted
    return taken


@functools.cache
def _compiled(pattern: str) -> re.Pattern[str]:
    anchored = pattern if "/" in pattern else f"**/{pattern}"
    parts = (_MEANING.get(token, re.escape(token)) for token in _TOKEN.findall(anchored.removeprefix("/")))
    return re.compile("".join(parts), re.DOTALL)
