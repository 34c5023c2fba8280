"""Watches over runs: shards of silent workers and lost messages go out again, complete runs get their summary.

Any number of control processes may run one; a lease in the ledger lets one act at a time.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial

from orchestrator.domain.errors import BrokerError, MoTestplanError
from orchestrator.domain.profile import Dispatch
from orchestrator.domain.run import TaskState
from orchestrator.ledger.client import Ledger
from orchestrator.ledger.records import Delivery, Progress
from orchestrator.messaging import App, parse_message_id
from orchestrator.runs import canvas, control
from orchestrator.runs.supersede import supersede

logger = logging.getLogger(__name__)

#: Seconds the leader's lease holds without renewal.
LEADER_SECONDS = 10.0
#: A message is lost when one of its queue sent this much later is at the head, or the queue has been empty this long.
MESSAGE_MARGIN = 10.0


class Reaper:
    """One tick looks once at everything. ``summarize`` is called with each run that may be complete."""

    def __init__(
        self,
        ledger: Ledger,
        app: App,
        who: str,
        summarize: Callable[[str], object],
        dispatch: Dispatch | None = None,
    ) -> None:
        self.ledger = ledger
        self.app = app
        self.who = who
        self.summarize = summarize
        self.dispatch = dispatch or Dispatch()
        #: When Redis last answered here, or, to a process that has just started, a leader. Redis' clock.
        self._heard: float | None = None
        self._quiet_until = 0.0

    def tick(self) -> bool:
        """Look once; False when another control process leads.

        After a silence of half a lease (the broker was away, or this host slept) no lease is judged for one lease:
        workers could not renew theirs either. A standby hears Redis, too: the leader's death is no silence to it.
        """
        if self._heard is None:
            self._heard = self.ledger.ticked()
        leads, now = self.ledger.lead(self.who, LEADER_SECONDS), self.ledger.now()
        if now - self._heard > self.dispatch.lease / 2 and self.ledger.active():
            self._quiet_until = now + self.dispatch.lease
        self._heard = now
        if not leads:
            return False
        self.ledger.tick(now)
        if now >= self._quiet_until:
            self._alone("leases", self._silent_workers)
            self._alone("messages", partial(self._lost_messages, now))
        live: list[Progress] = []
        for run in self.ledger.active():
            self._alone(f"run {run}", partial(self._finish, run, live))
        self._alone("superseded", partial(supersede, self.app, self.ledger, live, self.dispatch))
        return True

    def _alone(self, what: str, look: Callable[[], None]) -> None:
        """What is wrong with one run, or one look, must not hold up the others."""
        try:
            look()
        except BrokerError:
            raise
        except MoTestplanError as error:
            logger.warning("%s: %s", what, error.message)
        except Exception:
            logger.exception("%s", what)

    def _finish(self, run: str, live: list[Progress]) -> None:
        progress = self.ledger.progress(run)
        if progress is None:
            return
        if not progress.complete:
            live.append(progress)
        if progress.complete:
            self.summarize(run)
        elif progress.cancelled_by is not None and progress.tasks[TaskState.PENDING]:
            # Whoever cancelled was stopped half-way: no gate lets these start, so nobody else would end them.
            control.cancel(self.app, self.ledger, run, progress.cancelled_by)

    def _silent_workers(self) -> None:
        for run, shard in self.ledger.expired():
            seen = self._seen(run, shard)
            self._again(self.ledger.reap(seen, self.dispatch.attempts, started=True), "its worker went silent")

    def _lost_messages(self, now: float) -> None:
        heads: dict[tuple[str, int], float | None] = {}
        sent_at = {(run, shard): sent for run, shard, sent in self.ledger.queued()}
        for (run, shard), sent in sent_at.items():
            if now - sent < MESSAGE_MARGIN:
                continue
            seen = self._seen(run, shard)
            place = (seen.queue, seen.priority)
            if place not in heads:
                heads[place] = self._head_sent(place, sent_at)
            head = heads[place]
            if head is None or sent < head - MESSAGE_MARGIN:
                self._again(self.ledger.reap(seen, self.dispatch.attempts, started=False), "its message was lost")

    def _seen(self, run: str, shard: str) -> Delivery:
        """A shard's current message; of a run that has left Redis, one that ``reap`` takes off the lists."""
        return self.ledger.delivery(run, shard) or Delivery(run, shard, 0)

    def _head_sent(self, place: tuple[str, int], sent_at: dict[tuple[str, str], float]) -> float | None:
        """When the message at the head of a queue was sent; None when the queue is empty."""
        text = self.ledger.head(*place)
        if text is None:
            return None
        parsed = parse_message_id(text)
        if parsed is None:
            return 0.0
        run, shard, delivery = parsed
        if self._seen(run, shard).delivery != delivery:
            return 0.0  # a shard that was sent again at a better level: when this message was sent, nobody remembers
        return sent_at.get((run, shard), 0.0)

    def _again(self, delivery: Delivery | None, why: str) -> None:
        if delivery is not None:
            logger.warning("run %s: shard %s goes out again: %s", delivery.run, delivery.shard, why)
            canvas.send(self.app, delivery)
