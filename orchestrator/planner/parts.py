"""Parts: bins that are level because long categories are cut at their scripts."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator, Mapping, Sequence

from orchestrator.domain.errors import BadPlanError
from orchestrator.domain.plan import TestTask, part_id
from orchestrator.planner.pack import Atom, length, pack
from orchestrator.planner.split import Group, Groups, cut, join

#: Bins are level enough when the longest is within this share of their mean.
_LEVEL = 0.01
#: Seconds that a part takes at least: each one starts a runner of its own.
_LEAST = 5.0
#: Cuts that are tried; each one is a new packing.
_TRIES = 24


class Cutter:
    """Cuts the tasks of one queue. It remembers what their scripts are: the tree is asked once a task."""

    def __init__(self, groups: Groups) -> None:
        self._ask = groups
        self._groups: dict[str, Sequence[Group]] = {}
        self._tasks: dict[str, TestTask] = {}

    def level(self, atoms: Sequence[Atom], capacity: float, count: int = 0) -> list[list[Atom]]:
        """:func:`pack`, with tasks cut until the bins are level; parts that share a bin are one again.

        The longest bin decides: its longest task that can be cut is cut into one part more, as long as that helps.
        """
        work = sum(map(length, atoms))
        share = work / max(1, count, math.ceil(work / capacity))
        parts = {atom[0].id: math.ceil(length(atom) / share) for atom in atoms if length(atom) > share * (1 + _LEVEL)}
        best: list[list[Atom]] = []
        for _ in range(_TRIES):
            bins = pack([piece for atom in atoms for piece in self._cut(atom, parts)], capacity, count)
            if not best or _longest(bins) < _longest(best):
                best = bins
            task = self._worth_cutting(bins, parts) if _longest(best) > share * (1 + _LEVEL) else None
            if task is None:
                break
            parts[task.id] = parts.get(task.id, 1) + 1
        return best

    def _cut(self, atom: Atom, parts: dict[str, int]) -> list[Atom]:
        task, wanted = atom[0], parts.get(atom[0].id, 1)
        groups = self._groups_of(task) if len(atom) == 1 and wanted > 1 else ()
        if len(groups) < 2:
            return [atom]
        made: list[Atom] = []
        for number, group in enumerate(cut(groups, wanted), 1):
            name = part_id(task.id, number)
            self._tasks[name] = task
            made.append((dataclasses.replace(task, id=name, files=group.files, est_duration=group.seconds),))
        return made

    def _worth_cutting(self, bins: Sequence[Sequence[Atom]], parts: dict[str, int]) -> TestTask | None:
        longest = max(bins, key=lambda inside: sum(map(length, inside)), default=())
        for atom in sorted(longest, key=lambda atom: (-length(atom), atom[0].id)):
            task = self._tasks.get(atom[0].id, atom[0])
            if len(atom) > 1 or length(atom) < 2 * _LEAST:
                continue
            if parts.get(task.id, 1) < len(self._groups_of(task)):
                return task
        return None

    def _groups_of(self, task: TestTask) -> Sequence[Group]:
        if task.id not in self._groups:
            self._groups[task.id] = self._ask(task)
        return self._groups[task.id]

    def finished(self, bins: Sequence[Sequence[Atom]]) -> list[list[Atom]]:
        """The bins with parts in the place of pieces: those of one bin joined, and numbered in path order."""
        homes: dict[str, dict[int, list[TestTask]]] = {}
        done: list[list[Atom]] = [[] for _ in bins]
        for number, inside in enumerate(bins):
            for atom in inside:
                task = self._tasks.get(atom[0].id)
                if task is None:
                    done[number].append(atom)
                else:
                    homes.setdefault(task.id, {}).setdefault(number, []).append(atom[0])
        for name, places in homes.items():
            whole = self._tasks[part_id(name, 1)]
            for number, part in _parts(whole, places, join(self._groups[name]).files):
                done[number].append((part,))
        return done


def _parts(
    task: TestTask, places: Mapping[int, list[TestTask]], files: tuple[str, ...]
) -> Iterator[tuple[int, TestTask]]:
    """The parts of one task, each with its bin; the task itself when one bin has all of it."""
    place = {file: index for index, file in enumerate(files)}
    inside = {
        number: sorted((file for piece in pieces for file in piece.files), key=place.__getitem__)
        for number, pieces in places.items()
    }
    if sorted(file for some in inside.values() for file in some) != sorted(files):
        raise BadPlanError(f"the parts of {task.id} are not all of it", "This is an error of mo-testplan.")
    if len(inside) == 1:
        yield from ((number, task) for number in inside)
        return
    for index, number in enumerate(sorted(inside, key=lambda number: place[inside[number][0]]), 1):
        some = tuple(inside[number])
        yield (
            number,
            dataclasses.replace(
                task,
                id=part_id(task.id, index),
                files=some,
                est_duration=round(length(places[number]), 1),
                reasons=tuple(reason for reason in task.reasons if reason.test is None or reason.test in some),
                note="; ".join(
                    filter(None, (task.note, f"part {index} of {len(inside)}: {len(some)} of {len(files)} scripts"))
                ),
            ),
        )


def _longest(bins: Sequence[Sequence[Atom]]) -> float:
    return max((sum(map(length, inside)) for inside in bins), default=0.0)
