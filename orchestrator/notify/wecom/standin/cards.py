"""Template cards of a group robot: two notice types, no buttons (page 91770; codes by their names in page 90313)."""

from __future__ import annotations

from collections.abc import Callable

from orchestrator.notify.wecom.standin.answers import Refusal
from orchestrator.notify.wecom.standin.shapes import Json, integer, mapping, objects, string

CARD_TYPES = ("text_notice", "news_notice")

_URL, _MEDIA, _USER = 1, 2, 3
_MINI_PROGRAM = 2


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
