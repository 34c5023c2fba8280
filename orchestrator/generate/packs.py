"""Packs: queries that compute several expressions at once, and tables with several columns."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from orchestrator.generate.aspects import DENSE, weight_of
from orchestrator.generate.columns import is_known
from orchestrator.generate.expressions import Expression
from orchestrator.surface.model import Role, Surface

_CONSIDERED = 200
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


@dataclass(frozen=True, slots=True)
class Pack:
    """One query."""

    expressions: tuple[Expression, ...]
    aspects: tuple[str, ...]
    gain: float


class Packer:
    """Makes the best next query again and again, from what is not yet covered."""

    def __init__(
        self, expressions: Iterable[Expression], values: Mapping[str, float], surface: Surface, least: float
    ) -> None:
        self._values = values
        self._least = least
        self._alive: dict[Manner, list[Expression]] = {manner: [] for manner in Manner}
        self._made: dict[Manner, tuple[int, Pack | None]] = {}
        ranked = sorted(expressions, key=lambda one: (-self._worth(one, ()), len(one.text), one.text))
        for one in ranked[:1500]:
            if all(is_known(column) for column in one.columns):
                self._alive[manner_of(one, surface)].append(one)

    def _worth(self, one: Expression, covered: Collection[str]) -> float:
        return sum(self._values.get(aspect, 0.0) for aspect in one.aspects if aspect not in covered)

    def best(self, covered: Collection[str]) -> Pack | None:
        """The query that adds most to ``covered``."""
        found = None
        for manner in Manner:
            if self._made.get(manner, (-1, None))[0] != len(covered):
                self._made[manner] = (len(covered), self._pack(manner, covered))
            pack = self._made[manner][1]
            if pack is not None and (found is None or pack.gain > found.gain):
                found = pack
        return found

    def _pack(self, manner: Manner, covered: Collection[str]) -> Pack | None:
        scored = [(self._worth(one, covered), one) for one in self._alive[manner]]
        self._alive[manner] = [one for worth, one in scored if worth >= self._least]
        scored.sort(key=lambda pair: (-pair[0], pair[1].text))
        considered = [pair for pair in scored[:_CONSIDERED] if pair[0] >= self._least]
        seen, inside = {*covered, "statement select"}, dict[str, None]()
        room, gain, chosen = DENSE - 1.0, 0.0, list[Expression]()
        while room >= 1:
            pick = self._next(considered, seen, inside, room)
            if pick is None:
                break
            one, worth, cost = pick
            chosen.append(one)
            seen.update(one.aspects)
            inside.update(dict.fromkeys(one.aspects))
            room, gain = room - cost, gain + worth
        return Pack(tuple(chosen), ("statement select", *inside), gain) if chosen else None

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


def manner_of(one: Expression, surface: Surface) -> Manner:
    """How a query with this expression is computed."""
    lowered = one.text.lower()
    if " over " in lowered or " over(" in lowered:
        return Manner.WINDOW
    for aspect in one.aspects:
        name = aspect[5:]
        if aspect.startswith("call ") and " " not in name:
            function = surface.functions.get(name)
            if name in _AGGREGATES or (function and function.role is Role.AGGREGATE):
                return Manner.AGGREGATE
    return Manner.PLAIN
