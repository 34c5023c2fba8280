"""What workers, tests and chats say, made fit for any SQL database.

PostgreSQL refuses NUL in text, SQLite refuses lone surrogates and numbers beyond 64 bits, and turns NaN into NULL.
"""

from __future__ import annotations

import math
from typing import overload

#: Characters kept of a name, and of anything longer.
NAME = 1000
TEXT = 64_000

_MAX_INT = 2**31 - 1


@overload
def text(value: str, limit: int = TEXT) -> str: ...
@overload
def text(value: None, limit: int = TEXT) -> None: ...
def text(value: str | None, limit: int = TEXT) -> str | None:
    """``value`` with what no database takes as U+FFFD, cut at ``limit`` characters."""
    if value is None:
        return None
    short = value if len(value) <= limit else value[: limit - 1] + "…"
    if "\0" in short:
        short = short.replace("\0", "\ufffd")
    return short if short.isascii() else short.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def number(value: float) -> float:
    """``value``, or 0 when it is not finite."""
    return float(value) if math.isfinite(value) else 0.0


def count(value: int) -> int:
    """``value`` between 0 and what a 32-bit column holds."""
    return max(0, min(int(value), _MAX_INT))


def line(value: int | None) -> int | None:
    """A line number, or ``None`` when it cannot be one."""
    return value if value is not None and 0 <= value <= _MAX_INT else None
