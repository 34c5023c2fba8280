"""Template cards: a robot's have no buttons (page 91770), those of applications and bots do (90236, 101032).

Codes by their names in page 90313; 40058 for more than six buttons is a guess.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from orchestrator.notify.wecom.standin.answers import Refusal
from orchestrator.notify.wecom.standin.shapes import Json, integer, mapping, objects, string
from orchestrator.notify.wecom.text import size

CARD_TYPES = ("text_notice", "news_notice")

_URL, _MEDIA, _USER = 1, 2, 3
_MINI_PROGRAM = 2
_TASK = re.compile(r"[0-9A-Za-z_@-]{1,128}")


def check_card(card: Json, known_media: Callable[[str], bool]) -> None:
    """Raise :class:`Refusal` for a card the robot would not show."""
    if string(card, "card_type") not in CARD_TYPES:
        raise Refusal(42031, "template_card.card_type invalid")
    title = string(mapping(card, "main_title"), "title")
    if not title and not string(card, "sub_title_text"):
        raise Refusal(42033, "template_card.main_title.title or sub_title_text missing")
    _check_action(mapping(card, "card_action"))
    _check_horizontal(objects(card, "horizontal_content_list"), known_media)
    _check_vertical(objects(card, "vertical_content_list"))
    _check_jumps(objects(card, "jump_list"))
    _check_pictures(card)
    for part in ("source", "emphasis_content", "quote_area", "image_text_area"):
        mapping(card, part)


def _check_action(action: Json) -> None:
    kind = integer(action, "type")
    if kind not in (1, 2):
        raise Refusal(42045, "template_card.card_action missing or its type invalid")
    _check_target(action, kind, "card_action")


def _check_target(part: Json, kind: int, where: str) -> None:
    if kind == _URL and not string(part, "url"):
        raise Refusal(42028, f"template_card.{where}.url missing")
    if kind == _MINI_PROGRAM and not string(part, "appid"):
        raise Refusal(42030, f"template_card.{where}.appid missing")


def _check_horizontal(rows: list[Json], known_media: Callable[[str], bool]) -> None:
    if len(rows) > 6:
        raise Refusal(42035, "template_card.horizontal_content_list exceed max length 6")
    for row in rows:
        kind = integer(row, "type")
        string(row, "value")
        if not string(row, "keyname"):
            raise Refusal(42027, "template_card.horizontal_content_list.keyname missing")
        if kind == _URL:
            _check_target(row, kind, "horizontal_content_list")
        elif kind == _MEDIA and not known_media(string(row, "media_id")):
            raise Refusal(42029, "template_card.horizontal_content_list.media_id invalid")
        elif kind == _USER and not string(row, "userid"):
            raise Refusal(42050, "template_card.horizontal_content_list.userid missing")


def _check_vertical(rows: list[Json]) -> None:
    if len(rows) > 4:
        raise Refusal(42036, "template_card.vertical_content_list exceed max length 4")
    for row in rows:
        if not string(row, "title"):
            raise Refusal(42033, "template_card.vertical_content_list.title missing")


def _check_jumps(rows: list[Json]) -> None:
    if len(rows) > 3:
        raise Refusal(42042, "template_card.jump_list exceed max length 3")
    for row in rows:
        if not string(row, "title"):
            raise Refusal(42033, "template_card.jump_list.title missing")
        _check_target(row, integer(row, "type"), "jump_list")


def _check_pictures(card: Json) -> None:
    if card.get("card_image") is not None and not string(mapping(card, "card_image"), "url"):
        raise Refusal(42044, "template_card.card_image.url missing")


def check_button_card(card: Json) -> str:
    """The task id of a card an application or a bot may send; raises :class:`Refusal`."""
    kind, task = string(card, "card_type"), string(card, "task_id")
    if kind not in ("button_interaction", "text_notice"):
        raise Refusal(42031, "template_card.card_type invalid")
    if task and not _TASK.fullmatch(task):
        raise Refusal(42014, "task_id invalid")
    if not string(mapping(card, "main_title"), "title") and not string(card, "sub_title_text"):
        raise Refusal(42033, "template_card.main_title.title missing")
    rows = objects(card, "horizontal_content_list")
    if len(rows) > 6:
        raise Refusal(42035, "horizontal_content_list exceed max length 6")
    if not all(string(row, "keyname") for row in rows):
        raise Refusal(42027, "horizontal_content_list.keyname missing")
    if kind == "text_notice":
        if integer(mapping(card, "card_action"), "type") not in (1, 2):
            raise Refusal(42045, "template_card.card_action missing")
        return task
    if not task:
        raise Refusal(42014, "task_id missing")
    string(card, "replace_text")
    _check_buttons(objects(card, "button_list"))
    return task


def _check_buttons(buttons: list[Json]) -> None:
    if not 1 <= len(buttons) <= 6:
        raise Refusal(40058, "button_list needs 1 to 6 buttons")
    keys = [string(button, "key") for button in buttons]
    for button, key in zip(buttons, keys, strict=True):
        if not string(button, "text"):
            raise Refusal(42038, "button_list.text missing")
        if not key or size(key) > 1024:
            raise Refusal(42039, "button_list.key missing or too long")
    if len(set(keys)) < len(keys):
        raise Refusal(42018, "button_list.key is not unique")
