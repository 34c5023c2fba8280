"""The stand-in's chat in a real browser: a person sees what WeCom would show him, types and clicks."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from orchestrator.commands.model import Button, Card
from orchestrator.notify.wecom.bot import BotConnection
from orchestrator.notify.wecom.cards import BOT_STYLE, template_card
from orchestrator.notify.wecom.robot import Robot
from orchestrator.notify.wecom.standin.botside import BotSide
from orchestrator.notify.wecom.standin.world import WeComWorld
from tests.browser import chromium
from tests.require import require
from tests.waiting import Found, until

if TYPE_CHECKING:
    from selenium.webdriver import Chrome
    from selenium.webdriver.remote.webelement import WebElement

CARD = Card("run r-1 <b>x</b>", "text", (("Tasks", "0/3"),), (Button("Cancel", "key-1", danger=True),), "r-1")


class Echo:
    """A bot that answers every message with a card, and every click with a card without buttons."""

    def __init__(self, world: WeComWorld) -> None:
        self.heard: list[dict[str, Any]] = []
        assert isinstance(world.bot, BotSide)
        self.bot = BotConnection(world.bot.url, world.bot.bot_id, world.bot.secret, self._receive)

    def _receive(self, body: Any, req_id: str) -> None:  # noqa: ANN401 - JSON
        self.heard.append(dict(body))
        threading.Thread(target=self._answer, args=(body, req_id), daemon=True).start()

    def _answer(self, body: Any, req_id: str) -> None:  # noqa: ANN401 - JSON
        chat = body.get("chatid") or body["from"]["userid"]
        if body["msgtype"] == "text":
            card = {"msgtype": "template_card", "template_card": template_card(CARD, f"t{len(self.heard)}", BOT_STYLE)}
            self.bot.say(chat, "aibot_send_msg", {"chatid": chat, **card})
        else:
            settled = template_card(
                Card("boss cancelled r-1"), body["event"]["template_card_event"]["task_id"], BOT_STYLE
            )
            update = {"response_type": "update_template_card", "template_card": settled}
            self.bot.say(chat, "aibot_respond_update_msg", update, req_id)


@pytest.fixture(scope="module")
def browser() -> Iterator[Chrome]:
    require("chromium")
    with chromium() as browser:
        yield browser


@pytest.fixture
def world() -> Iterator[WeComWorld]:
    with WeComWorld(["boss", "dev"]) as world:
        yield world


def shown(look: Callable[[], Found]) -> Found:
    """Wait for what the page will show; it may be drawing itself anew at any moment."""
    from selenium.common.exceptions import NoSuchElementException, StaleElementReferenceException

    def looked() -> Found | None:
        with contextlib.suppress(NoSuchElementException, StaleElementReferenceException):
            return look()
        return None

    found = until(looked)
    assert found is not None
    return found


def click(find: Callable[[], WebElement]) -> None:
    """Click what the page shows."""

    def clicked() -> bool:
        find().click()
        return True

    shown(clicked)


def write(browser: Chrome, text: str) -> None:
    field = browser.find_element("id", "text")
    field.send_keys(text)
    field.submit()


def words(browser: Chrome) -> str:
    return browser.find_element("id", "list").text


def complaint(browser: Chrome) -> str:
    return browser.find_element("id", "error").text


def button(browser: Chrome, text: str) -> WebElement:
    return browser.find_element("xpath", f"//div[@class='buttons']/button[text()='{text}']")


def test_a_person_types_sees_a_card_clicks_it_and_sees_it_change(world: WeComWorld, browser: Chrome) -> None:
    echo, stop = Echo(world), threading.Event()
    thread = threading.Thread(target=echo.bot.serve, args=(stop,))
    thread.start()
    try:
        until(lambda: world.bot.connected)
        browser.get(f"{world.base_url}/?as=boss")
        shown(lambda: "Group team" in browser.find_element("id", "title").text)
        write(browser, "运行 7")
        shown(lambda: button(browser, "Cancel"))
        assert echo.heard[0]["text"]["content"] == "@Bot 运行 7"
        assert (echo.heard[0]["from"]["userid"], echo.heard[0]["chatid"]) == ("boss", "team")
        assert "运行 7" in words(browser)
        assert "run r-1 ＜b＞x＜/b＞" in words(browser)
        assert "danger" in str(button(browser, "Cancel").get_attribute("class"))
        click(lambda: button(browser, "Cancel"))
        shown(lambda: "boss cancelled r-1" in words(browser) and "changed in place" in words(browser))
        assert not browser.find_elements("css selector", ".buttons")
        click(lambda: browser.find_element("css selector", "[data-place=bot]"))
        shown(lambda: "Bot (1:1)" in browser.find_element("id", "title").text)
        assert words(browser) == "", "what was said in the group is not in the chat of one"
        assert [row for row in browser.get_log("browser") if row["level"] == "SEVERE"] == []  # type: ignore[no-untyped-call]
    finally:
        stop.set()
        thread.join()


def test_the_robots_markdown_is_shown_as_wecom_shows_it_and_nothing_in_it_is_executed(
    world: WeComWorld, browser: Chrome
) -> None:
    hostile = "<script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\">"
    robot = Robot(world.robot.key, world.base_url)
    text = f'**<font color="warning">失败</font>** demo\n> `ut:a` why\n[look](https://x.test/)\n{hostile}'
    robot.deliver({"markdown": text}, "k")
    robot.close()
    browser.get(f"{world.base_url}/?as=dev")
    click(lambda: browser.find_element("css selector", "[data-place=news]"))
    shown(lambda: "失败" in words(browser))
    shown(lambda: browser.find_element("css selector", "b .warning").text == "失败")
    shown(lambda: browser.find_element("css selector", "blockquote code").text == "ut:a")
    shown(lambda: browser.find_element("css selector", "#list a").get_attribute("href") == "https://x.test/")
    shown(lambda: hostile in words(browser))
    assert browser.title == "WeCom stand-in"


def test_nobody_listening_is_said(world: WeComWorld, browser: Chrome) -> None:
    browser.get(world.base_url)
    shown(lambda: browser.find_element("id", "title").text)
    write(browser, "help")
    assert shown(lambda: "the bot is not connected" in complaint(browser))
    click(lambda: browser.find_element("css selector", "[data-place=news]"))
    write(browser, "help")
    assert shown(lambda: "a group robot hears nothing" in complaint(browser))
    click(lambda: browser.find_element("css selector", "[data-place=app]"))
    write(browser, "help")
    assert shown(lambda: "Start `mo-testplan serve`" in complaint(browser))


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/chat/say", b"{"), ("/chat/say", b"[]"), ("/chat/say", b'{"as": 7}'),
        ("/chat/say", b'{"as": "stranger", "place": "group", "text": "x"}'),
        ("/chat/say", b'{"as": "boss", "place": "nowhere", "text": "x"}'),
        ("/chat/click", b'{"as": "boss", "place": "bot", "number": 9, "key": "x"}'),
        ("/chat/click", b'{"as": "boss", "place": "app", "number": -1, "key": "x"}'),
    ],
)  # fmt: skip
def test_what_the_page_would_never_send_is_refused(world: WeComWorld, path: str, body: bytes) -> None:
    answer = httpx.post(f"{world.base_url}{path}", content=body, trust_env=False)
    assert answer.status_code == 200
    assert json.loads(answer.content)["error"]
    assert world.said == []
