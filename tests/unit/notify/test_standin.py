"""The stand-in against section after section of the robot's documented rules (pages 91770 and 90313)."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any

import pytest

from orchestrator.notify.wecom.standin import lint
from orchestrator.notify.wecom.standin.service import RobotService

PNG = b"\x89PNG\r\n\x1a\n" + b"x" * 100
CARD = {"card_type": "text_notice", "main_title": {"title": "t"}, "card_action": {"type": 1, "url": "http://x"}}


class Clock:
    now = 5000.0

    def __call__(self) -> float:
        return self.now


class Group:
    """A robot service with one robot, asked as HTTP would."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.service = RobotService(self.clock, seed=1)
        self.key = self.service.add_robot()

    def send(self, body: object, key: str | None = None) -> dict[str, Any]:
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.service.send(self.key if key is None else key, raw)

    def code(self, body: object) -> int:
        self.clock.now += 61  # each in a window of its own
        return int(self.send(body)["errcode"])

    def upload(self, kind: str, data: bytes, name: str = "media", key: str | None = None) -> dict[str, Any]:
        raw = (
            (
                f'--B\r\nContent-Disposition: form-data; name="{name}"; filename="a.txt"; filelength={len(data)}\r\n'
                "Content-Type: application/octet-stream\r\n\r\n"
            ).encode()
            + data
            + b"\r\n--B--\r\n"
        )
        return self.service.upload(key or self.key, kind, "multipart/form-data; boundary=B", raw)


@pytest.fixture
def group() -> Group:
    return Group()


def markdown(content: object) -> dict[str, Any]:
    return {"msgtype": "markdown", "markdown": {"content": content}}


def image(raw: bytes, digest: str | None = None) -> dict[str, Any]:
    md5 = hashlib.md5(raw).hexdigest() if digest is None else digest  # noqa: S324 - the protocol's digest
    return {"msgtype": "image", "image": {"base64": base64.b64encode(raw).decode(), "md5": md5}}


def news(count: int, **article: object) -> dict[str, Any]:
    return {"msgtype": "news", "news": {"articles": [{"title": "t", "url": "u", **article}] * count}}


def card(**changes: object) -> dict[str, Any]:
    return {"msgtype": "template_card", "template_card": {**CARD, **changes}}


def test_a_good_message_is_taken_and_remembered(group: Group) -> None:
    assert group.send(markdown("**hello** 中")) == {"errcode": 0, "errmsg": "ok"}
    message = group.service.received[0]
    assert (message.key, message.msgtype, message.content) == (group.key, "markdown", "**hello** 中")


def test_errmsg_looks_real_and_is_never_twice_the_same(group: Group) -> None:
    one, other = (str(group.send(markdown(""))["errmsg"]) for _ in range(2))
    assert one.startswith("empty content, hint: [")
    assert one.endswith(", from ip: 127.0.0.1, more info at https://open.work.weixin.qq.com/devtool/query?e=44004")
    assert one != other


@pytest.mark.parametrize("key", ["", "nobody"])
def test_an_unknown_key_is_93000(group: Group, key: str) -> None:
    assert group.send(markdown("x"), key)["errcode"] == 93000
    assert group.service.send(None, b"{}")["errcode"] == 93000


def test_a_removed_robot_is_93000_and_a_disabled_one_93004(group: Group) -> None:
    group.service.enable(group.key, False)
    assert group.code(markdown("x")) == 93004
    group.service.enable(group.key, True)
    assert group.code(markdown("x")) == 0
    group.service.remove_robot(group.key)
    assert group.code(markdown("x")) == 93000


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"not json",
        b"[1]",
        b'"text"',
        b"\xff\xfe",
        b"[" * 100_000,
        json.dumps({"msgtype": "text", "text": "hello"}).encode(),
        json.dumps(markdown(5)).encode(),
        json.dumps(markdown(["x"])).encode(),
        json.dumps({"msgtype": "text", "text": {"content": "x", "mentioned_list": "@all"}}).encode(),
        json.dumps({"msgtype": "text", "text": {"content": "x", "mentioned_mobile_list": [138]}}).encode(),
        json.dumps(news(1, picurl=7)).encode(),
        json.dumps({"msgtype": "news", "news": {"articles": ["x"]}}).encode(),
        json.dumps(card(main_title="t")).encode(),
    ],
)
def test_wrong_json_and_wrong_types_are_40058(group: Group, raw: bytes) -> None:
    answer = group.send(raw)
    assert answer["errcode"] == 40058
    assert "Warning: wrong json format." in answer["errmsg"]
    assert group.service.received == []


@pytest.mark.parametrize("msgtype", ["html", "", None, 7, [], "interactive"])
def test_an_unknown_type_is_40008(group: Group, msgtype: object) -> None:
    assert group.code({"msgtype": msgtype, "text": {"content": "x"}}) == 40008


@pytest.mark.parametrize("msgtype", ["text", "markdown", "markdown_v2"])
def test_missing_or_empty_content_is_44004(group: Group, msgtype: str) -> None:
    parts: tuple[dict[str, object], ...] = ({}, {msgtype: {}}, {msgtype: {"content": ""}}, {msgtype: None})
    for part in parts:
        assert group.code({"msgtype": msgtype, **part}) == 44004


@pytest.mark.parametrize(("msgtype", "limit"), [("text", 2048), ("markdown", 4096), ("markdown_v2", 4096)])
def test_limits_are_bytes(group: Group, msgtype: str, limit: int) -> None:
    fits, over = "中" * (limit // 3) + "x" * (limit % 3), "中" * (limit // 3) + "x" * (limit % 3 + 1)
    assert group.code({"msgtype": msgtype, msgtype: {"content": fits}}) == 0
    answer = group.send({"msgtype": msgtype, msgtype: {"content": over}})
    assert answer["errcode"] == 40058
    assert f"{msgtype}.content exceed max length {limit}" in answer["errmsg"]


def test_images_need_their_digest_size_and_format(group: Group) -> None:
    assert group.code(image(PNG)) == 0
    assert group.code(image(b"\xff\xd8\xff" + b"y" * 50)) == 0
    assert group.code(image(PNG, "0" * 32)) == 40058
    assert group.code(image(b"GIF89a" + b"x" * 50)) == 40004
    assert group.code(image(PNG + b"x" * 2 * 1024 * 1024)) == 40006
    assert group.code(image(b"")) == 44001
    assert group.code({"msgtype": "image", "image": {"base64": "%%%", "md5": "x"}}) == 40058


def test_news_has_one_to_eight_articles_and_long_words_are_cut(group: Group) -> None:
    assert group.code(news(8)) == 0
    assert group.code(news(9)) == 45008
    assert group.code(news(0)) == 44004
    assert group.code(news(1, url="")) == 40058
    assert group.code(news(1, title="中" * 60, description="d" * 600)) == 0
    shown = group.service.received[-1].body["news"]["articles"][0]
    assert (shown["title"], len(shown["description"])) == ("中" * 42, 512)


def test_media_is_for_its_key_and_three_days(group: Group) -> None:
    answer = group.upload("file", b"12345")
    assert (answer["errcode"], answer["type"], answer["created_at"]) == (0, "file", "5000")
    body = {"msgtype": "file", "file": {"media_id": answer["media_id"]}}
    assert group.send(body)["errcode"] == 0
    assert group.send(body, group.service.add_robot("other"))["errcode"] == 40007
    assert group.code({"msgtype": "voice", "voice": {"media_id": "x"}}) == 40007
    assert group.code({"msgtype": "file"}) == 40007
    group.clock.now = 5000 + 3 * 86400
    assert group.send(body)["errcode"] == 40007


@pytest.mark.parametrize(
    ("kind", "data", "code"),
    [
        ("file", b"1234", 40006),
        ("file", b"", 44001),
        ("image", b"12345", 40004),
        ("voice", b"#!AMR\n123", 0),
        ("voice", b"RIFF1234", 40004),
        ("voice", b"#!AMR" + b"x" * 2 * 1024 * 1024, 40006),
    ],
)
def test_uploads_have_sizes_and_formats(group: Group, kind: str, data: bytes, code: int) -> None:
    assert group.upload(kind, data)["errcode"] == code


def test_an_upload_needs_its_field_and_a_known_key(group: Group) -> None:
    assert group.upload("file", b"12345", name="upload")["errcode"] == 41005
    assert group.upload("file", b"12345", key="nobody")["errcode"] == 93000
    assert group.service.upload(group.key, "file", "text/plain", b"12345")["errcode"] == 41005


ROW = {"keyname": "k", "value": "v"}


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({}, 0),
        ({"card_type": "news_notice", "card_image": {"url": "http://p"}}, 0),
        ({"main_title": {}, "sub_title_text": "s"}, 0),
        ({"card_action": {"type": 2, "appid": "wx1"}}, 0),
        ({"horizontal_content_list": [ROW] * 6, "jump_list": [{"title": "j"}] * 3}, 0),
        ({"card_type": "button_interaction"}, 42031),
        ({"card_type": None}, 42031),
        ({"main_title": {"desc": "d"}}, 42033),
        ({"card_action": None}, 42045),
        ({"card_action": {"type": 0}}, 42045),
        ({"card_action": {"type": 3, "url": "x"}}, 42045),
        ({"card_action": {"type": 1}}, 42028),
        ({"card_action": {"type": 2}}, 42030),
        ({"card_action": {"type": True}}, 40058),
        ({"horizontal_content_list": [ROW] * 7}, 42035),
        ({"horizontal_content_list": [{"value": "v"}]}, 42027),
        ({"horizontal_content_list": [{**ROW, "type": 1}]}, 42028),
        ({"horizontal_content_list": [{**ROW, "type": 2, "media_id": "x"}]}, 42029),
        ({"horizontal_content_list": [{**ROW, "type": 3}]}, 42050),
        ({"vertical_content_list": [{"title": "t"}] * 4}, 0),
        ({"vertical_content_list": [{"title": "t"}] * 5}, 42036),
        ({"vertical_content_list": [{"desc": "d"}]}, 42033),
        ({"jump_list": [{"title": "j"}] * 4}, 42042),
        ({"jump_list": [{"type": 1, "url": "u"}]}, 42033),
        ({"jump_list": [{"title": "j", "type": 1}]}, 42028),
        ({"card_type": "news_notice", "card_image": {"aspect_ratio": 2}}, 42044),
    ],
)
def test_cards_follow_their_rules(group: Group, changes: dict[str, object], code: int) -> None:
    assert group.code(card(**changes)) == code


def test_the_21st_message_of_a_rolling_minute_is_45009_failures_included(group: Group) -> None:
    start = group.clock.now
    for n in range(20):
        assert group.send(markdown("x" if n % 2 else ""))["errcode"] == (0 if n % 2 else 44004)
        group.clock.now += 1
    assert group.send(markdown("x"))["errcode"] == 45009
    group.clock.now = start + 59.9
    assert group.send(markdown("x"))["errcode"] == 45009
    group.clock.now = start + 59.9 + 60
    assert group.send(markdown("x"))["errcode"] == 0
    assert len(group.service.received) == 11


def test_each_robot_has_a_minute_of_its_own(group: Group) -> None:
    other = group.service.add_robot()
    for _ in range(20):
        group.send(markdown("x"))
    assert group.send(markdown("x"))["errcode"] == 45009
    assert group.send(markdown("x"), other)["errcode"] == 0


@pytest.mark.parametrize(
    ("msgtype", "content", "warning"),
    [
        ("markdown", "- one\n- two", "a list"),
        ("markdown", "1. one", "a list"),
        ("markdown", "| a | b |\n| 1 | 2 |", "a table"),
        ("markdown", "```\ncode\n```", "fenced code"),
        ("markdown", '<font color="red">x</font>', "no colour 'red'"),
        ("markdown_v2", '<font color="info">x</font>', "no <font"),
        ("markdown_v2", "<@zhangsan>", "no <@"),
    ],
)
def test_what_members_would_see_wrongly_is_warned_of(msgtype: str, content: str, warning: str) -> None:
    found = lint.warnings(msgtype, {"msgtype": msgtype, msgtype: {"content": content}})
    assert len(found) == 1
    assert warning in found[0]


def test_good_markdown_is_not_warned_of() -> None:
    content = '# t\n**b** <font color="info">x</font> `c` [t](u) <@zhangsan>\n> q'
    assert lint.warnings("markdown", markdown(content)) == ()


def test_the_same_seed_gives_the_same_keys() -> None:
    clock = Clock()
    assert RobotService(clock, 3).add_robot() == RobotService(clock, 3).add_robot()
    assert RobotService(clock, 3).add_robot() != RobotService(clock, 4).add_robot()
