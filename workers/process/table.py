"""The kernel's table of processes, read from ``/proc`` (``proc(5)``): who is whose child, and what they hold.

It is read after every test process: no Path objects.
"""

from __future__ import annotations

import os
import resource
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

COOKIE = "MO_SPAWN"
_PAGE = resource.getpagesize()


@dataclass(frozen=True, slots=True)
class Process:
    """A line of the table."""

    pid: int
    #: Whether it still runs: neither a zombie nor dead.
    lives: bool
    parent: int
    session: int
    #: Clock ticks from the start of the system to its own.
    started: int
    #: Bytes it has in memory.
    memory: int


def processes() -> dict[int, Process]:
    """Every process of this host by its number."""
    return {pid: _parsed(pid, stat) for pid, stat in _every("stat")}


def started(pid: int) -> int:
    """When the process ``pid``, a child of ours that nobody has waited for, was started: see :class:`Process`."""
    return _parsed(pid, _read(pid, "stat")).started


def uids_of(pid: int) -> set[int]:
    """Its uids, real, effective and saved. The owner of ``/proc/N`` is not asked: a process can hide behind root."""
    return _uids(_read(pid, "status"))


def below(table: Mapping[int, Process], tops: Iterable[int]) -> set[int]:
    """``tops`` with all their descendants in ``table``."""
    children: dict[int, list[int]] = {}
    for one in table.values():
        children.setdefault(one.parent, []).append(one.pid)
    found: set[int] = set()
    open_ends = [pid for pid in tops if pid in table]
    while open_ends:
        pid = open_ends.pop()
        if pid not in found:
            found.add(pid)
            open_ends += children.get(pid, ())
    return found


def cookies() -> dict[int, str]:
    """The cookie of every process that has one in its environment; zombies have none."""
    mark = f"{COOKIE}=".encode()
    found = {}
    for pid, environ in _every("environ"):
        if mark in environ:
            words = (word for word in environ.split(b"\0") if word.startswith(mark))
            found[pid] = next(words, mark).removeprefix(mark).decode(errors="replace")
    return found


def busy_uids() -> set[int]:
    """Every uid that some process has: see :func:`uids_of`."""
    return {uid for _, status in _every("status") for uid in _uids(status)}


def _parsed(pid: int, stat: bytes) -> Process:
    words = stat.rpartition(b")")[2].split()  # the name before may hold anything
    state, parent, _, session = words[:4]
    return Process(pid, state not in b"ZX", int(parent), int(session), int(words[19]), int(words[21]) * _PAGE)


def _uids(status: bytes) -> set[int]:
    line = next((line for line in status.split(b"\n") if line.startswith(b"Uid:")), b"")
    return set(map(int, line.split()[1:]))


def _every(file: str) -> Iterator[tuple[int, bytes]]:
    """That file of every process that lets us read it."""
    for name in os.listdir("/proc"):  # noqa: PTH208
        if name.isdigit() and (text := _read(int(name), file)):
            yield int(name), text


def _read(pid: int, file: str) -> bytes:
    """That file of a process; nothing when it is gone, or not ours to read."""
    try:
        fd = os.open(f"/proc/{pid}/{file}", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return b""
    try:
        return os.read(fd, 1 << 17)
    except OSError:
        return b""
    finally:
        os.close(fd)
