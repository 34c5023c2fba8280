"""What every chat channel looks like to the outbox."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from orchestrator.domain.errors import NotifyError


class RefusedError(NotifyError):
    """The chat will never take this message: trying again is useless."""


class RetryLaterError(NotifyError):
    """The chat did not take the message now.

    ``after`` is how many seconds it asks to wait (``None``: the outbox backs off). ``tries`` bounds the attempts when
    it is not known whether trying again can help; ``None`` means that it can.
    """

    def __init__(self, message: str, remedy: str = "", *, after: float | None = None, tries: int | None = None) -> None:
        super().__init__(message, remedy)
        self.after = after
        self.tries = tries


class Notifier(Protocol):
    """One channel of one chat. The outbox calls it from one thread at a time."""

    @property
    def limit(self) -> int:
        """Bytes of one message."""
        ...

    def wait(self) -> float:
        """Seconds until the channel's rate allows a delivery; 0 now."""
        ...

    def deliver(self, payload: Mapping[str, Any], key: str) -> None:
        """Hand one message to the chat, within the outbox's lease (two minutes).

        ``payload`` is what the channel's own message builder made; ``key`` names the message, for chats that drop
        duplicates. Raises :class:`RetryLaterError` or :class:`RefusedError`; both texts are free of secrets.
        """
        ...
