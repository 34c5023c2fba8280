"""Fair share between pull requests: start-time fair queueing on the ten levels of a queue.

A *flow* is a pull request, or a run that belongs to none. The shards of a flow take turns 0, 1, 2, … counted from what
runs of it already; a shard's level grows with the logarithm of its turn over the run's weight. Levels are given when a
run is submitted (:func:`canvas.level`), and given again, better only, as turns come nearer (:func:`better`): the shard
is sent once more and the ledger's gate makes the older message harmless.

Level 0 is kept for the flow that has waited longest, once that is longer than *patience*: it is owed a quarter of the
busy places, so that a steady stream of small pull requests cannot starve a big one.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from orchestrator.ledger.client import Ledger
from orchestrator.ledger.records import Delivery
from orchestrator.ledger.waiting import Place
from orchestrator.messaging import App
from orchestrator.runs import canvas

#: Seconds after which the flow that has waited longest is owed :data:`OWED` of the places.
PATIENCE = 120.0
OWED = 0.25
#: What accounts are settled to: a little more, because a debt is paid late.
_AIM = 0.28
#: Shards of a flow that are looked at: only those that may be next matter.
_FRONT = 16

Shard = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Scene:
    """Who waits and who runs in one queue."""

    #: Shards by flow, in their order.
    waiting: Mapping[str, Sequence[tuple[Shard, Place]]]
    #: Shards that run, by flow.
    running: Mapping[str, int]
    now: float

    @property
    def owed(self) -> int:
        """Places owed to the flow that waits longest."""
        return max(1, math.ceil(sum(self.running.values()) * OWED))


def better(scene: Scene, patience: float = PATIENCE, behind: float = 0.0) -> dict[Shard, int]:
    """The level that each of the next shards of each flow should have; nothing when a flow has the queue to itself.

    ``behind`` is how many place-seconds the flow that waits longest has had less than it was owed.
    """
    if len(scene.waiting) < 2:
        return {}
    levels: dict[Shard, int] = {}
    for flow, shards in scene.waiting.items():
        taken = scene.running.get(flow, 0)
        levels |= {shard: canvas.level(taken + place, at.weight) for place, (shard, at) in enumerate(shards[:_FRONT])}
    oldest = creditor(scene, patience)
    if oldest is not None:
        places = scene.owed - scene.running.get(oldest, 0) + math.ceil(behind / patience)
        levels |= {shard: 0 for shard, _ in scene.waiting[oldest][: max(0, places)]}
    return levels


def creditor(scene: Scene, patience: float) -> str | None:
    """The flow that has waited longest, if that is longer than ``patience``."""
    flow, shards = min(scene.waiting.items(), key=lambda pair: pair[1][0][1].since)
    return flow if shards[0][1].since <= scene.now - patience else None


@dataclass
class Account:
    """What one queue owes to the flow that waits longest; shards end when they like, so it is settled over time."""

    flow: str | None = None
    at: float = 0.0
    #: Place-seconds, never less than 0: who had more than a quarter was lucky.
    behind: float = 0.0

    def settle(self, scene: Scene, patience: float) -> float:
        """Count the time since the last look; what the flow is behind by now."""
        flow = creditor(scene, patience)
        if flow != self.flow:
            self.flow, self.behind = flow, 0.0
        elif flow is not None:
            places = sum(scene.running.values()) * _AIM - scene.running.get(flow, 0)
            missing = places * (scene.now - self.at)
            self.behind = min(max(0.0, self.behind + missing), 4 * scene.owed * patience)
        self.at = scene.now
        return self.behind


class Leveller:
    """Looks at all queues once a tick and sends again what should be served sooner. One control process does so."""

    def __init__(self, ledger: Ledger, app: App, patience: float = PATIENCE) -> None:
        self.ledger, self.app, self.patience = ledger, app, patience
        self._places: dict[str, dict[str, Place]] = {}
        self._accounts: dict[str, Account] = defaultdict(Account)

    def tick(self) -> int:
        """How many shards were sent again."""
        wanted: dict[Shard, int] = {}
        for queue, scene in self.scenes().items():
            wanted |= better(scene, self.patience, self._accounts[queue].settle(scene, self.patience))
        sent = 0
        for seen in self.ledger.current(list(wanted)):
            aim = wanted[(seen.run, seen.shard)]
            again = self.ledger.relevel(seen, aim) if aim < seen.priority else None
            if again is not None:
                self._send(again)
                sent += 1
        return sent

    def _send(self, delivery: Delivery) -> None:
        canvas.send(self.app, delivery)

    def scenes(self) -> dict[str, Scene]:
        """Who waits and runs in each queue that somebody waits in."""
        waiting, running = self.ledger.members()
        runs = {run for run, _ in (*waiting, *running)}
        self._places = {run: self._places.get(run) or self.ledger.places(run) for run in runs}
        now = self.ledger.now()
        busy: dict[str, Counter[str]] = defaultdict(Counter)
        for run, shard in running:
            if place := self._places[run].get(shard):
                busy[place.queue][place.flow] += 1
        flows: dict[str, dict[str, list[tuple[Shard, Place]]]] = defaultdict(lambda: defaultdict(list))
        for run, shard in waiting:
            if place := self._places[run].get(shard):
                flows[place.queue][place.flow].append(((run, shard), place))
        for by_flow in flows.values():
            for shards in by_flow.values():
                shards.sort(key=lambda pair: pair[1].since)
        return {queue: Scene(by_flow, busy[queue], now) for queue, by_flow in flows.items()}
