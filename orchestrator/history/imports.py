"""Which Go packages import which, from the sources of one revision: every build tag, and what tests import."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from orchestrator.diff.git import Git, Objects, failed

_BLOCK = re.compile(rb"^import\s*(?:\(([^)]*)\)|[\w.]*\s*(\"[^\"\n]+\"))", re.MULTILINE)
_PATH = re.compile(rb"\"([^\"\n]+)\"")
_MODULE = re.compile(rb"^module\s+\"?([^\s\"]+)", re.MULTILINE)
#: Imports come first in a file; so much of it is read.
_HEAD = 32_768
#: Importers of importers count, those further off do not.
_HOPS = 2

#: Package directory → the packages of the same module it imports, sorted.
Graph = dict[str, tuple[str, ...]]


def read_imports(git: Git, objects: Objects, revision: str) -> Graph:
    """The import graph of a revision; empty when it has no ``go.mod`` at its root. Files the clone lacks are left out.

    Raises:
        WorkspaceError: the clone lacks the revision's tree.
    """
    done = git.run("ls-tree", "-r", "-z", "--full-tree", revision)
    if done.returncode:
        raise failed("the tree cannot be listed", done.stderr)
    files = dict(_entry(line) for line in done.stdout.split(b"\0") if line)
    module = _MODULE.search(objects.read(files.get("go.mod", "")) or b"") if "go.mod" in files else None
    if module is None:
        return {}
    prefix = module[1] + b"/"
    found: dict[str, set[str]] = {}
    for path, blob in files.items():
        if path.endswith(".go"):
            package = path.rpartition("/")[0] or "."
            found.setdefault(package, set()).update(_inside((objects.read(blob) or b"")[:_HEAD], prefix))
    return {package: tuple(sorted(names - {package})) for package, names in sorted(found.items())}


def _entry(line: bytes) -> tuple[str, str]:
    meta, _, path = line.partition(b"\t")
    return path.decode("utf-8", "surrogateescape"), meta.split()[2].decode()


def _inside(source: bytes, prefix: bytes) -> Iterable[str]:
    for block, single in _BLOCK.findall(source):
        for path in _PATH.findall(block or single):
            if path.startswith(prefix):
                yield path[len(prefix) :].decode("utf-8", "replace")


def importers_of(graph: Mapping[str, Iterable[str]], packages: Iterable[str]) -> tuple[tuple[str, int], ...]:
    """Packages that import one of ``packages``, directly or through one other, each with its distance; sorted."""
    backwards: dict[str, list[str]] = {}
    for package, imported in graph.items():
        for name in imported:
            backwards.setdefault(name, []).append(package)
    distance = dict.fromkeys(sorted(set(packages)), 0)
    edge = list(distance)
    for hop in range(1, _HOPS + 1):
        edge = sorted({above for name in edge for above in backwards.get(name, ()) if above not in distance})
        distance.update(dict.fromkeys(edge, hop))
    return tuple((name, hop) for name, hop in sorted(distance.items()) if hop)
