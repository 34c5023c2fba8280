"""Who we are to GitHub: the holder of a token, or the installation of an App.

docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app
"""

from __future__ import annotations

import datetime
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from orchestrator.domain.errors import ToolMissingError, UsageError
from orchestrator.domain.profile import GitHub

#: Seconds: a JWT may live ten minutes, and clocks differ; a token is renewed before it ends.
_JWT_LIFE, _JWT_BACK, _RENEW = 540, 60, 120.0

#: Asks GitHub: method, path, credentials, body; its JSON.
Ask = Callable[[str, str, str, object], Any]


class Auth(Protocol):
    """Credentials."""

    #: Whether check runs may be written: Apps alone may.
    is_app: bool

    def header(self, ask: Ask) -> str:
        """The value of ``Authorization``."""
        ...

    def login(self, ask: Ask) -> str:
        """The name under which we write comments."""
        ...


class TokenAuth:
    """A personal or fine-grained token, or the one of a workflow."""

    is_app = False

    def __init__(self, token: str) -> None:
        self._token = token

    def header(self, ask: Ask) -> str:
        """The token as it is."""
        return f"Bearer {self._token}"

    def login(self, ask: Ask) -> str:
        """The token's user."""
        return str(ask("GET", "/user", self.header(ask), None)["login"])


class AppAuth:
    """A GitHub App: a signed claim buys a token of its installation in the repository, good for an hour."""

    is_app = True

    def __init__(self, app_id: str, key: str, repository: str, clock: Callable[[], float] = time.time) -> None:
        self._app_id, self._key, self._repository, self._clock = app_id, key, repository, clock
        self._token, self._until, self._lock = "", 0.0, threading.Lock()

    def header(self, ask: Ask) -> str:
        """A token of the installation, a new one when the last is about to end."""
        with self._lock:
            if self._clock() > self._until - _RENEW:
                self._renew(ask)
            return f"Bearer {self._token}"

    def login(self, ask: Ask) -> str:
        """``SLUG[bot]``."""
        return f"{ask('GET', '/app', self._claim(), None)['slug']}[bot]"

    def _renew(self, ask: Ask) -> None:
        claim = self._claim()
        found = ask("GET", f"/repos/{self._repository}/installation", claim, None)
        answer = ask("POST", f"/app/installations/{int(found['id'])}/access_tokens", claim, {})
        self._token = str(answer["token"])
        self._until = datetime.datetime.fromisoformat(str(answer["expires_at"])).timestamp()

    def _claim(self) -> str:
        try:
            import jwt
        except ModuleNotFoundError:
            raise ToolMissingError(
                "a GitHub App needs the PyJWT package", "Install it with: pip install 'mo-testplan[github]'"
            ) from None
        now = int(self._clock())
        claims = {"iat": now - _JWT_BACK, "exp": now + _JWT_LIFE, "iss": self._app_id}
        try:
            return "Bearer " + jwt.encode(claims, self._key, algorithm="RS256")
        except (ValueError, TypeError, jwt.PyJWTError):  # its text may quote the key
            raise UsageError("the key of the GitHub App is no RSA key in PEM", "Give the whole file's text.") from None


def auth_from(said: GitHub, environ: Mapping[str, str]) -> Auth | None:
    """The credentials this process was given; None when it was given none."""
    if not said.repository:
        return None
    key, token = environ.get(said.app_key_env), environ.get(said.token_env)
    if said.app_id and key:
        return AppAuth(said.app_id, key.replace("\\n", "\n"), said.repository)
    return TokenAuth(token) if token else None
