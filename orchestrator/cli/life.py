"""Processes that end with the one that started them, however that one ends."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import FrameType

#: What tells a command to end.
_ENDS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def end_with_stdin(wanted: bool) -> None:
    """Kill this process when its standard input ends: a pipe whose other end closes when its owner dies."""
    if not wanted:
        return

    def wait() -> None:
        while os.read(0, 4096):
            pass
        os.kill(os.getpid(), signal.SIGKILL)

    threading.Thread(target=wait, name="owner", daemon=True).start()


class Interrupted(KeyboardInterrupt):
    """Ctrl-C, TERM or a closed terminal.

    A subclass, because ``python -m`` ends itself by SIGINT, whatever the exit code, once a plain KeyboardInterrupt has
    passed through ``exec``, as it does when it comes in mid-import (``run_eval_code_obj`` in CPython's pythonrun.c).
    """


@contextlib.contextmanager
def ended_by_signals() -> Iterator[None]:
    """Let TERM and a closed terminal end this command as Ctrl-C does: cancelled and cleaned up."""

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise Interrupted

    heard = [number for number in _ENDS if signal.getsignal(number) is not signal.SIG_IGN]  # nohup, and `&` in a script
    before = {number: signal.signal(number, interrupt) for number in heard}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextlib.contextmanager
def undisturbed() -> Iterator[None]:
    """No signal to end is heard in here: whoever presses Ctrl-C twice gets a clean machine all the same."""
    if threading.current_thread() is not threading.main_thread():  # signals reach the main thread only
        yield
        return
    before = {number: signal.signal(number, signal.SIG_IGN) for number in _ENDS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class Service:
    """One of our own commands as a process of its own, with its log in a file, or in ours; ends with us."""

    def __init__(self, words: Sequence[str], environ: Mapping[str, str], log: Path | None = None) -> None:
        self.log = log or Path(os.devnull)
        with self.log.open("ab") as out:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "orchestrator", *words, "--until-eof"],
                stdin=subprocess.PIPE,
                stdout=out if log else None,
                stderr=subprocess.STDOUT if log else None,
                env=dict(environ),
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        """Process id."""
        return self._process.pid

    def alive(self) -> bool:
        """Whether it runs."""
        return self._process.poll() is None

    def stop(self, patience: float = 5.0) -> None:
        """Ask it to end, insist after ``patience`` seconds, and wait until it is gone."""
        if self.alive():
            self._process.terminate()
            try:
                self._process.wait(patience)
            except subprocess.TimeoutExpired:
                self._process.kill()
        assert self._process.stdin is not None  # noqa: S101 - opened with a pipe
        self._process.stdin.close()
        self._process.wait()
