"""What a group robot takes and what it refuses, message type by message type (page 91770)."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Callable
from typing import Any

from orchestrator.notify.wecom.standin.answers import WRONG_JSON, Refusal
from orchestrator.notify.wecom.standin.cards import check_card
from orchestrator.notify.wecom.standin.shapes import Json, mapping, objects, string, strings
from orchestrator.notify.wecom.text import clip, size

#: Bytes of ``content``.
CONTENT_LIMITS = {"text": 2048, "markdown": 4096, "markdown_v2": 4096}
MSGTYPES = (*CONTENT_LIMITS, "image", "news", "file", "voice", "template_card")

_IMAGE_LIMIT = 2 * 1024 * 1024
_IMAGE_STARTS = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff")
_NEWS_LIMIT, _TITLE_LIMIT, _DESCRIPTION_LIMIT = 8, 128, 512


def parse(raw: bytes) -> Json:
    """The JSON object of a request."""
    try:
        body: Any = json.loads(raw.decode("utf-8"))
    except (ValueError, RecursionError):
        raise Refusal(40058, WRONG_JSON) from None
    if not isinstance(body, dict):
        raise Refusal(40058, WRONG_JSON)
    return body


def check(body: Json, known_media: Callable[[str], bool]) -> tuple[str, Json]:
    """The type and the part of ``body`` that members would see; raises :class:`Refusal`.

    Like the real one, only the part named by ``msgtype`` is read.
    """
    msgtype = body.get("msgtype")
    if msgtype not in MSGTYPES:
        raise Refusal(40008, "invalid message type")
    part = mapping(body, msgtype)
    if msgtype in CONTENT_LIMITS:
        _check_content(msgtype, part)
    elif msgtype == "image":
        _check_image(part)
    elif msgtype == "news":
        part = _check_news(part)
    elif msgtype == "template_card":
        check_card(part, known_media)
    elif not known_media(string(part, "media_id")):
        raise Refusal(40007, "invalid media_id")
    return msgtype, part


def _check_content(msgtype: str, part: Json) -> None:
    content = string(part, "content")
    if not content:
        raise Refusal(44004, "empty content")
    limit = CONTENT_LIMITS[msgtype]
    if size(content) > limit:
        raise Refusal(40058, f"{msgtype}.content exceed max length {limit}. invalid Request Parameter")
    if msgtype == "text":
        strings(part, "mentioned_list")
        strings(part, "mentioned_mobile_list")


def _check_image(part: Json) -> None:
    try:
        raw = base64.b64decode(string(part, "base64"), validate=True)
    except (binascii.Error, ValueError):
        raise Refusal(40058, "image.base64 is no base64. invalid Request Parameter") from None
    if not raw:
        raise Refusal(44001, "empty media data")
    if len(raw) > _IMAGE_LIMIT:
        raise Refusal(40006, "image exceed max length 2097152. invalid image size")
    if not raw.startswith(_IMAGE_STARTS):
        raise Refusal(40004, "invalid image type: JPG or PNG")
    if hashlib.md5(raw, usedforsecurity=False).hexdigest() != string(part, "md5").lower():
        raise Refusal(40058, "image.md5 does not match. invalid Request Parameter")


def _check_news(part: Json) -> Json:
    articles = objects(part, "articles")
    if not articles:
        raise Refusal(44004, "empty content")
    if len(articles) > _NEWS_LIMIT:
        raise Refusal(45008, f"news.articles exceed max length {_NEWS_LIMIT}")
    return {**part, "articles": [_article(article) for article in articles]}


def _article(article: Json) -> Json:
    if not string(article, "title") or not string(article, "url"):
        raise Refusal(40058, "news.articles needs title and url. invalid Request Parameter")
    string(article, "picurl")
    shown = {**article, "title": clip(article["title"], _TITLE_LIMIT, "")}
    if string(article, "description"):
        shown["description"] = clip(article["description"], _DESCRIPTION_LIMIT, "")
    return shown
