"""Queries a person can read: of all chosen expressions those about one thing stand together, and a line says what."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from orchestrator.generate.aspects import DENSE, weight_of
from orchestrator.generate.expressions import Expression
from orchestrator.generate.packs import WIDEST, Manner, Pack

_NAMED = 4


@dataclass(slots=True)
class Group:
    """One query to be: its expressions, and what they are about, the most telling first."""

    manner: Manner
    own: bool
    expressions: list[Expression] = field(default_factory=list)
    topics: list[str] = field(default_factory=list)
    aspects: dict[str, None] = field(default_factory=dict)

    def takes(self, one: Expression) -> bool:
        """Whether there is room for one more."""
        room = DENSE - 1.0 - sum(map(weight_of, self.aspects))
        cost = sum(weight_of(aspect) for aspect in one.aspects if aspect not in self.aspects)
        return not self.expressions or (len(self.expressions) < WIDEST and cost <= room)

    def add(self, one: Expression, topic: str) -> None:
        """Take one more."""
        self.expressions.append(one)
        self.aspects.update(dict.fromkeys(one.aspects))
        if topic not in self.topics:
            self.topics.append(topic)

    @property
    def named(self) -> str:
        """What it is about, for people."""
        more = len(self.topics) - _NAMED
        return ", ".join(self.topics[:_NAMED]) + (f" and {more} more" if more > 0 else "")


def regrouped(packs: Sequence[Pack], values: Mapping[str, float]) -> list[Group]:
    """The expressions of all packs in as many queries or fewer, related ones together, the worthiest first."""
    found: list[Group] = []
    for manner in Manner:
        for own in (False, True):
            mine = [pack for pack in packs if pack.manner is manner and pack.own == own]
            found += _filled(mine, manner, values, own=own)[: len(mine)]
    worth = {id(one): sum(values.get(aspect, 0.0) for aspect in one.aspects) for one in found}
    return sorted(found, key=lambda one: -worth[id(one)])


def _filled(packs: Iterable[Pack], manner: Manner, values: Mapping[str, float], *, own: bool) -> list[Group]:
    topics: dict[str, list[Expression]] = defaultdict(list)
    for pack in packs:
        for one in pack.expressions:
            topics[topic_of(one, values)].append(one)
    total = {
        name: sum(values.get(aspect, 0.0) for one in ones for aspect in one.aspects) for name, ones in topics.items()
    }
    groups: list[Group] = []
    for name in sorted(topics, key=lambda name: (-total[name], name)):
        for one in topics[name]:
            near = [group for group in groups if name in group.topics]
            group = next((group for group in (*near, *reversed(groups)) if group.takes(one)), None)
            if group is None:
                group = Group(manner, own)
                groups.append(group)
            group.add(one, name)
    for group in groups:  # what is counted ends somewhere: the worthiest first
        group.expressions.sort(key=lambda one: -sum(values.get(aspect, 0.0) for aspect in one.aspects))
    return groups


def topic_of(one: Expression, values: Mapping[str, float]) -> str:
    """What an expression is there for: its worthiest function, operator, cast or variable."""
    named = [aspect.split(" ", 2)[:2] for aspect in one.aspects if not aspect.startswith(("word ", "pair ", "clause "))]
    best = max(named, key=lambda pair: values.get(" ".join(pair), 0.0), default=["", "values"])
    return best[1].split("(")[0] if best[0] != "cast" else f"cast to {best[1]}"
