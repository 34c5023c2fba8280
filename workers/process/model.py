"""What is asked of a supervised subprocess, and how it ended."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path


class Reason(StrEnum):
    """Why a process is no more."""

    #: By itself: it returned, or died of a signal that was not ours.
    EXITED = "exited"
    DEADLINE = "deadline"
    CANCELLED = "cancelled"
    #: It wrote more than :attr:`Limits.output`.
    OUTPUT_LIMIT = "output-limit"
    #: Its processes together used more than :attr:`Limits.tree_memory`.
    MEMORY = "memory-limit"
    #: Less than :attr:`Limits.disk_reserve` was left on the disk.
    DISK = "disk"


class Stream(StrEnum):
    """Where a line came from."""

    STDOUT = "stdout"
    STDERR = "stderr"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a process and its children may use. ``None``: what the worker itself may."""

    #: Open files each; lowered to the host's hard limit.
    open_files: int | None = 65536
    #: Processes of this user, everywhere on the host: set it only where workers have a uid of their own.
    processes: int | None = None
    #: Bytes a file may grow to.
    file_size: int | None = None
    #: Bytes of memory of its own each process may have (``RLIMIT_DATA``: what is reserved and not used is free).
    memory: int | None = None
    #: Bytes that all its processes together may have in memory, else the tree is killed; what they share counts twice.
    tree_memory: int | None = None
    #: Seconds of processor time each process may have.
    cpu: int | None = None
    #: Bytes that must be left on the disk of its working directory: else the tree is killed.
    disk_reserve: int | None = None
    #: Bytes of both streams after which the tree is killed: a log of gigabytes is no answer.
    output: int = 4 << 30
    #: Bytes of one line; the rest of a longer one is cut.
    line: int = 256 << 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A program to run.

    ``env`` is complete: nothing is inherited. Build it with :func:`workers.process.scrub`.
    """

    argv: tuple[str, ...]
    cwd: Path
    env: Mapping[str, str]
    #: Seconds it may take.
    timeout: float
    limits: Limits = field(default_factory=Limits)
    #: Seconds between TERM and KILL.
    grace: float = 0.3


@dataclass(frozen=True, slots=True)
class Exit:
    """How a process ended. When it is made, no process of its group is left, but for ``survivors``."""

    #: Exit status; ``None`` when a signal ended it.
    code: int | None
    signal: int | None
    reason: Reason
    #: Wall time until the group was gone.
    seconds: float
    #: From the decision to stop it until the group was gone; 0 when it ended by itself.
    stop_seconds: float = 0.0
    #: Bytes read from both streams.
    output: int = 0
    #: Bytes its processes had in memory when that ended it.
    memory: int = 0
    #: Processes that did not die of KILL within two seconds (uninterruptible in the kernel).
    survivors: int = 0

    @property
    def passed(self) -> bool:
        """Whether it returned 0 by itself."""
        return self.reason is Reason.EXITED and self.code == 0

    def stopped(self, timeout: float) -> str:
        """Why it was stopped, where it had ``timeout`` seconds: for messages."""
        if self.reason is Reason.DEADLINE:
            return f"no end within {timeout:g} s"
        if self.reason is Reason.MEMORY:
            return f"stopped when its processes used {self.memory >> 20} MiB of memory"
        return f"stopped after {self.output:,} bytes of output"

    @property
    def words(self) -> str:
        """``exit status 1`` or ``signal 9``: for messages."""
        return f"signal {self.signal}" if self.signal is not None else f"exit status {self.code}"
