"""What every server provider can do, and the choice among them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from orchestrator.domain.errors import UsageError

Log = Callable[[str], None]
#: Puts a command into a sandbox, given the directory it may write to.
Wrap = Callable[[tuple[str, ...], Path], tuple[str, ...]]


class ServerProvider(Protocol):
    """A SQL server for the tasks of one shard."""

    def start(self) -> str:
        """Have the server ready and return its ``mysql://`` address.

        Raises ServerError with the tail of the server's log when it does not come up in time, CancelledError.
        """
        ...

    def reset(self) -> None:
        """Drop what earlier tasks left, where the server is ours alone."""
        ...

    def close(self) -> None:
        """End what was started, give back what was held; safe to call twice."""
        ...

    def log_tail(self, lines: int = 40) -> str:
        """The end of the server's log, as far as we see it."""
        ...


def _ignore(line: str) -> None:
    """No log."""


def _never() -> bool:
    return False


@dataclass(frozen=True, slots=True)
class Startup:
    """How a server is waited for."""

    #: Seconds until it must answer.
    timeout: float = 300.0
    #: Whether to give up; asked often.
    cancelled: Callable[[], bool] = _never
    log: Log = _ignore


def as_it_is(argv: tuple[str, ...], directory: Path) -> tuple[str, ...]:
    """No sandbox."""
    return argv


@dataclass(frozen=True, slots=True)
class Launch:
    """How a server is started.

    In ``command`` and in the texts of ``files``, ``{port}`` is a free port, ``{port2}`` … ``{port9}`` are further ones,
    ``{directory}`` is a private directory, in which it runs, and ``{workspace}`` is the tree under test.
    """

    command: tuple[str, ...]
    #: Written before the start: path below ``{directory}`` → text.
    files: Mapping[str, str] = field(default_factory=dict)
    workspace: Path | None = None
    #: For the other providers' servers, too.
    wrap: Wrap = as_it_is


def make_server(
    provider: str, *, dsn: str | None = None, launch: Launch | None = None, startup: Startup | None = None
) -> ServerProvider:
    """A provider by its name in a profile: ``dsn``, ``mariadb``, ``embedded``, ``launch``. Not started yet."""
    startup = startup or Startup()
    if provider == "dsn":
        from workers.servers.shared import SharedServer

        return SharedServer(dsn, startup)
    if provider == "mariadb":
        from workers.servers.mariadb import MariaDb

        return MariaDb(startup, launch.wrap if launch else as_it_is)
    if provider == "embedded":
        from workers.servers.launch import embedded_server

        return embedded_server(startup)
    if provider == "launch":
        from workers.servers.launch import LaunchedServer

        return LaunchedServer(launch or Launch(()), dsn, startup)
    raise UsageError(f"unknown server provider {provider!r}", "Known: dsn, embedded, launch, mariadb.")
