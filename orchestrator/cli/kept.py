"""Files that say who may do what: read again when they change."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Generic, TypeVar

from orchestrator.domain.errors import MoTestplanError

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
