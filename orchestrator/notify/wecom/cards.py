"""Our cards as WeCom's template cards (documents 90236 and 101032)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from orchestrator.commands.model import Answer, Card
from orchestrator.notify.wecom.text import neutral

#: A card without buttons must lead somewhere.
_ANYWHERE = {"type": 1, "url": "https://work.weixin.qq.com"}
_BUTTONS, _ROWS = 6, 6


@dataclass(frozen=True, slots=True)
class Style:
    """What differs between the channels: how long words may be, and the number of the red button."""

    title: int
    text: int
    danger: int


APP_STYLE = Style(title=36, text=160, danger=4)
BOT_STYLE = Style(title=60, text=112, danger=3)


def template_card(card: Card, task: str, style: Style) -> dict[str, Any]:
    """The JSON of a card; ``task`` is its id, unique for a new one and the same for its replacement."""
    shown: dict[str, Any] = {
        "card_type": "button_interaction" if card.buttons else "text_notice",
        "main_title": {"title": neutral(card.title, style.title)},
        "task_id": task,
    }
    if card.text:
        shown["sub_title_text"] = neutral(card.text, style.text)
    if card.rows:
        rows = card.rows[:_ROWS]
        shown["horizontal_content_list"] = [{"keyname": neutral(k, 20), "value": neutral(v, 60)} for k, v in rows]
    if card.buttons:
        shown["button_list"] = [
            {"text": neutral(button.text, 16), "style": style.danger if button.danger else 1, "key": button.key}
            for button in card.buttons[:_BUTTONS]
        ]
    else:
        shown["card_action"] = _ANYWHERE
    return shown


def greyed(shown: dict[str, Any], words: str) -> dict[str, Any]:
    """A card without buttons as the replacement of one that had some: an application's shows grey words there."""
    rest = {name: value for name, value in shown.items() if name != "card_action"}
    button = {"text": neutral(words, 16), "key": "settled", "style": 1}
    return {**rest, "card_type": "button_interaction", "button_list": [button], "replace_text": button["text"]}


def in_words(answer: Answer) -> str:
    """An answer as markdown alone, for when its card cannot be shown now."""
    lines = [answer.text] if answer.text else []
    if answer.card is not None:
        lines.append(f"**{neutral(answer.card.title)}**")
        lines += [f"> {name} {neutral(value)}" for name, value in answer.card.rows]
        lines += [neutral(answer.card.text, 300)] if answer.card.text else []
    return "\n".join(lines)
