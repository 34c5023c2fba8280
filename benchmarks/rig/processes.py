"""Looking at processes, and the mark by which those of a campaign are found."""

from __future__ import annotations

import os
import time
from pathlib import Path

MARK = "MO_TESTPLAN_MARK"


def marked(mark: str) -> set[int]:
    """Living processes whose environment carries ``mark``."""
    wanted = f"{MARK}={mark}".encode()
    return {pid for pid in _pids() if wanted in _read(pid, "environ").split(b"\0")}


def lives(pid: int) -> bool:
    """Whether a process is there and no zombie."""
    return _read(pid, "stat").rpartition(b")")[2].split()[:1] not in ([], [b"Z"], [b"X"])


def command_line(pid: int) -> str:
    """The words of a process with a space between them; empty when it is gone."""
    return _read(pid, "cmdline").rstrip(b"\0").replace(b"\0", b" ").decode(errors="replace")


def command_lines() -> list[str]:
    """Those of every process of this machine."""
    return [line for pid in _pids() if (line := command_line(pid))]


def children(pid: int) -> list[int]:
    """Direct children of a process."""
    found: list[int] = []
    try:
        for thread in os.listdir(f"/proc/{pid}/task"):  # noqa: PTH208 - names only
            found += map(int, Path(f"/proc/{pid}/task/{thread}/children").read_text().split())
    except OSError:
        return found
    return found


def family(pid: int) -> set[int]:
    """A process and everything below it."""
    seen, wanted = set[int](), [pid]
    while wanted:
        one = wanted.pop()
        if one not in seen:
            seen.add(one)
            wanted += children(one)
    return seen


def is_python(pid: int) -> bool:
    """Whether a process still runs our interpreter: a worker's pool process, and not yet a test."""
    return b"-m\0orchestrator\0" in _read(pid, "cmdline")


def of_tests(mark: str) -> set[int]:
    """Marked processes that are none of our own: tests, and what they started."""
    return {pid for pid in marked(mark) if not is_python(pid)}


def gone(mark: str, but: set[int], patience: float) -> set[int]:
    """Marked processes other than ``but`` that are there after ``patience`` seconds; returns as soon as none is."""
    end = time.monotonic() + patience
    while True:
        left = marked(mark) - but
        if not left or time.monotonic() > end:
            return left
        time.sleep(0.05)


def _pids() -> list[int]:
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]  # noqa: PTH208 - names only


def _read(pid: int, name: str) -> bytes:
    try:
        return Path(f"/proc/{pid}/{name}").read_bytes()
    except OSError:
        return b""
