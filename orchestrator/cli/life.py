"""Processes that end with the one that started them, however that one ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path


def end_with_stdin(wanted: bool) -> None:
    """Kill this process when its standard input ends: a pipe whose other end closes when its owner dies."""
    if not wanted:
        return

    def wait() -> None:
        while os.read(0, 4096):
            pass
        os.kill(os.getpid(), signal.SIGKILL)

    threading.Thread(target=wait, name="owner", daemon=True).start()


class Service:
    """One of our own commands as a process of its own, with its log in a file; ends with us."""

    def __init__(self, words: Sequence[str], environ: Mapping[str, str], log: Path) -> None:
        self.log = log
        with log.open("ab") as out:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "orchestrator", *words, "--until-eof"],
                stdin=subprocess.PIPE,
                stdout=out,
                stderr=subprocess.STDOUT,
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
