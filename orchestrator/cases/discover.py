"""Which files are scripts, in which order they run, and where their results lie."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path

from orchestrator.domain.errors import BadCaseError

SCRIPT_SUFFIXES = (".sql", ".test")
#: An encoded surrogate: one damaged character to Java, three to Python.
_SURROGATE = re.compile(rb"\xed[\xa0-\xbf][\x80-\xbf]")
_EXTENSION = re.compile(r"\.[A-Za-z]+")


def find_scripts(root: Path) -> Iterator[Path]:
    """The scripts under ``root`` (itself one, or a directory) as mo-tester runs them.

    In each directory sub-directories come first, then files, each sorted by name in UTF-16 order. Raises BadCaseError.
    """
    if root.is_dir():
        yield from _walk(str(root), frozenset())
    elif not root.exists():
        raise BadCaseError(f"{root} does not exist", "Name a script, or a directory that holds scripts.")
    elif root.name.endswith(SCRIPT_SUFFIXES):
        yield root


def _walk(directory: str, above: frozenset[tuple[int, int]]) -> Iterator[Path]:
    try:
        with os.scandir(directory) as entries:
            found = sorted(entries, key=lambda entry: entry.name.encode("utf-16-be", "surrogatepass"))
        status = Path(directory).stat()
    except OSError as error:
        raise BadCaseError(f"{directory} cannot be read: {error.strerror}", "Check its permissions.") from error
    here = (status.st_dev, status.st_ino)
    if here in above:  # a symbolic link back up
        return
    inside = [entry.is_dir() for entry in found]
    for entry, is_directory in zip(found, inside, strict=True):
        if is_directory:
            yield from _walk(entry.path, above | {here})
    for entry, is_directory in zip(found, inside, strict=True):
        if not is_directory and entry.name.endswith(SCRIPT_SUFFIXES):
            yield Path(entry.path)


def selected(path: str, include: Sequence[str], exclude: Sequence[str]) -> bool:
    """Whether ``path``, as spelled from the root, is to run: plain substrings; ``include`` puts ``exclude`` out."""
    if include:
        return any(part in path for part in include)
    return not any(part in path for part in exclude)


def result_paths(path: str) -> tuple[str, str]:
    """Where the result file of the script ``path`` may lie: beside it, or under ``result`` in place of ``cases``.

    Every dot followed by letters is replaced, also in directory names: ``v1.x/a.sql`` has ``v1.result/a.result``.
    """
    elsewhere = path.replace("cases", "result", 1)
    return _EXTENSION.sub(".result", path), _EXTENSION.sub(".result", elsewhere)


def find_result(path: str, base: Path | None = None) -> str | None:
    """The first of `result_paths` that exists (relative ones under ``base``), as spelled; None without."""
    for candidate in result_paths(path):
        if os.path.exists(base / candidate if base else candidate):  # noqa: PTH110 - a name may be too long for a file
            return candidate
    return None


def read_text(path: Path) -> str:
    """A script or result file, as UTF-8; a BOM stays, damaged bytes become U+FFFD. Raises BadCaseError."""
    try:
        if stat.S_ISFIFO(path.stat().st_mode):  # nobody may ever write there
            raise BadCaseError(f"{path} cannot be read: it is a named pipe", "Check that it is a readable file.")
        data = path.read_bytes()
    except OSError as error:
        raise BadCaseError(f"{path} cannot be read: {error.strerror}", "Check that it is a readable file.") from error
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return _SURROGATE.sub(b"\xef\xbf\xbd", data).decode("utf-8", "replace")
