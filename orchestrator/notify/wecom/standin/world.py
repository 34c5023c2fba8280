"""A whole WeCom on this machine: a group with a bot, one with a robot, an application, members who write and click."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

from orchestrator.domain.errors import UsageError
from orchestrator.notify.wecom.standin.botside import BotSide
from orchestrator.notify.wecom.standin.corp import Corp
from orchestrator.notify.wecom.standin.corpside import CorpSide
from orchestrator.notify.wecom.standin.hookside import HookSide
from orchestrator.notify.wecom.standin.page import ChatPage
from orchestrator.notify.wecom.standin.server import WeComStandIn
from orchestrator.notify.wecom.standin.shown import Shown

#: Messages a chat shows.
_SHOWN = 200


@dataclass(frozen=True, slots=True)
class Said:
    """What a person wrote. ``place`` is ``group``, ``app`` or ``bot``: the last two are chats of one person.

    A fourth, ``news``, is the group of the robot, which hears nothing.
    """

    place: str
    user: str
    text: str
    at: float = field(default_factory=time.monotonic)


class WeComWorld:
    """``with`` serves all of it; the chat is a page at :attr:`base_url`.

    ``serve_url`` is where ``mo-testplan serve`` listens. With ``hook`` the bot is one behind a URL, too.
    """

    def __init__(  # noqa: PLR0913 - the parts of an address
        self,
        members: Sequence[str],
        group: str = "team",
        *,
        port: int = 0,
        bot_port: int = 0,
        key: str | None = None,
        serve_url: str = "",
        hook: bool = False,
    ) -> None:
        self.members, self.group = tuple(members), group
        self.corp = CorpSide(Corp(time.monotonic, members=frozenset(members)))
        self.bot: BotSide | HookSide = HookSide() if hook else BotSide(port=bot_port)
        routes = [self.corp.route, ChatPage(self).route, *([self.bot.route] if isinstance(self.bot, HookSide) else [])]
        self.robot = WeComStandIn(port=port, key=key, routes=routes)
        self.serve_at(serve_url)
        self.said: list[Said] = []
        self._open = contextlib.ExitStack()

    def serve_at(self, url: str) -> None:
        """Where ``mo-testplan serve`` listens."""
        self.corp.callback_url = f"{url.rstrip('/')}/wecom/app" if url else ""
        if isinstance(self.bot, HookSide):
            self.bot.callback_url = f"{url.rstrip('/')}/wecom/bot"

    def __enter__(self) -> Self:
        self._open.enter_context(self.robot)
        if isinstance(self.bot, HookSide):
            self.bot.served_at = self.base_url
        self._open.enter_context(self.bot)
        self._open.callback(self.corp.close)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.close()

    @property
    def base_url(self) -> str:
        """What ``wecom.base_url`` of a profile should say; a browser sees the chat there."""
        return self.robot.base_url

    def say(self, place: str, user: str, text: str) -> None:
        """A member writes; :class:`UsageError` says why nobody hears him."""
        self._check(place, user)
        self.said.append(Said(place, user, text))
        if place == "app":
            self._called(self.corp.say, user, text)
        else:
            self._check_bot()
            self.bot.say(user, text, self.group if place == "group" else "")

    def click(self, place: str, user: str, number: int, key: str) -> None:
        """A member clicks a button of a message that he sees."""
        self._check(place, user)
        side = self.corp.corp.shown if place == "app" else self.bot.shown
        if not 0 <= number < len(side) or key not in side[number].buttons.values():
            raise UsageError("there is no such button", "The card has changed.")
        card = side[number]
        if place == "app":
            self._called(self.corp.click_key, user, card, key)
        else:
            self._check_bot()
            self.bot.click_key(user, card, key, self.group if place == "group" else "")

    def _check(self, place: str, user: str) -> None:
        if place == "news":
            raise UsageError("a group robot hears nothing", "Write to the bot or the application.")
        if user not in self.members or place not in ("group", "app", "bot"):
            raise UsageError(f"{user!r} in {place!r}: there is no such member or chat")

    def _check_bot(self) -> None:
        if not self.bot.connected:
            what = "serve` with the bot's token" if isinstance(self.bot, HookSide) else "control` with the bot's secret"
            raise UsageError("the bot is not connected", f"Start `mo-testplan {what}.")

    def _called(self, call: Any, *words: object) -> None:  # noqa: ANN401 - say or click, with their own arguments
        if not self.corp.callback_url or not call(*words):
            where = self.corp.callback_url or "no callback address"
            raise UsageError(f"the application does not answer ({where})", "Start `mo-testplan serve`.")

    def seen_by(self, user: str) -> dict[str, list[dict[str, Any]]]:
        """The chats of a member, each with its messages, oldest first, as plain data."""
        chats: dict[str, list[dict[str, Any]]] = {"group": [], "news": [], "app": [], "bot": []}
        for said in self.said:
            if said.place == "group" or said.user == user:
                chats[said.place].append({"at": said.at, "who": said.user, "type": "text", "text": said.text})
        for one in self.robot.messages:
            chats["news"].append({"at": one.at, "who": "robot", "type": one.msgtype, "text": one.content})
        for number, shown in enumerate(self.bot.shown):
            place = "group" if shown.chat == f"group:{self.group}" else "bot" if shown.chat == user else ""
            if place:
                chats[place].append({"who": "bot", **_plain(number, shown)})
        for number, shown in enumerate(self.corp.corp.shown):
            if shown.chat == user:
                chats["app"].append({"who": "app", **_plain(number, shown)})
        return {place: sorted(rows, key=lambda row: row["at"])[-_SHOWN:] for place, rows in chats.items()}


def _plain(number: int, shown: Shown) -> dict[str, Any]:
    row = {"at": shown.at, "type": shown.msgtype, "text": shown.content, "number": number, "updates": shown.updates}
    if shown.msgtype == "template_card":
        body = shown.body
        rows = [[row["keyname"], row.get("value", "")] for row in body.get("horizontal_content_list", [])]
        row["title"], row["rows"] = (body.get("main_title") or {}).get("title", ""), rows
        row["text"] = body.get("sub_title_text", "")
        row["buttons"] = [
            {"text": button["text"], "key": button["key"], "style": button.get("style", 1)}
            for button in body.get("button_list", [])
        ]
        row["settled"] = body.get("replace_text", "")
    return row
