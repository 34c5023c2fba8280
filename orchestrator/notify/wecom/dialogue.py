"""From the inbox to the desk and back to the chat: each message once, those of one person in order."""

from __future__ import annotations

import json
import logging
import threading
import zlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

from orchestrator.commands.desk import Desk
from orchestrator.commands.inbox import Inbox
from orchestrator.commands.model import Answer, Incoming
from orchestrator.domain.errors import MoTestplanError
from orchestrator.notify.base import RetryLaterError
from orchestrator.notify.wecom.cards import in_words
from orchestrator.store import OutboxMessage

_LANES = 4

logger = logging.getLogger(__name__)


class Replier(Protocol):
    """A channel's way to answer."""

    def reply(self, incoming: Incoming, answer: Answer) -> None:
        """Say ``answer`` where ``incoming`` was said.

        Raises :class:`RetryLaterError` when that cannot be now, :class:`MoTestplanError` when it can never be.
        """
        ...


class Dialogue:
    """Takes the messages of one channel and answers them.

    ``worker`` names this process among others; ``identify`` finds out who it is that writes.
    """

    def __init__(
        self,
        inbox: Inbox,
        desk: Desk,
        replier: Replier,
        worker: str,
        identify: Callable[[Incoming], Incoming] = lambda incoming: incoming,
    ) -> None:
        self._inbox, self._desk, self._replier, self._worker = inbox, desk, replier, worker
        self._identify = identify

    def serve(self, stop: threading.Event) -> None:
        """Work until ``stop``, and end what was begun."""
        lanes = [ThreadPoolExecutor(1, f"dialogue-{lane}") for lane in range(_LANES)]
        begun = False
        while not stop.is_set():
            try:
                worker, inbox = self._worker, self._inbox
                rows = inbox.take(worker, wait=0.5) if begun else inbox.left_over(worker)
                begun = True
                for entry, incoming in rows:
                    user = incoming.user if incoming is not None else ""
                    lanes[zlib.crc32(user.encode("utf-8", "replace")) % _LANES].submit(self._one, entry, incoming)
            except MoTestplanError as error:
                logger.warning("the inbox: %s", error.message)
                stop.wait(1.0)
        for lane in lanes:
            lane.shutdown()

    def _one(self, entry: str, incoming: Incoming | None) -> None:
        try:
            # Marked before it is done: a process that dies half-way leaves a command undone, never done twice.
            if incoming is not None and self._desk.office.shelf.first(f"{incoming.channel}:{incoming.key}"):
                self._answer(incoming)
            self._inbox.done(entry)
        except MoTestplanError as error:
            logger.warning("an answer was not given: %s", error.message)
            self._acknowledge(entry)
        except Exception:  # a bug in one command must not end the dialogue
            logger.exception("a command broke")
            self._acknowledge(entry)

    def _answer(self, incoming: Incoming) -> None:
        incoming = self._identify(incoming)
        answer = self._desk.handle(incoming)
        try:
            self._replier.reply(incoming, answer)
        except RetryLaterError as error:  # the chat is away, or has heard too much this minute: merged, and not lost
            logger.warning("an answer waits: %s", error.message)
            self._later(incoming, answer)

    def _later(self, incoming: Incoming, answer: Answer) -> None:
        words = in_words(answer)
        if not words:
            return
        payload = json.dumps({"markdown": words, "line": words.partition("\n")[0]}, ensure_ascii=False)
        key = f"{incoming.channel}:{incoming.key}:answer"
        office = self._desk.office
        office.store.enqueue([OutboxMessage(answer.target, incoming.place, "answer", payload, key)], office.clock())

    def _acknowledge(self, entry: str) -> None:
        try:
            self._inbox.done(entry)
        except MoTestplanError as error:
            logger.warning("the inbox: %s", error.message)
