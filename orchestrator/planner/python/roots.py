"""Where a Python project's packages begin: folders that Python looks for modules in, beside the root of the tree.

A folder ``src`` that is no package itself (packaging.python.org, "src layout vs flat layout"), the folder of a
``pyproject.toml``, what that says (setuptools' ``packages.find.where`` and ``package-dir``, pytest's ``pythonpath``),
and what pytest adds for a test: the first folder above it that is no package (docs.pytest.org, "prepend").
"""

from __future__ import annotations

import posixpath
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from orchestrator.planner.globs import matches

SETTINGS = "pyproject.toml"
#: Files that pytest collects (docs.pytest.org, ``python_files``), and those that it imports for them.
TESTS = ("test_*.py", "*_test.py")
COLLECTED = (*TESTS, "conftest.py")
#: Characters of settings, and dots in one of their lines, that are read: a key of many parts takes its square.
_LONGEST, _MOST_DOTS = 64_000, 200
_KEYS = (
    ("tool", "setuptools", "packages", "find", "where"),
    ("tool", "setuptools", "package-dir", ""),
    ("tool", "pytest", "ini_options", "pythonpath"),
)


def roots_of(modules: Iterable[str], settings: Mapping[str, str]) -> frozenset[str]:
    """The folders below the root that packages begin in; ``modules`` are paths, ``settings`` path → text."""
    paths = frozenset(modules)
    folders = {folder for path in paths for folder in above(path)}
    plain = {folder for folder in folders if f"{folder}/__init__.py" not in paths}
    found = {folder for folder in plain if posixpath.basename(folder) == "src"}
    found |= {next((one for one in above(path) if one in plain), "") for path in paths if matches(path, COLLECTED)}
    for path, text in settings.items():
        if posixpath.basename(path) == SETTINGS:
            folder = posixpath.dirname(path)
            found |= {folder, *(posixpath.normpath(posixpath.join(folder, said)) for said in _said(text))}
    return frozenset(found & folders)


def above(path: str) -> Iterator[str]:
    """The folders that a path lies in, the nearest first, without the root."""
    while (path := posixpath.dirname(path)).strip("/"):
        yield path


def _said(text: str) -> Iterator[str]:
    """The folders that settings name; none where they are no TOML."""
    if len(text) > _LONGEST or max(line.count(".") for line in text.split("\n")) > _MOST_DOTS:
        return
    try:
        document = tomllib.loads(text)
    except (ValueError, RecursionError):
        return
    for keys in _KEYS:
        value: Any = document
        for key in keys:
            value = value.get(key) if isinstance(value, dict) else None
        words = value.split() if isinstance(value, str) else value if isinstance(value, list) else []
        yield from (word for word in words if isinstance(word, str))
