"""Shard: tasks of one suite packed into units of dispatch, longest first, order groups kept together and in order."""

from __future__ import annotations

import dataclasses
import heapq
import math
from collections.abc import Iterable
from dataclasses import dataclass

from orchestrator.domain.plan import Shard, Suite, TestTask
from orchestrator.domain.profile import Profile
from orchestrator.planner.estimate import setup_seconds

#: Tasks that stay together, in this order.
Atom = tuple[TestTask, ...]


@dataclass(frozen=True, slots=True)
class Sharded:
    """Tasks, each with the id of its shard, and the shards."""

    tasks: tuple[TestTask, ...]
    shards: tuple[Shard, ...]

    def __str__(self) -> str:
        return "\n".join(f"{shard.id} {shard.est_duration:.1f} s: {' '.join(shard.tasks)}" for shard in self.shards)


def shard(tasks: Iterable[TestTask], profile: Profile) -> Sharded:
    """Put every task into exactly one shard of about ``dispatch.shard_seconds``."""
    tasks = tuple(tasks)
    shards = tuple(
        made for suite in Suite for made in _of_suite(suite, [task for task in tasks if task.type is suite], profile)
    )
    home = {task: made.id for made in shards for task in made.tasks}
    return Sharded(tuple(dataclasses.replace(task, shard=home[task.id]) for task in tasks), shards)


def _of_suite(suite: Suite, tasks: list[TestTask], profile: Profile) -> list[Shard]:
    setup = setup_seconds(suite, profile)
    groups = profile.bvt.order_groups if suite is Suite.BVT else ()
    bins = pack(_atoms(tasks, groups), max(1.0, profile.dispatch.shard_seconds - setup))
    ordered = sorted((_in_order(atoms) for atoms in bins), key=_urgency)
    return [_shard(f"{suite.queue}-{number}", suite, run, setup) for number, run in enumerate(ordered, 1)]


def _shard(name: str, suite: Suite, tasks: list[TestTask], setup: float) -> Shard:
    length = _length(tasks) + (0.0 if all(task.skip for task in tasks) else setup)
    return Shard(name, suite, suite.queue, tuple(task.id for task in tasks), round(length, 1))


def _atoms(tasks: list[TestTask], groups: tuple[tuple[str, ...], ...]) -> list[Atom]:
    by_category = {task.category: task for task in tasks}
    together = [atom for group in groups if (atom := tuple(by_category[name] for name in group if name in by_category))]
    grouped = {task.id for atom in together for task in atom}
    return together + [(task,) for task in tasks if task.id not in grouped]


def pack(atoms: list[Atom], capacity: float) -> list[list[Atom]]:
    """Longest processing time first into as few bins as ``capacity`` (seconds) needs; what is longer gets its own."""
    ordered = sorted(atoms, key=lambda atom: (-_length(atom), atom[0].id))
    alone = [[atom] for atom in ordered if _length(atom) >= capacity]
    rest = ordered[len(alone) :]
    count = min(len(rest), math.ceil(sum(map(_length, rest)) / capacity) or 1)
    bins: list[list[Atom]] = [[] for _ in range(count)]
    heap = [(0.0, number) for number in range(count)]
    for atom in rest:
        length, number = heapq.heappop(heap)
        bins[number].append(atom)
        heapq.heappush(heap, (length + _length(atom), number))
    return alone + bins


def _in_order(atoms: list[Atom]) -> list[TestTask]:
    """Urgent ones first, then longer ones."""
    ordered = sorted(atoms, key=_urgency)
    return [task for atom in ordered for task in atom]


def _urgency(tasks: Iterable[TestTask]) -> tuple[int, float, str]:
    tasks = tuple(tasks)
    return min(task.priority for task in tasks), -_length(tasks), tasks[0].id


def _length(tasks: Iterable[TestTask]) -> float:
    return sum(task.est_duration for task in tasks)
