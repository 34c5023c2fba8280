"""What the compiler and ``vet`` said while test binaries were built, by import path."""

from __future__ import annotations

import re
from pathlib import Path

from workers.suites.execution import relative_file

#: Characters kept a package, and in all; what holds a line counts, too.
LIMIT, ALL = 20_000, 16_000_000
_LINE = 100
#: ``build/a.go:2:23: cannot use …``, ``vet: ./a.go:2:1: …``.
PLACE = re.compile(r"(?:vet: )?(\S+?\.(?:go|c|h|cc|cpp|s|y)):(\d+)(?::(\d+))?: (.*)")
_HEADER = re.compile(r"# (\S+)(?: \[\S+\])?$")
#: The pattern names nothing that could be tested: removed by the change, or emptied.
_HOLLOW = re.compile(
    r"no Go files in |directory not found|no such file or directory"
    r"|build constraints exclude all Go files|matched no packages"
)


class BuildLog:
    """Lines by import path (``example.com/m/a`` or ``example.com/m/a [example.com/m/a.test]``)."""

    def __init__(self) -> None:
        self._lines: dict[str, list[str]] = {}
        self._size: dict[str, int] = {}
        self._header: str | None = None
        self._room = ALL

    def add(self, path: str, line: str) -> None:
        """A line that an event says belongs to ``path``."""
        if line.startswith("# ") or self._size.get(path, 0) > LIMIT or self._room < 0:
            return
        self._room -= min(len(line), 2000) + len(path) + _LINE
        self._size[path] = self._size.get(path, 0) + len(line)
        self._lines.setdefault(path, []).append(line[:2000])

    def plain(self, line: str) -> None:
        """A line of text: ``# path`` begins a package, the lines below it are its own."""
        if match := _HEADER.match(line):
            self._header = match.group(1) if not match.group(1).startswith("[") else self._header
        elif line.startswith(("go: ", "FAIL", "ok ")):
            self._header = None
        elif self._header is not None:
            self.add(self._header, line)

    def text(self, culprit: str, package: str) -> str:
        """What was said of ``culprit``, else of ``package``, else of anything."""
        for wanted in (culprit, culprit.split(" ", maxsplit=1)[0], package):
            lines = self._lines.get(wanted) or next(
                (lines for path, lines in self._lines.items() if path.split(" ")[0] == wanted), None
            )
            if lines:
                return "\n".join(lines)
        return self.everything()

    def everything(self) -> str:
        """All of it, for faults that are nobody's in particular."""
        return "\n".join(line for lines in self._lines.values() for line in lines)[:LIMIT]

    @staticmethod
    def hollow(text: str) -> bool:
        """Whether a set-up failure only says that there is no package."""
        return bool(_HOLLOW.search(text))

    @staticmethod
    def place(text: str, workspace: Path) -> tuple[str | None, int | None]:
        """File in the tree and line of the first error."""
        for line in text.splitlines():
            match = PLACE.match(line)
            file = relative_file(match.group(1), workspace) if match else None
            if match and file:
                return file, int(match.group(2)[:9])
        return None, None
