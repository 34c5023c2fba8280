"""Chooses what to write under a budget: at each step the cheapest way to what is most likely and not yet covered."""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from orchestrator.cases.sql.syntax import read_tree
from orchestrator.generate.chance import AS_IT_IS, Chance
from orchestrator.generate.cleanup import cleanup, sets_back
from orchestrator.generate.kits import KIT
from orchestrator.generate.knobs import Knobs
from orchestrator.generate.library import LibraryScript, Statement
from orchestrator.generate.packs import Pack, Packer
from orchestrator.generate.slices import Slicer, is_forbidden

#: Statements considered; those after them promise next to nothing.
_CONSIDERED = 3000
#: How far a seed moves what a statement counts for.
_SPREAD = 0.2


@dataclass(slots=True)
class Choice:
    """What is to be written. ``slices`` are positions of statements by source."""

    packs: list[Pack] = field(default_factory=list)
    slices: dict[str, set[int]] = field(default_factory=lambda: defaultdict(set))
    #: By source and position: the aspects that a statement was chosen for, the worthiest first.
    meant: dict[tuple[str, int], list[str]] = field(default_factory=dict)
    covered: set[str] = field(default_factory=set)
    statements: int = 0


@dataclass(frozen=True, slots=True)
class Sources:
    """Scripts of the tree and of the kit, with variants of near cases in them."""

    scripts: Mapping[str, LibraryScript]
    slicers: Mapping[str, Slicer]
    #: Where variants stand, by path.
    variants: Mapping[str, frozenset[int]]
    chance: Chance = AS_IT_IS


class _Cost(NamedTuple):
    """Statements that a choice adds to its file, set-up and clean-up included, and as many as its worth is divided by.

    What sets back is paid for and not weighed: weighed, it made settings too dear, and they were hardly tried.
    """

    statements: int
    weighed: int


class Chooser:
    """One greedy choice."""

    def __init__(self, sources: Sources, packer: Packer, values: Mapping[str, float], knobs: Knobs) -> None:
        self._scripts = sources.scripts
        self._slicers = sources.slicers
        self._variants = sources.variants
        self._chance = sources.chance
        self._packer = packer
        self._values = values
        self._knobs = knobs
        self.choice = Choice()
        self._heap = self._candidates()

    def _worth(self, aspects: Sequence[str]) -> float:
        covered = self.choice.covered
        return sum(self._values.get(one, 0.0) for one in dict.fromkeys(aspects) if one not in covered)

    def _candidates(self) -> list[tuple[float, str, int]]:
        found = []
        known: dict[tuple[str, ...], float] = {}
        for path, script in self._scripts.items():
            for at, statement in enumerate(script.statements):
                if statement.plain:
                    worth = known.get(statement.aspects, -1.0)
                    if worth < 0:
                        worth = known[statement.aspects] = self._worth(statement.aspects)
                    worth *= self._trust(path, at)
                    if worth > self._knobs.least_statement:
                        found.append((-worth, path, at))
        found.sort()
        return found[:_CONSIDERED]

    def _trust(self, path: str, at: int) -> float:
        """What a statement counts for: another of what the tree has already shows less than one of a new kind."""
        turned = self._chance.factor(f"{path} {at}", _SPREAD)
        if at in self._variants.get(path, ()):
            return turned * self._knobs.varied
        return turned if path.startswith(KIT) else turned * self._knobs.tree

    def choose(self, budget: int) -> Choice:
        """Spend ``budget`` statements."""
        choice = self.choice
        while choice.statements < budget:
            room = budget - choice.statements
            piece = self._best_slice(room)
            pack = self._packer.best(choice.covered, piece[0] if piece else 0.0)
            cost = 1 if pack is None or any(one.own == pack.own for one in choice.packs) else 4
            rate = pack.gain if pack and cost <= room else 0.0  # a table is paid for by all the queries over it
            if pack is not None and rate >= (piece[0] if piece else 0.0) and rate > 0:
                choice.packs.append(pack)
                choice.covered.update(pack.aspects)
                choice.statements += cost
                if piece:
                    heapq.heappush(self._heap, (-piece[0], piece[1], piece[2]))
            elif piece is not None and piece[0] >= self._knobs.least_rate:
                _, path, at, needed = piece
                choice.meant[path, at] = self._new(self._scripts[path].statements[at].aspects)
                choice.statements += self._cost(path, needed).statements
                choice.slices[path].update(needed)
                for at in needed:
                    choice.covered.update(self._scripts[path].statements[at].aspects)
            else:
                break
        return choice

    def _new(self, aspects: Sequence[str]) -> list[str]:
        fresh = [one for one in dict.fromkeys(aspects) if one not in self.choice.covered and self._values.get(one)]
        return sorted(fresh, key=lambda one: -self._values[one])

    def _cost(self, path: str, needed: Sequence[int]) -> _Cost:
        """What writing these adds to a file."""
        statements = self._scripts[path].statements
        used = self.choice.slices.get(path, set())
        before = cleanup(statements[at] for at in sorted(used)) if used else []
        after = cleanup(statements[at] for at in sorted({*used, *needed}))
        added = len(needed) + len(after) - len(before)
        back = sum(map(sets_back, after)) - sum(map(sets_back, before))
        return _Cost(added, max(1, added - back))

    def _best_slice(self, room: int) -> tuple[float, str, int, list[int]] | None:
        while self._heap:
            _, path, at = heapq.heappop(self._heap)
            used = self.choice.slices.get(path, ())
            if at in used:
                continue
            if not self._slicers[path].runnable(at):
                continue
            needed = [one for one in (*self._slicers[path].needs(at), at) if one not in used]
            if any(_is_odd(self._scripts[path].statements[one]) for one in needed):
                continue
            cost = self._cost(path, needed)
            if cost.statements > room:
                continue
            aspects = [one for each in needed for one in self._scripts[path].statements[each].aspects]
            rate = self._worth(aspects) / cost.weighed * self._trust(path, at)
            if not self._heap or rate >= -self._heap[0][0]:
                return rate, path, at, needed
            if rate >= self._knobs.least_rate:
                heapq.heappush(self._heap, (-rate, path, at))
        return None


def _is_odd(statement: Statement) -> bool:
    """Whether nobody should write a statement again: policy forbids it, or it is no SQL and its case says so."""
    if is_forbidden(statement.sql) or statement.sql.startswith("/*"):
        return True
    return statement.fails and read_tree(statement.tokens) is None
