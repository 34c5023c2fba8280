"""What the robot takes and members then see wrongly: warnings, not refusals."""

from __future__ import annotations

import re

from orchestrator.notify.wecom.standin.shapes import Json

_COLOURS = ("info", "comment", "warning")
_FONT = re.compile(r"<font\s+color=[\"']?([\w#-]*)", re.IGNORECASE)

#: Markdown (the first one) shows these as they stand.
_NOT_IN_V1 = (
    (re.compile(r"^\s*(?:[-*+]|\d+\.)\s", re.MULTILINE), "a list"),
    (re.compile(r"^\s*\|.*\|\s*$", re.MULTILINE), "a table"),
    (re.compile(r"!\[[^\]]*\]\("), "an image"),
    (re.compile(r"^\s*```", re.MULTILINE), "fenced code"),
    (re.compile(r"^\s*(?:---+|\*\*\*+)\s*$", re.MULTILINE), "a rule"),
)


def warnings(msgtype: str, body: Json) -> tuple[str, ...]:
    """What a person should look at in a message that was taken."""
    part = body[msgtype]
    found: list[str] = []
    if msgtype == "markdown":
        found += [
            f"markdown shows {what} as plain text" for pattern, what in _NOT_IN_V1 if pattern.search(part["content"])
        ]
        unknown = [colour for colour in _FONT.findall(part["content"]) if colour not in _COLOURS]
        found += [f"markdown knows no colour {colour!r}" for colour in unknown]
    if msgtype == "markdown_v2":
        found += [f"markdown_v2 knows no {mark}" for mark in ("<font", "<@") if mark in part["content"]]
    if msgtype.startswith("markdown") and "mentioned_list" in part:
        found.append(f"mentioned_list has no effect in {msgtype}")
    return tuple(found)
