"""Files by path where untrusted code may have planted links: none is followed (``open(2)``, ``O_NOFOLLOW``)."""

from __future__ import annotations

import os
import stat
from pathlib import Path


def no_link(path: str, flags: int) -> int:
    """An ``opener`` for :func:`open` that refuses a link. The folder it lies in must be the worker's own."""
    return os.open(path, flags | os.O_NOFOLLOW, 0o666)


def open_folder(top: Path, *names: str) -> int:
    """A descriptor of the folder ``top/names…``. Of ``top``, only the last part may be untrusted code's to change.

    :raises OSError: a part is a link, or no folder.
    """
    folder = open_inner(top, None)
    for name in names:
        outer = folder
        try:
            folder = open_inner(name, outer)
        finally:
            os.close(outer)
    return folder


def open_inner(name: str | Path, folder: int | None) -> int:
    """A descriptor of the folder ``name`` in ``folder``.

    :raises OSError: it is a link, or no folder.
    """
    return os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=folder)


def open_file(name: str, folder: int) -> int:
    """A descriptor for reading a regular file in ``folder``; a pipe or a device keeps nobody waiting.

    :raises OSError: it is a link, or no regular file.
    """
    file = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=folder)
    if not stat.S_ISREG(os.fstat(file).st_mode):
        os.close(file)
        raise OSError(f"{name} is no regular file")
    return file


def read_file(top: Path, *names: str, limit: int) -> bytes:
    """What is in ``top/names…``; nothing when it is longer than ``limit`` bytes.

    :raises OSError: there is none, or it is no regular file reached without a link.
    """
    folder = open_folder(top, *names[:-1])
    try:
        with os.fdopen(open_file(names[-1], folder), "rb") as file:
            data = file.read(limit + 1)
    finally:
        os.close(folder)
    return data if len(data) <= limit else b""
