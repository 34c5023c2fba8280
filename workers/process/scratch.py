"""Private directories, and removing what untrusted code left in them."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any


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
    """Remove a directory whatever the modes in it; links are not followed. What cannot go stays, silently.

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

    shutil.rmtree(path, onerror=unlock)
