"""Pack: work that stays together into bins of equal length. Longest first, then exchanges that level the bins."""

from __future__ import annotations

import heapq
import math
from bisect import bisect_left
from collections.abc import Iterable, Sequence

from orchestrator.domain.plan import TestTask

#: Tasks that stay together, in this order.
Atom = tuple[TestTask, ...]

#: Exchanges that are worth looking for, a bin; each one makes the longest bin shorter.
_ROUNDS = 20


def pack(atoms: Sequence[Atom], capacity: float, count: int = 0) -> list[list[Atom]]:
    """Bins of at most about ``capacity`` seconds: as few as that needs, or ``count`` if that is more.

    What is longer than ``capacity`` gets a bin of its own.
    """
    ordered = sorted(atoms, key=lambda atom: (-length(atom), atom[0].id))
    alone = [[atom] for atom in ordered if length(atom) >= capacity]
    rest = ordered[len(alone) :]
    fewest = math.ceil(sum(map(length, rest)) / capacity) or 1
    bins = longest_first(rest, min(len(rest), max(fewest, count - len(alone))))
    level(bins)
    return alone + bins


def longest_first(ordered: Iterable[Atom], count: int) -> list[list[Atom]]:
    """Each atom, the longest first, into the bin that is shortest."""
    bins: list[list[Atom]] = [[] for _ in range(count)]
    heap = [(0.0, number) for number in range(count)]
    for atom in ordered:
        load, number = heapq.heappop(heap)
        bins[number].append(atom)
        heapq.heappush(heap, (load + length(atom), number))
    return bins


def level(bins: list[list[Atom]]) -> None:
    """Move or swap atoms out of the longest bin while that makes it shorter."""
    loads = [sum(map(length, inside)) for inside in bins]
    for _ in range(_ROUNDS * len(bins)):
        longest = max(range(len(bins)), key=loads.__getitem__)
        by_load = sorted(range(len(bins)), key=loads.__getitem__)
        if not any(_exchange(bins, loads, longest, other) for other in by_load if other != longest):
            return


def _exchange(bins: list[list[Atom]], loads: list[float], longest: int, other: int) -> bool:
    """The move or swap between two bins that brings them nearest to each other; False when none does."""
    gap = loads[longest] - loads[other]
    theirs = sorted(((length(atom), place) for place, atom in enumerate(bins[other])), key=lambda pair: pair[0])
    sizes = [size for size, _ in theirs]
    best, chosen = 0.0, None
    for mine, atom in enumerate(bins[longest]):
        wanted = length(atom) - gap / 2
        near = bisect_left(sizes, wanted)
        options = [(0.0, None), *(theirs[place] for place in (near - 1, near) if 0 <= place < len(theirs))]
        for size, place in options:
            moved = length(atom) - size
            gain = min(moved, gap - moved)
            if gain > best + 1e-6:
                best, chosen = gain, (mine, place)
    if chosen is None:
        return False
    mine, place = chosen
    out = bins[longest].pop(mine)
    back = bins[other].pop(place) if place is not None else None
    bins[other].append(out)
    bins[longest] += [back] if back is not None else []
    moved = length(out) - (length(back) if back is not None else 0.0)
    loads[longest] -= moved
    loads[other] += moved
    return True


def length(tasks: Iterable[TestTask]) -> float:
    """Seconds of tasks, one after the other."""
    return sum(task.est_duration for task in tasks)
