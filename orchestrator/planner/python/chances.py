"""How likely each test notices a change, and through which files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from orchestrator.domain.change import ChangeKind, DiffSummary
from orchestrator.planner.python.graph import Graph, Reached


@dataclass(frozen=True, slots=True)
class Chance:
    """The chance that a test notices the change, and why, in words a person understands."""

    chance: float
    detail: str


def changed_sources(change: DiffSummary, graph: Graph) -> tuple[str, ...]:
    """The changed files that the graph knows users of, or that are tests themselves; of a move both ends."""
    alive = [file.path for file in change.files if file.change_kind is not ChangeKind.DELETED]
    moved = [file.old_path for file in change.files if file.old_path]
    return tuple(path for path in dict.fromkeys([*alive, *moved]) if graph.reach(path))


def chances(change: DiffSummary, graph: Graph) -> Mapping[str, Chance]:
    """Test file → its chance, were what it notices of each changed file independent of the others."""
    found: dict[str, list[tuple[str, Reached]]] = {}
    for path in changed_sources(change, graph):
        for test, reached in graph.reach(path).items():
            found.setdefault(test, []).append((path, reached))
    return {test: _chance(test, ways) for test, ways in found.items()}


def _chance(test: str, ways: list[tuple[str, Reached]]) -> Chance:
    doubt = 1.0
    for _, reached in ways:
        doubt *= 1.0 - reached.strength
    path, best = max(ways, key=lambda way: way[1].strength)
    more = f" (and {len(ways) - 1} more changed files)" if len(ways) > 1 else ""
    if path == test:
        return Chance(1.0, f"it changes itself{more}")
    through = " through " + ", ".join(reversed(best.path[1:-1])) if len(best.path) > 2 else ""
    return Chance(round(1.0 - doubt, 4), f"uses {path}{through}{more}")
