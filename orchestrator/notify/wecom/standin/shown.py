"""A message as its reader sees it."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from orchestrator.notify.wecom.standin.shapes import Json, mapping, string


@dataclass(slots=True)
class Shown:
    """A message as its reader sees it now; ``body`` of a card changes with its updates."""

    #: A member's id, or ``group:ID``.
    chat: str
    msgtype: str
    body: Json
    task_id: str = ""
    updates: int = 0
    #: When it came, by the monotonic clock of this process.
    at: float = field(default_factory=time.monotonic)

    @property
    def content(self) -> str:
        """Its words."""
        if self.msgtype != "template_card":
            return str(self.body.get("content", ""))
        title = mapping(self.body, "main_title")
        return "\n".join(filter(None, (title.get("title"), string(self.body, "sub_title_text"))))

    @property
    def buttons(self) -> dict[str, str]:
        """Words of the buttons that can be clicked → their keys."""
        if self.body.get("replace_text"):
            return {}
        return {button["text"]: button["key"] for button in self.body.get("button_list", [])}
