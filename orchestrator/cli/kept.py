"""Files that are read again when they change: profiles, and who may do what."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Generic, TypeVar

from orchestrator.domain.errors import MoTestplanError
from orchestrator.domain.profile import Profile
from orchestrator.settings import Settings, check_profile, profile_files

T = TypeVar("T")

logger = logging.getLogger(__name__)


class Kept(Generic[T]):
    """What a file says, now; one that became wrong is reported and what it said last stays in force.

    ``read`` gives its data and its name, ``make`` checks them; both raise :class:`MoTestplanError`.
    """

    def __init__(self, read: Callable[[], tuple[object, str]], make: Callable[[object, str], T]) -> None:
        self._read, self._make = read, make
        data, self._path = read()
        self._value, self._stamp = make(data, self._path), self._changed()

    def __call__(self) -> T:
        """The contents."""
        if self._changed() != self._stamp:
            self._stamp = self._changed()
            try:
                self._value = self._make(*self._read())
            except MoTestplanError as error:
                logger.error("%s; what it said before stays in force", error.message)
        return self._value

    def _changed(self) -> int:
        try:
            return Path(self._path).stat().st_mtime_ns
        except OSError:
            return 0


class KeptProfiles:
    """Profiles by name, checked once for every content of the files they are made of: a check takes 10 ms."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._known: dict[str, tuple[dict[Path, bytes], Profile]] = {}

    def __call__(self, name: str) -> Profile:
        """The profile as its files are now; :class:`BadProfileError` when they are none, at every call."""
        known = self._known.get(name)
        if known is None or _digests(known[0]) != known[0]:
            files = _digests(profile_files(name, self._settings))  # before it is read: what changes now is seen next
            known = self._known[name] = files, check_profile(name, self._settings)
        return known[1]


def _digests(files: Iterable[Path]) -> dict[Path, bytes]:
    """File → SHA-256 of its contents; nothing of one that cannot be read."""
    return {path: _digest(path) for path in files}


def _digest(path: Path) -> bytes:
    try:
        return hashlib.sha256(path.read_bytes()).digest()
    except OSError:
        return b""
