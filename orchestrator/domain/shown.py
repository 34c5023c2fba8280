"""How what others wrote is shown to a person."""

from __future__ import annotations


def printable(text: str, keep: str = "") -> str:
    """``text`` safe to show on a terminal: what does not print becomes ``\\n``, ``\\x1b``, ``\\u202e`` …

    What is in ``keep`` stays.
    """
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() or char in keep else _escaped(char) for char in text)


def _escaped(char: str) -> str:
    return char.encode("unicode_escape").decode("ascii")
