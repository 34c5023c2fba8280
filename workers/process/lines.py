"""From bytes to lines, with bounds: what a test prints is untrusted and may be endless."""

from __future__ import annotations

from collections.abc import Callable, Iterator

CUT = " … [line cut]"


class LineSplitter:
    """Cuts a stream of chunks into lines; holds at most ``limit`` bytes whatever arrives."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._held = bytearray()
        self._cut = False

    def feed(self, chunk: bytes) -> Iterator[str]:
        """The lines that ``chunk`` completes, without their newlines."""
        *whole, rest = chunk.split(b"\n")
        for part in whole:
            self._hold(part)
            yield self._take()
        self._hold(rest)

    def end(self) -> Iterator[str]:
        """The last line, if it had no newline."""
        if self._held:
            yield self._take()

    def _hold(self, part: bytes) -> None:
        room = self._limit - len(self._held)
        self._cut = self._cut or len(part) > room
        self._held += part[:room]

    def _take(self) -> str:
        text = self._held.decode("utf-8", errors="replace").removesuffix("\r")
        cut = self._cut
        self._held.clear()
        self._cut = False
        return text + CUT if cut else text


class CappedLog:
    """A log that says once that it is full, and then stays silent."""

    def __init__(self, sink: Callable[[str], None], limit: int = 64 << 20) -> None:
        self._sink = sink
        self._limit = limit
        self._room = limit
        #: Lines that were not written.
        self.dropped = 0

    def __call__(self, line: str) -> None:
        """Write ``line`` (without its newline) if there is room."""
        self._room -= len(line) + 1
        if self._room >= 0:
            self._sink(line)
            return
        if not self.dropped:
            self._sink(f"[log cut: more than {self._limit} characters; the test goes on]")
        self.dropped += 1
