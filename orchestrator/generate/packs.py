"""Packs: queries that compute several expressions at once, and tables with several columns."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from orchestrator.cases.sql.lexer import tokenize
from orchestrator.cases.sql.syntax import read_tree
from orchestrator.generate.aspects import DENSE, weight_of
from orchestrator.generate.columns import is_known, is_own
from orchestrator.generate.expressions import Expression
from orchestrator.surface.model import Role, Surface

#: Expressions of one query; more are hard to follow in a result.
WIDEST = 6
_CONSIDERED = 200
_OVER = re.compile(r"(?i)\bover\s*\(")
_SLOT = re.compile(r"(?<!\{)\{(?!\{)[^{}]*\}")
_AGGREGATES = frozenset({
    "sum", "count", "min", "max", "avg", "std", "stddev", "variance", "var_pop", "var_samp", "stddev_pop",
    "stddev_samp", "bit_and", "bit_or", "bit_xor", "group_concat", "any_value", "median", "approx_count_distinct",
    "approx_count", "json_arrayagg", "json_objectagg", "approx_percentile", "bitmap_construct_agg", "bitmap_or_agg",
})  # fmt: skip


class Manner(StrEnum):
    """Expressions of one manner can stand in one query."""

    PLAIN = "plain"
    AGGREGATE = "aggregate"
    WINDOW = "window"


#: Manner, and whether columns of the product's own types are wanted.
Kind = tuple[Manner, bool]


@dataclass(frozen=True, slots=True)
class Pack:
    """One query."""

    expressions: tuple[Expression, ...]
    aspects: tuple[str, ...]
    gain: float
    manner: Manner = Manner.PLAIN
    #: Whether its columns are of types that only this product has.
    own: bool = False


class Packer:
    """Makes the best next query again and again, from what is not yet covered."""

    def __init__(
        self, expressions: Iterable[Expression], values: Mapping[str, float], surface: Surface, least: float
    ) -> None:
        self._values = values
        self._least = least
        self._alive: dict[Kind, list[Expression]] = {(manner, own): [] for manner in Manner for own in (False, True)}
        self._made: dict[Kind, tuple[int, Pack | None]] = {}
        ranked = sorted(expressions, key=lambda one: (-self._worth(one, ()), len(one.text), one.text))
        for one in ranked[:1500]:
            if all(is_known(column) for column in one.columns) and is_readable(one.text):
                manner = manner_of(one, surface)
                if manner is not None:
                    self._alive[manner, any(map(is_own, one.columns))].append(one)

    def _worth(self, one: Expression, covered: Collection[str]) -> float:
        return sum(self._values.get(aspect, 0.0) for aspect in one.aspects if aspect not in covered)

    def best(self, covered: Collection[str], least: float) -> Pack | None:
        """The query that adds most to ``covered``, if that is more than ``least``.

        What a query adds only shrinks while more is covered, so only those that could still be the best are made anew.
        """
        found: Pack | None = None
        for kind in sorted(self._alive, key=self._most, reverse=True):
            if self._most(kind) <= max(least, found.gain if found else 0.0):
                break
            if self._made.get(kind, (-1, None))[0] != len(covered):
                self._made[kind] = (len(covered), self._pack(kind, covered))
            pack = self._made[kind][1]
            if pack is not None and (found is None or pack.gain > found.gain):
                found = pack
        return found

    def _most(self, kind: Kind) -> float:
        """What the best query of a kind added when it was last made; it adds no more now."""
        if kind not in self._made:
            return float("inf")
        pack = self._made[kind][1]
        return pack.gain if pack else 0.0

    def _pack(self, kind: Kind, covered: Collection[str]) -> Pack | None:
        scored = [(self._worth(one, covered), one) for one in self._alive[kind]]
        self._alive[kind] = [one for worth, one in scored if worth >= self._least]
        scored.sort(key=lambda pair: (-pair[0], pair[1].text))
        considered = [pair for pair in scored[:_CONSIDERED] if pair[0] >= self._least]
        seen, inside = {*covered, "statement select"}, dict[str, None]()
        room, gain, chosen = DENSE - 1.0, 0.0, list[Expression]()
        while room >= 1 and len(chosen) < WIDEST:
            pick = self._next(considered, seen, inside, room)
            if pick is None:
                break
            one, worth, cost = pick
            chosen.append(one)
            seen.update(one.aspects)
            inside.update(dict.fromkeys(one.aspects))
            room, gain = room - cost, gain + worth
        return Pack(tuple(chosen), ("statement select", *inside), gain, *kind) if chosen else None

    def _next(
        self,
        considered: Sequence[tuple[float, Expression]],
        seen: Collection[str],
        inside: Collection[str],
        room: float,
    ) -> tuple[Expression, float, float] | None:
        best, rate = None, 0.0
        for most, one in considered:
            if most <= rate:
                break
            cost = max(1.0, sum(weight_of(aspect) for aspect in one.aspects if aspect not in inside))
            if cost > room:
                continue
            worth = self._worth(one, seen)
            value = worth if cost <= 2 else worth * 2 / cost
            if worth >= self._least and value > rate:
                best, rate = (one, worth, cost), value
        return best


@lru_cache(maxsize=50_000)
def is_readable(text: str) -> bool:
    """Whether our dialect reads an expression with columns in its slots: what only a server could judge is left out."""
    plain = _SLOT.sub("c", text).replace("{{", "{").replace("}}", "}")
    return read_tree(("select", *tokenize(plain))) is not None


def manner_of(one: Expression, surface: Surface) -> Manner | None:
    """How a query with this expression is computed; ``None`` when it stands in none of ours.

    That is an aggregate beside, or inside of, a window function: nothing else could stand in its query. A window
    function without its window is cut out of one that is named elsewhere, a function in FROM stands there.
    """
    names = [aspect[5:] for aspect in one.aspects if aspect.startswith("call ") and aspect.count(" ") == 1]
    roles = [surface.functions[name].role if name in surface.functions else Role.SCALAR for name in names]
    grouping = sum(
        name in _AGGREGATES or role in {Role.AGGREGATE, Role.WINDOW} for name, role in zip(names, roles, strict=True)
    )
    windows = len(_OVER.findall(one.text))
    if Role.TABLE in roles or roles.count(Role.WINDOW) > windows:
        return None
    if windows:
        return Manner.WINDOW if grouping <= windows else None
    return Manner.AGGREGATE if grouping else Manner.PLAIN
