"""Rows of a metadata file, one JSON object a line."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn, TypeVar

_T = TypeVar("_T")


def rows_of_file(meta: Path, make: Callable[[dict[str, Any]], _T], needs: str) -> list[_T]:
    """What ``make`` makes of each row, in the order of the file; what it ``needs`` is said of a row that lacks it.

    Ends the program with 2 when the file cannot be read, a row is not as it should be, or there is none.
    """
    try:
        lines = meta.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        refuse(f"{meta} cannot be read: {error}")
    found = []
    for number, line in enumerate(lines, 1):
        if line.strip():
            try:
                found.append(make(json.loads(line)))
            except (ValueError, KeyError, TypeError) as error:
                refuse(f"{meta}:{number}: needs {needs} ({error!r})")
    return found or refuse(f"{meta} holds no row")


def refuse(why: str) -> NoReturn:
    """End the program with 2: what it was given is no use."""
    sys.stderr.write(f"{why}\n")
    raise SystemExit(2)
