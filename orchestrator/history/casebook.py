"""The cases a tree has: number, blobs, statements and words of each, kept up as commits come."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from orchestrator.history.commits import Entry
from orchestrator.history.layout import EXPECTATION, SCRIPTS, Layout, package_of_test
from orchestrator.history.text import TextIndex
from orchestrator.history.words import path_words, text_words

#: Of a longer text the beginning speaks for the rest.
_MOST_BYTES = 60_000
#: What may hold a semicolon that ends no statement.
_OPAQUE = re.compile(rb"""'(?:[^'\\]|\\.|'')*'|"(?:[^"\\]|\\.)*"|`[^`]*`|--[^\n]*|#[^\n]*|/\*.*?\*/""", re.DOTALL)

#: The content of a blob; None when the clone lacks it.
ReadBlob = Callable[[str], bytes | None]


def statements_of(script: bytes) -> int:
    """Statements of a script: its semicolons outside of strings and comments."""
    return _OPAQUE.sub(b"", script).count(b";")


@dataclass(slots=True)
class Casebook:
    """The cases of one tree. Numbers are for good: a case that goes and comes back keeps its own."""

    numbers: dict[str, int] = field(default_factory=dict)
    #: Of each case there is: stem, statements, and when it came (seconds since 1970).
    stems: dict[int, str] = field(default_factory=dict)
    statements: dict[int, int] = field(default_factory=dict)
    born: dict[int, int] = field(default_factory=dict)
    #: Blobs by stem and extension.
    blobs: dict[str, dict[str, str]] = field(default_factory=dict)
    scripts: TextIndex = field(default_factory=TextIndex)
    results: TextIndex = field(default_factory=TextIndex)
    paths: TextIndex = field(default_factory=TextIndex)
    #: How many files of unit tests each package has.
    test_files: dict[str, int] = field(default_factory=dict)

    def number(self, stem: str) -> int:
        """The number of a case, new if need be."""
        return self.numbers.setdefault(stem, len(self.numbers))

    def file_of(self, stem: str) -> str:
        """The script of a case: its stem with the extension it has."""
        extension = next((one for one in SCRIPTS if one in self.blobs.get(stem, {})), SCRIPTS[0])
        return f"{stem}.{extension}"

    def apply(self, entries: Iterable[Entry], layout: Layout, time: int, read: ReadBlob) -> None:
        """Become the tree that a commit makes of this one."""
        changed: dict[str, None] = {}
        entries = list(entries)
        self._follow(entries, layout)
        for entry in entries:
            found = layout.case_of(entry.path)
            if found is not None:
                stem, extension = found
                files = self.blobs.setdefault(stem, {})
                files.pop(extension, None)
                if entry.status != "D":
                    files[extension] = entry.new
                changed[stem] = None
            elif entry.status in "AD" and (package := package_of_test(entry.path)) is not None:
                self.test_files[package] = self.test_files.get(package, 0) + (1 if entry.status == "A" else -1)
        for stem in changed:
            self._refresh(stem, time, read)

    def _follow(self, entries: Iterable[Entry], layout: Layout) -> None:
        """Let a case that moves keep its number, and with it its past: the script or else its name tells where to."""
        gone: dict[str, list[str]] = {}
        come: dict[str, str] = {}
        scripts = [(layout.case_of(entry.path) or ("", EXPECTATION), entry) for entry in entries]
        scripts = [(found, entry) for found, entry in scripts if found[1] != EXPECTATION]
        added = {stem for (stem, _), entry in scripts if entry.status == "A"}
        for (stem, _), entry in scripts:
            known = self.numbers.get(stem) in self.stems
            if entry.status == "D" and known and stem not in added:
                for sign in (entry.old, _name(stem)):
                    gone.setdefault(sign, []).append(stem)
            elif entry.status == "A" and not known:
                come[stem] = entry.new
        for stem, blob in come.items() if gone else ():
            found = gone.get(blob) or gone.get(_name(stem)) or []
            before = next((one for one in found if self.numbers[one] in self.stems), None)
            if before is not None:
                number = self.numbers[before]
                self.numbers[before], self.numbers[stem] = self.numbers.get(stem, len(self.numbers)), number
                self.stems[number] = stem

    def _refresh(self, stem: str, time: int, read: ReadBlob) -> None:
        number, files = self.number(stem), self.blobs[stem]
        script = next((files[extension] for extension in SCRIPTS if extension in files), None)
        if script is None:
            self._drop(number)
            return
        if number not in self.stems:
            self.born[number] = time
        text = read(script) or b""
        expected = read(files[EXPECTATION]) if EXPECTATION in files else None
        self.stems[number] = stem
        self.statements[number] = statements_of(text)
        self.scripts.put(number, text_words(_text(text)))
        self.results.put(number, text_words(_text(expected or b"")))
        self.paths.put(number, path_words(stem.split("/")))

    def _drop(self, number: int) -> None:
        for kept in (self.stems, self.statements, self.born):
            kept.pop(number, None)
        for index in (self.scripts, self.results, self.paths):
            index.drop(number)


def _name(stem: str) -> str:
    return stem.rpartition("/")[2]


def _text(content: bytes) -> str:
    return content[:_MOST_BYTES].decode("utf-8", "replace")
