"""Hosts and time that are simulated, around everything that is real: plan, levels, leveller, ledger, Redis.

A virtual host takes the next message of its queue as Celery does (best level first, oldest first), asks the ledger's
gate, is busy for as long as the shard is said to take, and records the end. Messages are in lists of the same Redis, as
big as Celery's.
"""

from __future__ import annotations

import dataclasses
import heapq
import itertools
import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, cast

from orchestrator.domain.change import DiffSummary
from orchestrator.domain.plan import Cost, Priority, Reason, Shard, Suite, TestPlan, TestTask
from orchestrator.domain.run import RunState, TaskResult, TaskState
from orchestrator.ledger.client import Ledger
from orchestrator.ledger.records import Delivery, Gate
from orchestrator.ledger.waiting import Place
from orchestrator.messaging import message_id, parse_message_id
from orchestrator.planner.encode import dumps, plan_id
from orchestrator.runs import canvas, control
from orchestrator.runs.fairness import Leveller

_COMMIT = "1" * 40
#: Bytes of one of Celery's messages for a shard, but for its id.
_PADDING = "." * 1300
_REASON = (Reason("asked", 1.0, "asked for"),)


def make_plan(seconds: Sequence[float], pull: int) -> TestPlan:
    """A plan of one unit test task a shard, of these lengths."""
    tasks = [
        TestTask(
            f"ut:p{n}", Suite.UNIT_TEST, Priority.MEDIUM, _REASON, package=f"p{n}", est_duration=took, shard=f"ut-{n}"
        )
        for n, took in enumerate(seconds)
    ]
    shards = [Shard(f"ut-{n}", Suite.UNIT_TEST, "ut", (task.id,), task.est_duration) for n, task in enumerate(tasks)]
    total = sum(seconds)
    change = DiffSummary((), pr_number=pull, head_commit=_COMMIT)
    cost = Cost(total, total, 1, (("unit_test", total),))
    plan = TestPlan("", None, "simulated", "sim", change, tuple(tasks), tuple(shards), (), cost)
    return dataclasses.replace(plan, id=plan_id(plan))


@dataclass
class Story:
    """What became of a run."""

    kind: str
    submitted: float
    shards: int
    #: Seconds of all shards, and of the longest.
    work: float
    longest: float
    ended: float | None = None
    #: Seconds each shard waited for a host.
    waits: list[float] = field(default_factory=list)

    def alone(self, hosts: int) -> float:
        """Seconds it would have taken with ``hosts`` for itself."""
        return max(self.longest, self.work / min(hosts, self.shards))


class VirtualLedger(Ledger):
    """The ledger with the simulation's clock where fairness asks for the time; leases keep Redis' own."""

    def __init__(self, url: str, world: World) -> None:
        super().__init__(url)
        self.world = world

    def now(self) -> float:
        """Virtual seconds."""
        return self.world.now

    def places(self, run: str) -> dict[str, Place]:
        """As the ledger has them, but since when the run was submitted in virtual time."""
        real = super().places(run)
        base = self.world.stories[run].submitted
        first = min(place.since for place in real.values())
        return {shard: dataclasses.replace(at, since=base + at.since - first) for shard, at in real.items()}


class _Leveller(Leveller):
    def __init__(self, ledger: VirtualLedger, patience: float) -> None:
        super().__init__(ledger, None, patience)

    def _send(self, delivery: Delivery) -> None:
        cast("VirtualLedger", self.ledger).world.push([delivery])


class World:
    """``hosts`` hosts of one queue, and what is submitted to them."""

    def __init__(self, url: str, *, hosts: int, patience: float, tick: float, step: float = 0.0) -> None:
        self.now = 0.0
        #: Hosts end shards at multiples of ``step`` only, so that many ends are told at once.
        self.hosts, self.tick, self.step = hosts, tick, step
        self.stories: dict[str, Story] = {}
        self.sent_again = 0
        #: (time, runs that are live, busy hosts, shards that wait), each tick.
        self.samples: list[tuple[float, int, int, int]] = []
        #: Host-seconds by kind of run, counted as shards end.
        self.served: defaultdict[str, float] = defaultdict(float)
        self._ledger = VirtualLedger(url, self)
        self._leveller = _Leveller(self._ledger, patience)
        self._idle = hosts
        self._live = self._waiting = 0
        self._order = itertools.count()
        self._events: list[tuple[float, int, Any]] = []
        self._seconds: dict[tuple[str, str], float] = {}

    def at(self, when: float, seconds: Sequence[float], pull: int, kind: str) -> None:
        """Submit a run of shards of these lengths at a time."""
        heapq.heappush(self._events, (when, next(self._order), ("submit", list(seconds), pull, kind)))

    def run(self, until: float) -> None:
        """Let time pass."""
        heapq.heappush(self._events, (self.now + self.tick, next(self._order), ("tick",)))
        with ThreadPoolExecutor(16) as self._pool:
            while self._events and self._events[0][0] <= until:
                self.now = self._events[0][0]
                ends: list[tuple[Delivery, int, float]] = []
                while self._events and self._events[0][0] == self.now:
                    _, _, event = heapq.heappop(self._events)
                    if event[0] == "submit":
                        self._submit(*event[1:])
                    elif event[0] == "tick":
                        self._look()
                    else:
                        ends.append(event[1:])
                self._finish(ends)
                self._serve()

    def push(self, deliveries: Iterable[Delivery]) -> None:
        """Put messages into their lists, as Celery does."""
        pipe = self._ledger.redis.pipeline(transaction=False)
        for seen in deliveries:
            pipe.lpush(f"sim:{seen.priority}", message_id(seen.run, seen.shard, seen.delivery) + " " + _PADDING)
        pipe.execute()

    def _submit(self, seconds: list[float], pull: int, kind: str) -> None:
        plan, run = make_plan(seconds, pull), control.new_run_id()
        self.stories[run] = Story(kind, self.now, len(seconds), sum(seconds), max(seconds))
        first = canvas.deliveries(run, plan)
        specs = {spec.shard: spec for spec in control.specs(run, plan, _COMMIT)}
        tasks = [(task.id, task.shard or "", False) for task in plan.tasks]
        header: dict[str, str | float] = {"pr": pull, "profile": "sim", "plan": plan.id, "weight": 1.0}
        self._ledger.create(run, dumps(plan).decode(), header, tasks, [(one, specs[one.shard]) for one in first])
        self._seconds |= {(run, shard.id): shard.est_duration for shard in plan.shards}
        self._live += 1
        self._waiting += len(seconds)
        self.push(first)

    def _look(self) -> None:
        self.sent_again += self._leveller.tick()
        self.samples.append((self.now, self._live, self.hosts - self._idle, self._waiting))
        if self._live or self._events:
            heapq.heappush(self._events, (self.now + self.tick, next(self._order), ("tick",)))

    def _serve(self) -> None:
        while self._idle and self._waiting:
            taken = self._take(min(self._idle, self._waiting))
            if not taken:
                return
            gates = self._pool.map(lambda seen: self._ledger.start(seen, "host", _task(seen), 1e9), taken)
            for seen, (gate, attempt) in zip(taken, gates, strict=True):
                if gate is Gate.OK:
                    self._begin(seen, attempt)

    def _begin(self, seen: Delivery, attempt: int) -> None:
        took = self._seconds.pop((seen.run, seen.shard))
        story = self.stories[seen.run]
        story.waits.append(self.now - story.submitted)
        self._idle -= 1
        self._waiting -= 1
        end = self.now + took
        if self.step:
            end = math.ceil(end / self.step) * self.step
        heapq.heappush(self._events, (end, next(self._order), ("end", seen, attempt, took)))

    def _take(self, count: int) -> list[Delivery]:
        """The next messages, at most so many."""
        pipe = self._ledger.redis.pipeline(transaction=False)
        for _ in range(count):
            cast("Any", pipe).lmpop(10, *(f"sim:{level}" for level in range(10)), direction="RIGHT")
        found = [parse_message_id(answer[1][0].partition(" ")[0]) for answer in pipe.execute() if answer]
        return [Delivery(*parsed) for parsed in found if parsed is not None]

    def _finish(self, ends: list[tuple[Delivery, int, float]]) -> None:
        def tell(end: tuple[Delivery, int, float]) -> str:
            seen, attempt, took = end
            answer = self._ledger.finish(
                seen, "host", TaskResult(_task(seen), TaskState.PASSED, attempt, took, passed=1)
            )
            if answer == "complete":
                self._ledger.commit(seen.run, "sim")
                self._ledger.close_run(seen.run, RunState.PASSED)
            return answer

        for (seen, _, took), answer in zip(ends, self._pool.map(tell, ends), strict=True):
            story = self.stories[seen.run]
            self.served[story.kind] += took
            self._idle += 1
            if answer == "complete":
                story.ended = self.now
                self._live -= 1


def _task(seen: Delivery) -> str:
    return f"ut:p{seen.shard.removeprefix('ut-')}"
