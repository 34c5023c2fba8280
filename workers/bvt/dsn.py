"""Where a SQL server is and who asks: ``mysql://user:password@host:port/?unix_socket=/path``."""

from __future__ import annotations

from dataclasses import dataclass, replace
from urllib.parse import parse_qs, quote, unquote, urlsplit

from orchestrator.domain.errors import UsageError

#: MatrixOne's port.
DEFAULT_PORT = 6001


@dataclass(frozen=True, slots=True)
class Dsn:
    """An address and the default account. ``socket`` wins over host and port."""

    host: str = "127.0.0.1"
    port: int = DEFAULT_PORT
    user: str = "dump"
    password: str = ""
    socket: str | None = None

    @property
    def place(self) -> str:
        """The address without the account, for messages."""
        return self.socket or f"{self.host}:{self.port}"

    def account(self, user: str | None, password: str | None) -> Dsn:
        """The same server, asked by another account; None keeps the default."""
        return replace(
            self,
            user=self.user if user is None else user,
            password=self.password if password is None else password,
        )

    def __str__(self) -> str:
        account = f"{quote(self.user, safe='')}:{quote(self.password, safe='')}"
        tail = f"/?unix_socket={quote(self.socket)}" if self.socket else ""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"mysql://{account}@{host}:{self.port}{tail}"


def parse_dsn(text: str) -> Dsn:
    """Read ``text``. Raises UsageError; the password is never repeated, nor what could be a piece of it."""
    remedy = "Write it as mysql://user:password@host:port, with %23 for a # in the password, %2F for a / and so on."
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise UsageError("the server address cannot be read: its host or its port is none", remedy) from None
    if parts.scheme not in ("mysql", "mysql+pymysql", "mariadb") or not parts.hostname:
        raise UsageError("the server address is not of the form mysql://…", remedy)
    sockets = parse_qs(parts.query).get("unix_socket")
    return Dsn(
        host=parts.hostname,
        port=port or DEFAULT_PORT,
        user=unquote(parts.username or "dump"),
        password=unquote(parts.password or ""),
        socket=sockets[0] if sockets else None,
    )
