"""The shards that wait, seen as what fairness weighs: whose they are, since when, at which level."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, cast

from orchestrator.ledger import keys
from orchestrator.ledger.connection import every_method_reports_broker_errors
from orchestrator.ledger.records import Delivery
from orchestrator.ledger.scripted import Scripted


@dataclass(frozen=True, slots=True)
class Place:
    """What never changes of a shard: its run's flow (a pull request, else the run itself), queue and turn."""

    flow: str
    weight: float
    queue: str
    #: When it was first sent, Unix seconds; shards of a run differ by their order in it.
    since: float


@every_method_reports_broker_errors
class Waiting(Scripted):
    """The part of the ledger that knows who waits."""

    def members(self) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
        """(run, shard) of every shard that waits, and of every one that runs."""
        pipe = self.redis.pipeline(transaction=False)
        pipe.zrange(keys.QUEUED, 0, -1)
        pipe.zrange(keys.LEASES, 0, -1)
        waiting, running = cast("list[list[str]]", pipe.execute())
        return [keys.pair(member) for member in waiting], [keys.pair(member) for member in running]

    def places(self, run: str) -> dict[str, Place]:
        """Every shard of a run; empty when the ledger does not know it."""
        pipe = self.redis.pipeline(transaction=False)
        pipe.hmget(keys.run(run), ["pr", "weight"])
        pipe.hgetall(keys.part(run, "shards"))
        (pull, weight), fields = cast("tuple[list[str | None], dict[str, str]]", tuple(pipe.execute()))
        flow, share = (f"pr:{pull}" if pull else run), float(weight or 1.0)
        return {
            name.removesuffix("|since"): Place(
                flow, share, fields.get(name.removesuffix("since") + "queue", ""), float(at)
            )
            for name, at in fields.items()
            if name.endswith("|since")
        }

    def current(self, shards: Sequence[tuple[str, str]]) -> list[Delivery]:
        """The message each of these shards (run, shard) waits with, in one call; those that left Redis are left out."""
        pipe = self.redis.pipeline(transaction=False)
        for run, shard in shards:
            pipe.hmget(keys.part(run, "shards"), [f"{shard}|{name}" for name in ("delivery", "queue", "priority")])
        answers = cast("Iterable[list[Any]]", pipe.execute() if shards else ())
        return [
            Delivery(run, shard, int(number), queue or "", int(priority or 0))
            for (run, shard), (number, queue, priority) in zip(shards, answers, strict=True)
            if number
        ]

    def relevel(self, seen: Delivery, level: int) -> Delivery | None:
        """Make a shard that waits with the message ``seen`` ready to be sent at a better ``level``; None: too late."""
        names = [keys.run(seen.run), keys.part(seen.run, "shards"), keys.QUEUED]
        number = int(self._call("level", names, [seen.run, seen.shard, seen.delivery, level]))
        return Delivery(seen.run, seen.shard, number, seen.queue, level) if number else None
