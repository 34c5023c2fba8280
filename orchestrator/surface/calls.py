"""Who refers to a function: an index over the code of a revision that moves to another one by what differs."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from posixpath import basename, dirname

from orchestrator.surface.model import Definition
from orchestrator.surface.outline import GoFunction, outline

#: A method name that more types than this have (``String``, ``Reset``) says nothing about who is called.
_AMBIGUOUS = 3
#: A function with more callers than this is plumbing: following it would reach everything.
_PLUMBING = 40


class CallIndex:
    """References of one revision at a time; files are read once, by blob id."""

    def __init__(self) -> None:
        self._outlines: dict[str, tuple[GoFunction, ...]] = {}
        self._at: dict[str, str] = {}
        self._referrers: dict[str, set[Definition]] = defaultdict(set)
        #: What each function refers to, by file: several files, for several systems, may have one of the same name.
        self._bodies: dict[Definition, dict[str, frozenset[str]]] = {}
        self._methods: Counter[str] = Counter()

    def move(self, blobs: Mapping[str, str], read: Callable[[str], bytes | None]) -> None:
        """Go to the revision with these files (path to blob id)."""
        gone = [path for path, blob in self._at.items() if blobs.get(path) != blob]
        come = [path for path, blob in blobs.items() if self._at.get(path) != blob]
        for path in gone:
            self._forget(path)
        for path in come:
            blob = blobs[path]
            if blob not in self._outlines:
                self._outlines[blob] = outline((read(path) or b"").decode("utf-8", "replace"))
            self._learn(path, blob)

    def _learn(self, path: str, blob: str) -> None:
        self._at[path] = blob
        for name, references in self._outlines[blob]:
            definition = Definition(dirname(path), name)
            bodies = self._bodies.setdefault(definition, {})
            bodies[path] = bodies.get(path, frozenset()) | references
            self._methods[name.rpartition(".")[2]] += 1
            for reference in references:
                self._referrers[reference].add(definition)

    def _forget(self, path: str) -> None:
        for name, references in self._outlines[self._at.pop(path)]:
            definition = Definition(dirname(path), name)
            self._bodies.get(definition, {}).pop(path, None)
            left = self.references(definition)
            if not self._bodies.get(definition):
                self._bodies.pop(definition, None)
            self._methods[name.rpartition(".")[2]] -= 1
            for reference in references - left:
                self._referrers[reference].discard(definition)

    def definitions(self) -> list[Definition]:
        """Every function, sorted."""
        return sorted(self._bodies, key=lambda one: (one.directory, one.name))

    def references(self, definition: Definition) -> frozenset[str]:
        """What a function refers to; nothing when it is not known."""
        return frozenset().union(*self._bodies.get(definition, {}).values())

    def callers(self, definition: Definition) -> list[Definition]:
        """The functions that refer to this one, sorted; nobody when there are too many to mean something."""
        found = {one for one in self._referring(definition) if one != definition}
        if len(found) > _PLUMBING:
            return []
        return sorted(found, key=lambda one: (one.directory, one.name))

    def _referring(self, definition: Definition) -> Iterator[Definition]:
        receiver, _, name = definition.name.rpartition(".")
        here = definition.directory
        if receiver:
            rare = self._methods[name] <= _AMBIGUOUS
            exported = name[:1].isupper() and rare
            same = (one for one in self._referrers.get(f".{name}", ()) if exported or (one.directory == here and rare))
            yield from same
        else:
            yield from (one for one in self._referrers.get(name, ()) if one.directory == here)
            yield from self._referrers.get(f"{basename(here)}.{name}", ())
