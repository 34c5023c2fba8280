"""Reading the surface of a revision: the interface a product implements, and the cache around it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Protocol, TypeVar

from orchestrator.surface.calls import CallIndex
from orchestrator.surface.model import Surface

T = TypeVar("T")


class Tree(Protocol):
    """The files of one revision; `orchestrator.diff.tree.RevisionTree` is one, a dictionary in a test another."""

    @property
    def blobs(self) -> Mapping[str, str]:
        """Path to blob id. Equal ids mean equal content, in any revision."""

    def read(self, path: str) -> bytes | None:
        """The content, or ``None`` when the clone lacks it."""


class Parsed:
    """What was made of files so far, by blob id: a file that did not change is not read again."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, str], object] = {}

    def get(self, tree: Tree, path: str, parse: Callable[[str], T]) -> T:
        """``parse`` of the file's text, kept; of no text when the revision has no such file or the clone lacks it."""
        key = (f"{parse.__module__}.{parse.__qualname__}", tree.blobs.get(path, ""))
        if key not in self._kept:
            self._kept[key] = parse((tree.read(path) or b"").decode("utf-8", "replace") if key[1] else "")
        return self._kept[key]  # type: ignore[return-value]  # the key names the function that made it


class Reader(Protocol):
    """How a product's own files are read; `orchestrator.surface.matrixone` is one."""

    def follows(self, path: str) -> bool:
        """Whether the calls in this file are followed: production code that SQL runs through."""

    def read(self, tree: Tree, parsed: Parsed) -> Surface:
        """The surface of a revision, without its calls; what cannot be read is left out, never an error."""


class Surfaces:
    """Surfaces of many revisions, cheaply: one a process, asked in any order (the nearer the next, the faster)."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._parsed = Parsed()
        self._calls = CallIndex()

    def at(self, tree: Tree) -> Surface:
        """The surface of a revision. Its `calls` hold until the next call of `at`."""
        self._calls.move({path: blob for path, blob in tree.blobs.items() if self._reader.follows(path)}, tree.read)
        return replace(self._reader.read(tree, self._parsed), calls=self._calls)
