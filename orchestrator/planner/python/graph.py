"""The graph of uses between the files of a Python project, read backwards: from a change to the tests that notice it.

An edge is an import, a program started with ``-m``, or a string that names a module or a file; a ``conftest.py`` is
used by all tests beside and below it, a data file that nobody names by the modules of the package that holds it. Each
edge has a strength, how likely a defect behind it is noticed through it; a path has the product.
"""

from __future__ import annotations

import functools
import heapq
import posixpath
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from orchestrator.planner.globs import matches
from orchestrator.planner.python.outline import BELOW, Outline, outline_of
from orchestrator.planner.python.roots import TESTS, above, roots_of

#: Strength of an import, and of one of many modules that are chosen at run time.
_DIRECT, _CHOSEN = 0.6, 0.15
#: A package's own ``__init__.py`` runs with each of its modules and hardly ever matters to them.
_PACKAGE = 0.3
#: How much a test's name tells, where it says what it is about.
_KIN = 0.5
#: Tests that notice a change less likely than this are left out, when nobody sets a budget.
LIKELY = 0.02
#: Weaker paths are not followed: chains of imports that long tell nothing.
_FAINT = 0.004


@dataclass(frozen=True, slots=True)
class Reached:
    """A test that notices a change, how strongly, and by which files: the changed one first, the test last."""

    strength: float
    path: tuple[str, ...]


@dataclass(frozen=True)
class Graph:
    """Files and who uses them."""

    #: Test file → number of its tests.
    tests: Mapping[str, int]
    #: File → those who use it, each with the strength of the edge.
    users: Mapping[str, Mapping[str, float]]
    #: Every Python file of the tree, and the data files of its packages.
    sources: frozenset[str]
    _memory: dict[str, dict[str, Reached]] = field(default_factory=dict, compare=False, repr=False)

    @functools.cached_property
    def folders(self) -> Mapping[str, tuple[str, ...]]:
        """Folder, ``.`` for the root → the test files right in it."""
        found: dict[str, list[str]] = defaultdict(list)
        for test in self.tests:
            found[posixpath.dirname(test) or "."].append(test)
        return {folder: tuple(tests) for folder, tests in found.items()}

    @functools.cached_property
    def counts(self) -> Mapping[str, int]:
        """Folder → number of tests in it and below."""
        found: dict[str, int] = defaultdict(int)
        for test, count in self.tests.items():
            for folder in above(test):
                found[folder] += count
        return found

    def traces(self, path: str) -> bool:
        """Whether the graph alone can say who notices a change of ``path``: some test is likely to."""
        return path in self.sources and any(test.strength >= LIKELY for test in self.reach(path).values())

    def reach(self, path: str) -> Mapping[str, Reached]:
        """The tests that notice a change of ``path``, itself included when it is one."""
        if path not in self._memory:
            self._memory[path] = self._reach(path)
        return self._memory[path]

    def _reach(self, start: str) -> dict[str, Reached]:
        """Strongest paths first (Dijkstra, "A Note on Two Problems in Connexion with Graphs", 1959)."""
        found: dict[str, Reached] = {}
        seen: set[str] = set()
        waiting: list[tuple[float, tuple[str, ...]]] = [(-1.0, (start,))]
        while waiting:
            negative, path = heapq.heappop(waiting)
            here = path[-1]
            if here in seen:
                continue
            seen.add(here)
            if here in self.tests:
                found[here] = Reached(1.0 - (1.0 + negative) * (1.0 - _KIN * _kinship(start, here)), path)
            for user, strength in self.users.get(here, {}).items():
                if user not in seen and -negative * strength >= _FAINT:
                    heapq.heappush(waiting, (negative * strength, (*path, user)))
        return found


def build_graph(
    texts: Mapping[str, str], files: Iterable[str], moved: Iterable[str] = (), settings: Mapping[str, str] | None = None
) -> Graph:
    """The graph of a tree: ``texts`` has its Python files, ``files`` the paths of all.

    ``moved`` are paths that the change moved away: whoever still names one of them notices that. ``settings`` are the
    texts of its ``pyproject.toml`` files, which say where packages begin.
    """
    outlines = {path: outline_of(text, module_of(path), package=_is_package(path)) for path, text in texts.items()}
    gone = [path for path in moved if path.endswith(".py") and path not in outlines]
    names = _Names([*gone, *outlines], files, settings or {})
    users: dict[str, dict[str, float]] = defaultdict(dict)
    for path, outline in outlines.items():
        for used, strength in names.uses(path, outline):
            if used != path:
                users[used][path] = max(strength, users[used].get(path, 0.0))
    tests = {path: outline.tests for path, outline in outlines.items() if matches(path, TESTS)}
    for path in outlines:
        if posixpath.basename(path) == "conftest.py":
            folder = path.removesuffix("conftest.py")
            users[path].update({test: _DIRECT for test in tests if test.startswith(folder)})
    held = {path: beside for path in names.data if (beside := names.beside(path))}
    for path in held.keys() - users.keys():
        users[path].update(dict.fromkeys(held[path], _DIRECT))
    return Graph(tests, {path: by for path, by in users.items() if by}, frozenset(outlines) | held.keys())


def _kinship(source: str, test: str) -> float:
    """The words that two paths have in common, without their first folders: Dice's coefficient."""
    first, second = _words(source), _words(test)
    return 2 * len(first & second) / max(1, len(first) + len(second))


@functools.cache
def _words(path: str) -> frozenset[str]:
    inside = path.partition("/")[2] or path
    return frozenset(re.split(r"[^a-z0-9]+", inside.removesuffix(".py").lower())) - {"", "test", "init"}


def module_of(path: str) -> str:
    """``a/b.py`` and ``a/b/__init__.py`` as Python names them: ``a.b``."""
    return path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def _is_package(path: str) -> bool:
    return posixpath.basename(path) == "__init__.py"


class _Names:
    """What the names in sources mean in this tree."""

    def __init__(self, modules: Iterable[str], files: Iterable[str], settings: Mapping[str, str]) -> None:
        self.modules = {module_of(path): path for path in modules}
        python = self.python = frozenset(self.modules.values())
        whole, roots = frozenset(self.modules), roots_of(python, settings)
        #: Names that mean one module below one root, and another below another.
        self.ambiguous: set[str] = set()
        for path in sorted(python):
            for root in roots.intersection(above(path)):
                name = module_of(path.removeprefix(f"{root}/"))
                if self.modules.setdefault(name, path) != path and name not in whole:
                    self.ambiguous.add(name)
        self.data = frozenset(files) - python
        self.children: dict[str, list[str]] = defaultdict(list)
        self.folders: dict[str, list[str]] = defaultdict(list)
        for name, path in self.modules.items():
            self.children[name.rpartition(".")[0]].append(path)
        for path in sorted(python):
            if not _is_package(path):
                self.folders[posixpath.dirname(path)].append(path)
        self.by_base: dict[str, list[str]] = defaultdict(list)
        for path in self.data:
            self.by_base[posixpath.basename(path)].append(path)

    def uses(self, path: str, outline: Outline) -> Iterator[tuple[str, float]]:
        """Files that a file uses, with the strength of the edge; some more than once."""
        for name in outline.imports:
            if name.endswith(BELOW):
                yield from ((child, _CHOSEN) for child in self.children.get(name.removesuffix(BELOW), ()))
            else:
                yield from self._import(name, path)
        for name in outline.programs:
            yield from self._import(name, path)
            yield from self._import(f"{name}.__main__", path)
        for word in outline.words:
            yield from self._word(word)

    def _import(self, name: str, user: str) -> Iterator[tuple[str, float]]:
        if name in self.modules:
            yield self._module(name, user), _DIRECT
        package = name.rpartition(".")[0]
        while package:
            if package in self.modules:
                yield self._module(package, user), _PACKAGE
            package = package.rpartition(".")[0]

    def _module(self, name: str, user: str) -> str:
        """The module that ``name`` means in the file ``user``: of several the one in its own project."""
        if name in self.ambiguous:
            inside = name.replace(".", "/")
            for folder in above(user):
                for root in (folder, f"{folder}/src"):
                    for path in (f"{root}/{inside}.py", f"{root}/{inside}/__init__.py"):
                        if path in self.python:
                            return path
        return self.modules[name]

    def _word(self, word: str) -> Iterator[tuple[str, float]]:
        if word in self.data:
            yield word, _DIRECT
        elif "." in word and len(named := self.by_base.get(posixpath.basename(word), [])) == 1:
            yield named[0], _DIRECT
        if word.endswith(".py") and (path := self.modules.get(module_of(word))) == word:
            yield path, _CHOSEN
        if "." in word and "/" not in word:  # a module, or something in one: a task that is sent by its name
            owner = word if word in self.modules else word.rpartition(".")[0]
            if "." in owner and owner in self.modules:
                yield self.modules[owner], _CHOSEN

    def beside(self, path: str) -> list[str]:
        """The modules of the package that holds a data file; those of the root and of plain folders know nothing."""
        folder = posixpath.dirname(path)
        while folder.strip("/") and folder not in self.folders:
            folder = posixpath.dirname(folder)
        return self.folders.get(folder, []) if folder and module_of(folder + "/__init__.py") in self.modules else []
