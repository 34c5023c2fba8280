"""What comes from a chat and what goes back, whichever chat it is."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Incoming:
    """One message or one click. Whoever made it has checked that it comes from the chat itself."""

    #: Which channel it came by, and the answer leaves by: ``app`` or ``bot``.
    channel: str
    #: The same for every delivery of the same message.
    key: str
    #: The chat's id of the person; opaque.
    user: str
    #: The id of the group; empty in a chat with one person.
    group: str = ""
    text: str = ""
    #: The key of a clicked button.
    ticket: str = ""
    #: What the channel needs to answer; holds credentials, so it is never shown.
    reply: dict[str, str] = field(default_factory=dict, repr=False)
    #: The opaque id by which the chat itself names the person, when ``user`` was found out from it.
    opaque: str = ""

    @property
    def chat(self) -> str:
        """The chat's id of the conversation: a group, or one person."""
        return self.group or self.opaque or self.user

    @property
    def place(self) -> str:
        """Where the conversation is: ``bot:GROUP``, or ``app:USER`` for one person."""
        return f"{self.channel}:{self.chat}"

    @property
    def who(self) -> str:
        """The person, for records."""
        return f"wecom:{self.user}"


@dataclass(frozen=True, slots=True)
class Button:
    """Something to click: ``key`` is a ticket, worth nothing without the right to use it."""

    text: str
    key: str
    danger: bool = False


@dataclass(frozen=True, slots=True)
class Card:
    """A small table with buttons. Nothing in it comes from a test without being neutralised."""

    title: str
    text: str = ""
    rows: tuple[tuple[str, str], ...] = ()
    buttons: tuple[Button, ...] = ()
    #: The run it tells of.
    run: str = ""
    #: What stands, greyed, in the place of the buttons there were, where a channel can show that.
    settled: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """What is said back. With a click, the card replaces the clicked one."""

    #: Lines of simple markdown, neutralised; may be longer than one message.
    text: str = ""
    card: Card | None = None
    #: A run whose progress is shown in place as long as the channel allows.
    follow: str = ""
    #: For the audit log: what it concerned, and what came of it.
    target: str = ""
    result: str = "ok"
