"""Troubles on demand, one request each."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class FaultKind(StrEnum):
    """What goes wrong with a request."""

    #: Answer this HTTP status; the message is not taken.
    HTTP = "http"
    #: Close the connection without an answer; the message is not taken.
    DROP = "drop"
    #: Take the message, then close the connection without an answer.
    LOSE = "lose"
    #: Answer as usual, so many seconds later.
    SLOW = "slow"
    #: Answer this errcode; the message is not taken, and counts.
    ERRCODE = "errcode"


@dataclass(frozen=True, slots=True)
class Fault:
    """One trouble; ``value`` is the status, the code or the seconds."""

    kind: FaultKind
    value: float = 0
