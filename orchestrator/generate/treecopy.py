"""The scripts of a revision in a folder of our own, because the index of what is tested already reads folders."""

from __future__ import annotations

import tempfile
from pathlib import Path
from types import TracebackType

from orchestrator.cases.corpus import Corpus
from orchestrator.generate.library import Library, LibraryScript


class TreeCopy:
    """A temporary folder that follows one library after another, writing only what differs; a context manager."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="mo-testplan-cases-")
        self._root = Path(self._folder.name, "cases")
        self._written: dict[str, LibraryScript] = {}
        self._corpus: Corpus | None = None

    def __enter__(self) -> TreeCopy:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._corpus is not None:
            self._corpus.close()
        self._folder.cleanup()

    def at(self, library: Library) -> Corpus | None:
        """The index of a library's scripts; ``None`` when it has none."""
        for path in self._written.keys() - library.scripts.keys():
            Path(self._root, path).unlink(missing_ok=True)
            del self._written[path]
        for path, script in library.scripts.items():
            if self._written.get(path) is not script and self._write(path, script.text):
                self._written[path] = script
        if not self._written:
            return None
        if self._corpus is None:
            self._corpus, _ = Corpus.open(self._root, Path(self._folder.name, "index.db"))
        else:
            self._corpus.refresh()
        return self._corpus

    def _write(self, path: str, text: str) -> bool:
        target = Path(self._root, path)
        if ".." in target.parts:
            return False
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8", errors="replace", newline="")
        return True
