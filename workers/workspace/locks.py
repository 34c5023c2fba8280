"""Locks between processes that go with the process that holds them."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path


@dataclass(slots=True)
class FileLock:
    """An open lock file; not inherited by programs this process starts."""

    path: Path
    descriptor: int

    @classmethod
    def open(cls, path: Path) -> FileLock:
        """Open it, without locking."""
        path.parent.mkdir(parents=True, exist_ok=True)
        return cls(path, os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))

    @classmethod
    @contextlib.contextmanager
    def attempt(cls, path: Path, *, shared: bool) -> Iterator[bool]:
        """Try to hold the lock at ``path`` for the length of a block; true when it is held."""
        lock = cls.open(path)
        try:
            yield lock.take(shared=shared)
        finally:
            lock.close()

    def take(self, *, shared: bool) -> bool:
        """Try once. False when somebody else is in the way, or when the file was removed meanwhile."""
        try:
            fcntl.flock(self.descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return self.valid()

    def valid(self) -> bool:
        """Whether the path still names the file that is open: whoever removes a checkout removes its lock."""
        try:
            return os.fstat(self.descriptor).st_ino == self.path.stat().st_ino
        except FileNotFoundError:
            return False

    def close(self) -> None:
        """Let go; safe to call twice."""
        if self.descriptor >= 0:
            os.close(self.descriptor)
            self.descriptor = -1


def build_lock(home: Path) -> Path:
    """The lock file of who builds in the checkout ``home``, which is ``root/runs/<run>@<commit>``."""
    return home.parent.parent / "locks" / f"{home.name}.build.lock"
