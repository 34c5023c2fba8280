"""The server that drafts are tried on, as the generator sees it: somebody gives it one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server answered to one statement: a result, nothing, or an error."""

    #: Names of the result's columns; ``None`` when there is no result set.
    columns: tuple[str, ...] | None = None
    rows: tuple[tuple[str | None, ...], ...] = ()
    #: The server's words, when it refused.
    error: str | None = None
    #: The connection ended, or the statement took too long: neither a result nor an error.
    lost: bool = False
    #: Why it was not sent at all, or what it answered is nobody's business.
    withheld: str | None = None

    @property
    def succeeded(self) -> bool:
        """Whether the server did what it was asked."""
        return self.error is None and self.withheld is None and not self.lost


@dataclass(frozen=True, slots=True)
class Recorded:
    """The expectation of a script as the case runner wrote it, and what it said when it ran the script again."""

    text: str
    #: By position the commands that did not pass against their own expectation, and why.
    differs: Mapping[int, str] = field(default_factory=dict)
    #: What the runs left on the server.
    left: frozenset[str] = frozenset()


class Executor(Protocol):
    """Runs statements on one server, each call in a database and a session of its own."""

    @property
    def version(self) -> str:
        """What ``version()`` answers."""

    def run(self, statements: Sequence[str], database: str) -> list[Answer]:
        """One answer a statement, in order, in a new database of this name, which is gone afterwards.

        What is left behind elsewhere is not tidied before `objects` was asked.

        Raises:
            ServerError: there is no server any more.
        """

    def objects(self) -> frozenset[str]:
        """What lives outside of databases, and the databases: ``account acc1``, ``database db1`` …"""

    def tidy(self, left: frozenset[str]) -> None:
        """Drop what a run left."""

    def recorded(self, scripts: Mapping[str, str]) -> dict[str, Recorded]:
        """Record scripts by path, as ``cases run --method genrs`` does, then judge each against that in a second run.

        The second runs begin a second later or more: what holds the time differs by then.

        Raises:
            ServerError: there is no server any more.
        """
