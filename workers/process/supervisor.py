"""The loop that watches one process group: lines, deadline, cancel, output."""

from __future__ import annotations

import contextlib
import os
import selectors
import shutil
import signal
import time
from collections.abc import Callable

from orchestrator.domain.errors import InfrastructureError
from workers.process.group import Group
from workers.process.lines import LineSplitter
from workers.process.model import Command, Exit, Reason, Stream

#: Seconds between two looks at the cancel flag.
POLL = 0.05
#: Seconds between two looks at the disk.
DISK_POLL = 0.25
#: Seconds between two looks at the memory of the tree.
MEMORY_POLL = 0.25
#: Seconds a stranger may hold our pipes open after the group is dead.
DRAIN = 0.5
CHUNK = 64 << 10

OnLine = Callable[[Stream, str], None]


def _never() -> bool:
    return False


def run(command: Command, on_line: OnLine, cancelled: Callable[[], bool] = _never) -> Exit:
    """Run ``command`` to its end; no process of its group is left when this returns or raises.

    ``on_line`` gets every line (decoded with replacement, over-long ones cut); ``cancelled`` is asked at least every
    0.1 s while ``on_line`` returns promptly. What they raise ends the group and is passed on.

    :raises ToolMissingError: there is no such program.
    :raises InfrastructureError: it cannot be started.
    """
    if cancelled():
        return Exit(None, None, Reason.CANCELLED, 0.0)
    start = time.monotonic()
    group = Group(command)
    try:
        with contextlib.closing(_watch(command, group, on_line, cancelled, start)) as watch:
            watch.until_exit()
            group.signal(signal.SIGKILL)  # before the pipes are drained: daemons left in the group hold them open
            watch.drain()
    finally:
        status, left = group.close()
    end = time.monotonic()
    return Exit(
        code=status if status >= 0 else None,
        signal=-status if status < 0 else None,
        reason=watch.reason,
        seconds=end - start,
        stop_seconds=end - watch.stopped if watch.stopped is not None else 0.0,
        output=watch.output,
        memory=watch.memory,
        survivors=left,
    )


def _watch(command: Command, group: Group, on_line: OnLine, cancelled: Callable[[], bool], start: float) -> _Watch:
    try:
        return _Watch(command, group, on_line, cancelled, start)
    except OSError as error:  # this process has no descriptor left
        raise InfrastructureError(
            f"{command.argv[0]} could not be watched: {error}", "Let the worker have more open files."
        ) from error


class _Watch:
    """State of one :func:`run`."""

    def __init__(
        self, command: Command, group: Group, on_line: OnLine, cancelled: Callable[[], bool], start: float
    ) -> None:
        self._command = command
        self._group = group
        self._on_line = on_line
        self._cancelled = cancelled
        self._deadline = start + command.timeout
        self._next_poll = start + POLL
        self._next_disk = self._next_memory = start
        self._kill_at: float | None = None
        self._selector = selectors.DefaultSelector()
        self._splitters = {stream: LineSplitter(command.limits.line) for stream in Stream}
        self._open = 0
        for fd, stream in zip(group.pipes, Stream, strict=True):
            self._selector.register(fd, selectors.EVENT_READ, stream)
            self._open += 1
        self._pidfd = os.pidfd_open(group.pid)
        self._selector.register(self._pidfd, selectors.EVENT_READ, None)
        self.reason = Reason.EXITED
        #: When it was told to stop, on the monotonic clock.
        self.stopped: float | None = None
        self.output = 0
        #: What its processes had in memory, bytes, when that was too much.
        self.memory = 0

    def until_exit(self) -> None:
        """Pass on lines until the leader has ended, by itself or by us."""
        while not self._group.exited():
            self._turn(min(POLL, max(0.0, self._deadline - time.monotonic()) or POLL))
            self._judge(time.monotonic())
            self._group.bury()

    def drain(self) -> None:
        """Pass on what is still in the pipes, up to the output limit.

        A pipe holds no more than a chunk, so one turn has all that was written before the end, however late it comes.
        """
        end = time.monotonic() + DRAIN
        late = False
        while self._open and not late and self.output <= self._command.limits.output:
            self._turn(max(0.0, end - time.monotonic()))
            late = time.monotonic() >= end
        for stream, splitter in self._splitters.items():
            for line in splitter.end():
                self._on_line(stream, line)

    def close(self) -> None:
        """Give back the descriptors."""
        self._selector.close()
        os.close(self._pidfd)

    def _turn(self, wait: float) -> None:
        """Read at most one chunk of each stream."""
        for key, _ in self._selector.select(wait):
            if key.data is None:
                self._selector.unregister(key.fd)  # the leader ended: nothing more to hear here
                continue
            try:
                chunk = os.read(key.fd, CHUNK)
            except BlockingIOError:
                continue
            if not chunk:
                self._selector.unregister(key.fd)
                self._open -= 1
                continue
            self.output += len(chunk)
            for line in self._splitters[key.data].feed(chunk):
                self._on_line(key.data, line)

    def _judge(self, now: float) -> None:
        """Decide whether it is time to stop it, or to kill it."""
        if self._kill_at is not None:
            if now >= self._kill_at:
                self._group.signal(signal.SIGKILL)
                self._kill_at = now + 1.0
            return
        reason = self._reason_to_stop(now)
        if reason is not None:
            self.reason = reason
            self.stopped = now
            self._kill_at = now + self._command.grace
            self._group.signal(signal.SIGTERM)

    def _reason_to_stop(self, now: float) -> Reason | None:
        if self.output > self._command.limits.output:
            return Reason.OUTPUT_LIMIT
        if now >= self._deadline:
            return Reason.DEADLINE
        if now >= self._next_poll:
            self._next_poll = now + POLL
            if self._cancelled():
                return Reason.CANCELLED
        if self._memory_high(now):
            return Reason.MEMORY
        return Reason.DISK if self._disk_low(now) else None

    def _memory_high(self, now: float) -> bool:
        limit = self._command.limits.tree_memory
        if limit is None or now < self._next_memory:
            return False
        self._next_memory = now + MEMORY_POLL
        used = self._group.memory()
        self.memory = used if used > limit else 0
        return used > limit

    def _disk_low(self, now: float) -> bool:
        reserve = self._command.limits.disk_reserve
        if reserve is None or now < self._next_disk:
            return False
        self._next_disk = now + DISK_POLL
        return shutil.disk_usage(self._command.cwd).free < reserve
