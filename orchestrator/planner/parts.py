"""Parts: bins that are level because long categories are cut at their scripts."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from typing import NamedTuple

from orchestrator.domain.plan import TestTask, part_id
from orchestrator.planner.pack import Atom, length, pack
from orchestrator.planner.split import Group, Groups, cut, join

#: Bins are level enough when the longest is within this share of their mean.
_LEVEL = 0.01
#: Seconds that a part takes at least: each one starts a runner of its own.
_LEAST = 5.0
#: Cuts that are tried; each one is a new packing.
_TRIES = 24


class _Piece(NamedTuple):
    """Some scripts of a category, on the way to be a part."""

    task: TestTask
    number: int
    group: Group


class Cutter:
    """Cuts the tasks of one queue. It remembers what their scripts are: the tree is asked once a task."""

    def __init__(self, groups: Groups) -> None:
        self._ask = groups
        self._groups: dict[str, Sequence[Group]] = {}
        self._pieces: dict[str, _Piece] = {}

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
        made = []
        for number, group in enumerate(cut(groups, wanted), 1):
            piece = dataclasses.replace(task, id=part_id(task.id, number), est_duration=group.seconds)
            self._pieces[piece.id] = _Piece(task, number, group)
            made.append((piece,))
        return made

    def _worth_cutting(self, bins: Sequence[Sequence[Atom]], parts: dict[str, int]) -> TestTask | None:
        longest = max(bins, key=lambda inside: sum(map(length, inside)), default=())
        for atom in sorted(longest, key=lambda atom: (-length(atom), atom[0].id)):
            piece = self._pieces.get(atom[0].id)
            task = piece.task if piece else atom[0]
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
        homes: dict[str, dict[int, list[_Piece]]] = {}
        done: list[list[Atom]] = [[] for _ in bins]
        for number, inside in enumerate(bins):
            for atom in inside:
                piece = self._pieces.get(atom[0].id)
                if piece is None:
                    done[number].append(atom)
                else:
                    homes.setdefault(piece.task.id, {}).setdefault(number, []).append(piece)
        for places in homes.values():
            for number, part in _parts(places):
                done[number].append((part,))
        return done


def _parts(places: dict[int, list[_Piece]]) -> list[tuple[int, TestTask]]:
    """The parts of one task, each with its bin; the task itself when one bin has all of it."""
    ordered = {number: sorted(pieces, key=lambda piece: piece.number) for number, pieces in places.items()}
    task = next(iter(ordered.values()))[0].task
    if len(ordered) == 1:
        return [(number, task) for number in ordered]
    total = sum(len(piece.group.files) for pieces in ordered.values() for piece in pieces)
    parts = []
    for index, number in enumerate(sorted(ordered, key=lambda number: ordered[number][0].number), 1):
        group = join(piece.group for piece in ordered[number])
        note = f"part {index} of {len(ordered)}: {len(group.files)} of {total} scripts"
        parts.append((number, _part(task, index, group, note)))
    return parts


def _part(task: TestTask, number: int, group: Group, note: str) -> TestTask:
    return dataclasses.replace(
        task,
        id=part_id(task.id, number),
        files=group.files,
        est_duration=round(group.seconds, 1),
        reasons=tuple(reason for reason in task.reasons if reason.test is None or reason.test in group.files),
        note="; ".join(filter(None, (task.note, note))),
    )


def _longest(bins: Sequence[Sequence[Atom]]) -> float:
    return max((sum(map(length, inside)) for inside in bins), default=0.0)
