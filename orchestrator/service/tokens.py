"""Who may call: ``tokens.yaml``. It holds hashes; a token itself is shown once, when it is made.

tokens:
  - {name: ci, sha256: 9f86d081…, role: developer, expires: 2027-06-30, runs: 50, runner_minutes: 3000}
"""

from __future__ import annotations

import datetime
import hashlib
import math
import re
import secrets
from dataclasses import dataclass

from orchestrator.domain.errors import BadProfileError
from orchestrator.domain.plain import from_plain
from orchestrator.domain.profile import RoleName
from orchestrator.service.caller import Budget, Caller, Role

_PREFIX = "mtp_"
_NAME = re.compile(r"[0-9A-Za-z][0-9A-Za-z._-]{0,60}")
_HASH = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """One caller."""

    name: str
    #: SHA-256 of the token, 64 hexadecimal digits.
    sha256: str
    role: RoleName = "viewer"
    #: The last day it is good, ``YYYY-MM-DD`` in UTC; empty: for ever.
    expires: str = ""
    #: What it may spend a day; left out: as much as it takes.
    runs: int | None = None
    runner_minutes: float | None = None
    #: Profiles it is good for; empty: all.
    projects: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Tokens:
    """All of ``tokens.yaml``."""

    tokens: tuple[Token, ...] = ()

    def caller(self, secret: str, project: str, origin: str, today: str) -> Caller | None:
        """Who holds ``secret``; None for nobody, and for one that is over. ``today`` is ``YYYY-MM-DD``.

        Hashes are compared, not tokens: how long that takes tells nothing about a token.
        """
        digest = hash_of(secret)
        for token in self.tokens:
            if token.sha256 == digest:
                good = (not token.expires or today <= token.expires) and project in (token.projects or (project,))
                budget = Budget(runs=token.runs, runner_minutes=token.runner_minutes)
                return Caller(f"token:{token.name}", origin, Role[token.role.upper()], budget) if good else None
        return None


def hash_of(secret: str) -> str:
    """What ``tokens.yaml`` keeps of a token."""
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()


def new_token() -> str:
    """A token nobody can guess."""
    return _PREFIX + secrets.token_urlsafe(32)


def tokens_from(data: object, where: str) -> Tokens:
    """The contents of ``tokens.yaml``; :class:`BadProfileError` names what is wrong."""
    found = from_plain(Tokens, _dates_as_text(data) if data is not None else {}, where, BadProfileError)
    seen: set[str] = set()
    for token in found.tokens:
        if not _NAME.fullmatch(token.name) or not _HASH.fullmatch(token.sha256):
            raise BadProfileError(
                f"{where}: {token.name!r} needs a plain name and 64 hexadecimal digits",
                "A name has letters, digits, `.`, `_` and `-`; `mo-testplan token NAME` makes the digits.",
            )
        if token.name in seen:
            raise BadProfileError(f"{where}: {token.name!r} stands there twice", "Take one of them out.")
        if not all(limit is None or 0 <= limit < math.inf for limit in (token.runs, token.runner_minutes)):
            raise BadProfileError(
                f"{where}: the budget of {token.name!r} is none",
                "Write numbers from 0 on; left out, there is no limit.",
            )
        if token.expires and not _is_day(token.expires):
            raise BadProfileError(f"{where}: {token.expires!r} is no day", "Write it as 2027-06-30.")
        seen.add(token.name)
    return found


def _is_day(text: str) -> bool:
    try:
        return datetime.date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def _dates_as_text(data: object) -> object:
    """YAML reads 2027-06-30 as a date."""
    if isinstance(data, dict):
        return {key: _dates_as_text(value) for key, value in data.items()}
    if isinstance(data, list):
        return [_dates_as_text(value) for value in data]
    return data.isoformat() if isinstance(data, datetime.date) else data
