"""Does a statement order its rows, and by which of its columns?"""

from __future__ import annotations

import re
from collections.abc import Sequence

_TOKEN = re.compile(
    r"""'(?>(?:[^'\\]|\\.|'')*)(?:'|\\?\Z) | "(?>(?:[^"\\]|\\.|"")*)(?:"|\\?\Z) | (?P<name>`[^`]*+`)
      | (?P<comment>--[^\n]*+ | \#[^\n]*+ | /\*.*?(?:\*/|\Z)) | (?P<order>\border\s+by\b) | \w+ | \s++ | .""",
    re.DOTALL | re.VERBOSE | re.IGNORECASE,
)
_QUERY = frozenset({"select", "with", "values", "table"})
_AFTER_ORDER = frozenset({"limit", "offset", "for", "into", "fetch", "union", "except", "intersect", "minus"})
_DIRECTION = re.compile(r"(\s+(asc|desc))?(\s+nulls\s+(first|last))?\s*\Z", re.IGNORECASE)
_COLUMN = re.compile(r"(?:\w+\s*\.\s*)*(\w+)")


def top_level_order(sql: str) -> list[str] | None:
    """The keys of the ORDER BY outside parentheses, without direction; None when the query has none, or is no query.

    Of several statements in one text the first one counts, as its rows are the ones compared.
    """
    depth, begun, keys = 0, False, None
    for token in _TOKEN.finditer(sql):
        text = token.group()
        if token["comment"] or (not begun and (text.isspace() or text == "(")):
            depth += text == "("
            continue
        if not begun and text.lower() not in _QUERY:
            return None
        begun = True
        depth += (text == "(") - (text == ")")
        if depth > 0 or (depth == 0 and text == ")"):
            if keys:
                keys[-1] += text
        elif text == ";":
            break
        elif token["order"]:
            keys = [""]
        elif keys is not None:
            if text.lower() in _AFTER_ORDER:
                if text.lower() in {"union", "except", "intersect", "minus"}:
                    keys = None
                    continue
                break
            if text == ",":
                keys.append("")
            else:
                keys[-1] += token["name"].strip("`") if token["name"] else text
    return None if keys is None else [_DIRECTION.sub("", key.strip()) for key in keys]


def ordered_columns(keys: Sequence[str], labels: Sequence[str]) -> list[int] | None:
    """The 0-based columns that ``keys`` name, by position or by label; None when one of them is something else."""
    names = [label.lower() for label in labels]
    found = []
    for key in keys:
        column = _COLUMN.fullmatch(key)
        if key.isdecimal() and 0 < int(key) <= len(names):
            found.append(int(key) - 1)
        elif key.lower() in names:
            found.append(names.index(key.lower()))
        elif column and names.count(column[1].lower()) == 1:
            found.append(names.index(column[1].lower()))
        else:
            return None
    return found
