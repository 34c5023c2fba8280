"""How the two channels that take commands say their answers."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable

from orchestrator.commands.model import Answer, Card, Incoming
from orchestrator.commands.shelf import Shelf
from orchestrator.domain.errors import MoTestplanError
from orchestrator.notify.base import RefusedError, RetryLaterError
from orchestrator.notify.wecom.app import APP_MARKDOWN, App
from orchestrator.notify.wecom.bot import BotConnection
from orchestrator.notify.wecom.cards import APP_STYLE, BOT_STYLE, template_card
from orchestrator.notify.wecom.text import MARKDOWN_LIMIT, clip, split

#: Seconds between changes of a progress line, and for how long it may change (a stream ends after six minutes).
FOLLOW_EVERY, FOLLOW_FOR = 10.0, 300.0
_FOLLOWERS = 8


def new_task(run: str) -> str:
    """The id of a new card: unique in its application."""
    return f"{run or 'card'}@{secrets.token_hex(6)}"


class AppReplier:
    """Answers of a self-built application: a clicked card is replaced, everything else is a message."""

    def __init__(self, app: App, shelf: Shelf) -> None:
        self._app, self._shelf = app, shelf

    def reply(self, incoming: Incoming, answer: Answer) -> None:
        """Say it."""
        card, code = answer.card, incoming.reply.get("response_code", "")
        if card is not None and incoming.ticket and code:
            try:
                self._app.update([incoming.chat], code, card, incoming.reply.get("task_id") or new_task(card.run))
                card = None
            except RefusedError:
                pass  # the card cannot be changed (any more): it is sent as a new one
        for part in split(answer.text, APP_MARKDOWN) if answer.text else []:
            self._app.send(incoming.chat, {"msgtype": "markdown", "markdown": {"content": part}})
        if card is not None:
            self._send(incoming, card)

    def _send(self, incoming: Incoming, card: Card) -> None:
        task = new_task(card.run)
        body = {"msgtype": "template_card", "template_card": template_card(card, task, APP_STYLE)}
        code = str(self._app.send(incoming.chat, body).get("response_code", ""))
        if code and card.run:
            self._shelf.remember(card.run, incoming.place, response_code=code, task_id=task)


class BotReplier:
    """Answers of an AI bot over its connection. ``progress`` gives a run's line and whether it has ended."""

    def __init__(
        self, bot: BotConnection, progress: Callable[[str], tuple[str, bool]], every: float = FOLLOW_EVERY
    ) -> None:
        self._bot, self._progress, self._every = bot, progress, every
        self._slots = threading.BoundedSemaphore(_FOLLOWERS)

    def reply(self, incoming: Incoming, answer: Answer) -> None:
        """Say it: a clicked card is replaced (within five seconds), text answers the message, a card follows."""
        card, req_id = answer.card, incoming.reply.get("req_id", "")
        if card is not None and incoming.ticket and req_id:
            task = incoming.reply.get("task_id") or new_task(card.run)
            shown = {"response_type": "update_template_card", "template_card": template_card(card, task, BOT_STYLE)}
            try:
                self._bot.say(incoming.chat, "aibot_respond_update_msg", shown, req_id)
                card = None
            except RefusedError:
                pass  # too late for this card: a new one
        if answer.text:
            self._text(incoming.chat, answer.text, "" if incoming.ticket else req_id)
        if card is not None:
            shown = {"msgtype": "template_card", "template_card": template_card(card, new_task(card.run), BOT_STYLE)}
            self._bot.say(incoming.chat, "aibot_send_msg", {"chatid": incoming.chat, **shown})
        if answer.follow and not incoming.ticket and req_id and self._slots.acquire(blocking=False):
            threading.Thread(target=self._follow, args=(incoming.chat, answer.follow, req_id), daemon=True).start()

    def _text(self, chat: str, text: str, req_id: str) -> None:
        if req_id:
            self._stream(chat, req_id, secrets.token_hex(8), clip(text, 4 * MARKDOWN_LIMIT), finish=True)
            return
        for part in split(text, MARKDOWN_LIMIT):
            body = {"chatid": chat, "msgtype": "markdown", "markdown": {"content": part}}
            self._bot.say(chat, "aibot_send_msg", body)

    def _follow(self, chat: str, run: str, req_id: str) -> None:
        """One message that changes in place while the run goes on; a full window makes it change less often."""
        stream, last, deadline = secrets.token_hex(8), "", time.monotonic() + FOLLOW_FOR
        try:
            ended = False
            while not ended:
                line, ended = self._progress(run)
                late = time.monotonic() > deadline
                ended = ended or late
                try:
                    if line != last or ended:
                        self._stream(chat, req_id, stream, line, finish=ended)
                        last = line
                except RetryLaterError:
                    ended = late
                if not ended:
                    time.sleep(self._every)
        except MoTestplanError:
            return  # the verdict comes as a message of its own
        finally:
            self._slots.release()

    def _stream(self, chat: str, req_id: str, stream: str, text: str, *, finish: bool) -> None:
        body = {"msgtype": "stream", "stream": {"id": stream, "finish": finish, "content": text}}
        self._bot.say(chat, "aibot_respond_msg", body, req_id)
