"""What analysers print, as findings: ``go vet -json`` and the common ``file:line:col: message``.

``go vet -json`` prints one indented JSON object a package, ``{package: {analyser: [{posn, end, message}]}}``, on
standard output (older ones: on standard error, below ``# package``), and exits 0 whatever it found; a package that
does not compile is told as text and exit status 1 (tried on Go 1.26 and 1.27).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from orchestrator.domain.run import FailureKind
from workers.suites.execution import relative_file

MESSAGE_LIMIT = 4000
#: A JSON object of one package holds at most this many characters.
OBJECT_LIMIT = 16 << 20
#: ``pkg/a.go:3:39: message``, ``pkg/a.go:3: message``; what stands before the colon looks like a file, not like a log.
_LINE = re.compile(r"(?:vet: )?((?:[A-Za-z]:)?[^\s:=\[\]][^:=\n]*\.\w+):(\d+)(?::(\d+))?:\s*(.*)")
_POSITION = re.compile(r"(.*?):(\d+)(?::(\d+))?$")


@dataclass(frozen=True, slots=True)
class Finding:
    """Something an analyser objects to."""

    message: str
    kind: FailureKind
    #: In the tree; ``None`` when it is elsewhere or unknown.
    file: str | None = None
    line: int | None = None
    column: int | None = None
    #: Which check, or which package.
    check: str = ""

    @property
    def name(self) -> str:
        """``pkg/a.go:3:39 printf``: what a person looks for."""
        place = ":".join(str(part) for part in (self.file, self.line, self.column) if part is not None)
        return " ".join(filter(None, [place, self.check])) or self.message[:80]


def in_line(text: str, workspace: Path, kind: FailureKind = FailureKind.FINDING) -> Finding | None:
    """The finding of one line, if it is one. A file outside of the tree (or behind ``..``) is not named."""
    match = _LINE.match(text[:MESSAGE_LIMIT])
    if match is None:
        return None
    return _at(match.group(1), match.group(2), match.group(3), match.group(4), workspace, kind)


def _at(  # noqa: PLR0913 - the parts of one line
    name: str, line: str, column: str | None, message: str, workspace: Path, kind: FailureKind
) -> Finding:
    file = relative_file(name, workspace) if ".." not in Path(name).parts else None
    words = (message if file else f"{name}:{line}: {message}")[:MESSAGE_LIMIT]
    if file is None:
        return Finding(words, kind)
    return Finding(words, kind, file, int(line[:9]), int(column[:9]) if column else None)


class VetReader:
    """Reads ``go vet -json`` line by line; what is no JSON is what the go command said."""

    def __init__(self, workspace: Path) -> None:
        self._workspace = workspace
        self._object: list[str] = []
        self._size = 0
        self._package = ""
        self._build: list[str] = []
        #: Lines that are neither JSON nor errors of a package: warnings, crashes.
        self.rest: list[str] = []
        self._lost = ""

    @property
    def lost(self) -> str:
        """Why findings may be missing: JSON that could not be read, or that did not end; nothing where all was read."""
        return self._lost or ("go vet: JSON without an end" if self._object else "")

    def feed(self, line: str) -> Iterator[Finding]:
        """Findings completed by ``line``."""
        if self._object or line in ("{", "{}"):
            yield from self._json(line)
        elif line.startswith("# "):
            self._package = line[2:].strip("[]").split(" [")[0]
        elif line.startswith("\t") and self._build:
            self._build.append(line)
        elif finding := in_line(line, self._workspace, FailureKind.BUILD):
            self._build.append(line)
            yield Finding(finding.message, finding.kind, finding.file, finding.line, finding.column, self._package)
        elif line.strip() and len(self.rest) < 500:
            self.rest.append(line[:1000])

    def _json(self, line: str) -> Iterator[Finding]:
        self._object.append(line)
        self._size += len(line)
        if line not in ("}", "{}"):
            if self._size > OBJECT_LIMIT:
                self._drop("an object of more than 16 MB")
            return
        text = "\n".join(self._object)
        try:
            value = json.loads(text)
        except (ValueError, RecursionError) as error:
            self._drop(f"unreadable JSON: {error}")
            return
        self._object, self._size = [], 0
        yield from self._findings(value)

    def _drop(self, why: str) -> None:
        self._object, self._size = [], 0
        self._lost = f"go vet: {why}"

    def _findings(self, value: object) -> Iterator[Finding]:
        for package, checks in value.items() if isinstance(value, dict) else ():
            for check, found in checks.items() if isinstance(checks, dict) else ():
                if isinstance(found, list):
                    yield from (self._one(str(check), item) for item in found if isinstance(item, dict))
                elif isinstance(found, dict) and found.get("error"):
                    self.rest.append(f"{package}: {check} failed: {found['error']}"[:1000])

    def _one(self, check: str, item: dict[str, object]) -> Finding:
        message = str(item.get("message", ""))
        match = _POSITION.match(str(item.get("posn", "")))
        if match is None:
            return Finding(message[:MESSAGE_LIMIT], FailureKind.FINDING, check=check)
        at = _at(match.group(1), match.group(2), match.group(3), message, self._workspace, FailureKind.FINDING)
        return Finding(at.message, at.kind, at.file, at.line, at.column, check)
