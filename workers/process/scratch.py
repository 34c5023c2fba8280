"""Private directories, and removing what untrusted code left in them."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import stat
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workers.nofollow import open_folder, open_inner


@dataclass(frozen=True, slots=True)
class Scratch:
    """A home and a temporary directory that nobody else uses."""

    root: Path

    @property
    def home(self) -> Path:
        """``HOME`` of what runs here."""
        return self.root / "home"

    @property
    def tmp(self) -> Path:
        """``TMPDIR`` of what runs here; short, because Unix sockets are made below it."""
        return self.root / "tmp"


@contextlib.contextmanager
def scratch_directory(base: Path | None = None) -> Iterator[Scratch]:
    """A fresh :class:`Scratch` below ``base`` (default: the system's), removed at the end."""
    root = Path(tempfile.mkdtemp(prefix="mo-", dir=base))
    try:
        scratch = Scratch(root)
        scratch.home.mkdir()
        scratch.tmp.mkdir()
        yield scratch
    finally:
        remove_tree(root)


def remove_tree(path: Path) -> None:
    """Remove a directory whatever its modes and its depth; links are not followed. What cannot go stays, silently.

    To root modes are nothing, and a second try by path could be led out by who swaps a directory for a link meanwhile.
    """

    def unlock(function: Callable[..., Any], name: str, _: object) -> None:
        """Go's module cache and some tests leave read-only directories: open the parent and try once more."""
        if os.geteuid() == 0:
            return
        with contextlib.suppress(OSError):
            for directory in (Path(name).parent, Path(name)):
                inside = directory == path or path in directory.parents  # what holds the tree is not ours to change
                if inside and directory.is_dir() and not directory.is_symlink():
                    directory.chmod(0o700)
            if function in (os.unlink, os.rmdir):
                function(name)
            else:
                shutil.rmtree(name, ignore_errors=True)

    with contextlib.suppress(RecursionError):  # a test can make a tree deeper than the stack
        shutil.rmtree(path, onerror=unlock)
    with contextlib.suppress(OSError):
        _remove_deep(path)


def _remove_deep(path: Path) -> None:
    """What :func:`shutil.rmtree` left: it holds a frame and a descriptor a level. Here each folder moves to the top.

    :raises OSError: ``path`` is gone, or a link.
    """
    top = open_folder(path)
    try:
        waiting = os.listdir(top)  # noqa: PTH208 - a descriptor
        while waiting:
            with contextlib.suppress(OSError):
                waiting += _emptied(waiting.pop(), top)
    finally:
        os.close(top)
    path.rmdir()


def _emptied(name: str, top: int) -> list[str]:
    """Remove the entry ``name`` of the folder ``top``; the folders in it are in ``top`` now, by these names."""
    if not _is_folder(name, top):
        os.unlink(name, dir_fd=top)
        return []
    moved: list[str] = []
    folder = open_inner(name, top)
    try:
        for entry in os.listdir(folder):  # noqa: PTH208 - a descriptor
            with contextlib.suppress(OSError):
                if _is_folder(entry, folder):
                    free = secrets.token_hex(16)
                    os.rename(entry, free, src_dir_fd=folder, dst_dir_fd=top)
                    moved.append(free)
                else:
                    os.unlink(entry, dir_fd=folder)
    finally:
        os.close(folder)
        with contextlib.suppress(OSError):
            os.rmdir(name, dir_fd=top)
    return moved


def _is_folder(name: str, folder: int) -> bool:
    """Whether the entry ``name`` is a folder; then it may be entered and moved, whatever its mode was."""
    mode = os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode
    if stat.S_ISDIR(mode) and mode & 0o700 != 0o700 and os.geteuid() != 0:
        os.chmod(name, 0o700, dir_fd=folder)
    return stat.S_ISDIR(mode)
