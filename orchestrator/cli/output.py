"""Answers to stdout or to a file, whole or not at all; and what comes in."""

from __future__ import annotations

import contextlib
import io
import os
import sys
from pathlib import Path

from orchestrator.domain.errors import UsageError


def emit(answer: bytes, path: str | None = None) -> None:
    """Write ``answer`` to the file ``path`` in one step, or to stdout when it is ``None`` or ``-``.

    A reader that leaves early (``| head``) is no error.
    """
    if path not in (None, "-"):
        _replace(Path(str(path)), answer)
        return
    try:
        sys.stdout.flush()
        sys.stdout.buffer.write(answer)
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def in_utf8() -> None:
    """Standard output as UTF-8 from here on, whatever the locale says: JSON is, and a terminal's escapes break it."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8", errors="backslashreplace")


def _replace(path: Path, answer: bytes) -> None:
    target = path.resolve()
    device = target.exists() and not target.is_file()
    written = target if device else target.with_name(f".{target.name}.{os.getpid()}.tmp")
    try:
        written.write_bytes(answer)
        if not device:
            written.replace(target)
    except OSError as error:
        if not device:
            with contextlib.suppress(OSError):  # why it could not be written is what counts
                written.unlink()
        raise UsageError(f"cannot write {path}: {error.strerror}", "Name a file where you may write one.") from None


def piped(what: str, error: type[UsageError]) -> bytes:
    """What is piped into this command; ``error`` where standard input is closed."""
    if sys.stdin is None:
        raise error("standard input is closed", f"Pipe {what} into this command, or name a file.")
    return sys.stdin.buffer.read()
