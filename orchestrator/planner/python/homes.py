"""Which task a test file runs in, and what it takes.

Files of one directory share a task, so that pytest starts once for all of them; where a whole directory takes longer
than a shard should by the profile's word, each file is a task of its own: what was measured does not change ids.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from orchestrator.domain.profile import UnitTests
from orchestrator.planner.evidence import Context
from orchestrator.planner.names import is_safe_path

if TYPE_CHECKING:
    from orchestrator.planner.python.graph import Graph


def can_be_named(test: str) -> bool:
    """Whether a task can name this test file, by its path and inside its directory."""
    return is_safe_path(test) and is_safe_path(posixpath.basename(test))


def tests_below(name: str, graph: Graph) -> list[str]:
    """Test files that a package pattern means: a file, or all below a directory."""
    place = name.removesuffix("...").rstrip("/") or "."
    if place in graph.tests:
        return [place]
    return sorted(test for test in graph.tests if place == "." or test.startswith(f"{place}/"))


def unit_tests(pattern: str, context: Context) -> Iterator[tuple[str, tuple[str, ...]]]:
    """A pattern of the profile as the tasks that evidence names: its test files by task, or itself.

    It is itself without a graph, and where the graph sees no tests: they may be called otherwise, or be gone.
    """
    graph = context.graph
    known = list(homes(tests_below(pattern, graph), context, graph)) if graph is not None else []
    yield from known or [(pattern, ())]


def homes(tests: Iterable[str], context: Context, graph: Graph) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Tasks that hold these test files: each a name, and its files in a directory (empty: the name is the file).

    Files that no task can name are left out.
    """
    profile = context.profile
    by_folder: dict[str, list[str]] = {}
    for test in sorted(filter(can_be_named, tests)):
        by_folder.setdefault(posixpath.dirname(test) or ".", []).append(test)
    for folder, inside in by_folder.items():
        whole = sum(_estimate(test, profile.unit_tests, graph) for test in graph.folders[folder])
        if whole > profile.dispatch.shard_seconds:
            yield from ((test, ()) for test in inside)
        else:
            yield folder, tuple(posixpath.basename(test) for test in inside)


def paths_of(name: str, files: tuple[str, ...], graph: Graph) -> list[str]:
    """The test files of a task, as paths in the tree."""
    return [posixpath.normpath(f"{name}/{file}") for file in files] if files else tests_below(name, graph)


def test_seconds(test: str, context: Context, graph: Graph) -> float:
    """Seconds of one test file: as measured, else its part of what the profile says of a directory, by its tests."""
    measured = context.measured.seconds.get(test)
    if measured is None:
        measured = context.measured.seconds.get(f"ut:{test}")
    return _estimate(test, context.profile.unit_tests, graph) if measured is None else measured


def _estimate(test: str, unit: UnitTests, graph: Graph) -> float:
    if test in unit.package_seconds:
        return unit.package_seconds[test]
    folder = posixpath.dirname(test)
    while folder.strip("/"):
        whole = unit.package_seconds.get(f"{folder}/...")
        if whole is not None:
            return whole * graph.tests[test] / max(1, graph.counts[folder])
        folder = posixpath.dirname(folder)
    return graph.tests[test] * unit.seconds_per_test
