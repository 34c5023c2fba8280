"""What goes wrong in a campaign, when, and how it is done."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from benchmarks.rig.fleet import Command, Fleet
from orchestrator.domain.errors import BrokerError
from orchestrator.domain.run import TaskState
from orchestrator.ledger.client import Ledger
from orchestrator.messaging import message_id
from orchestrator.planner.codec import loads
from orchestrator.runs import control

#: Faults in ten thousand tasks.
RATES = {
    "child": 134,
    "host": 16,
    "control": 7,
    "broker": 7,
    "stall": 6,
    "cancel_run": 48,
    "cancel_task": 40,
    "revoke": 67,
}


@dataclass
class Deeds:
    """What was done, and what therefore may have happened."""

    counts: Counter[str] = field(default_factory=Counter)
    #: Runs, and (run, task) pairs, that somebody asked to end.
    cancelled_runs: set[str] = field(default_factory=set)
    cancelled_tasks: set[tuple[str, str]] = field(default_factory=set)

    @property
    def kills(self) -> int:
        """Processes of ours that were killed."""
        return self.counts["child"] + self.counts["host"] + self.counts["control"]

    @property
    def cancels(self) -> int:
        """Cancels and revokes of what had not ended."""
        return self.counts["cancel_run"] + self.counts["cancel_task"] + self.counts["revoke"]


def schedule(rng: random.Random, tasks: int) -> list[tuple[float, str]]:
    """(part of the campaign that is done, fault), in order; each kind at least once."""
    wanted = {kind: max(1, round(rate * tasks / 10_000)) for kind, rate in RATES.items()}
    return sorted((rng.uniform(0.0, 0.9), kind) for kind, count in wanted.items() for _ in range(count))


class Director:
    """Does what the schedule says to a fleet."""

    def __init__(self, fleet: Fleet, rng: random.Random) -> None:
        self.fleet, self.rng = fleet, rng
        self.app, self.ledger = fleet.app, fleet.ledger()
        self.deeds = Deeds()
        self._ways: Mapping[str, Callable[[list[str]], bool]] = {
            "child": self._kill_child,
            "host": lambda _: self._kill(self.rng.choice(self.fleet.hosts)),
            "control": lambda _: self._kill(self.rng.choice(self.fleet.controls)),
            "broker": self._restart_broker,
            "stall": self._stall,
            "cancel_run": self._cancel_run,
            "cancel_task": self._cancel_task,
            "revoke": self._revoke,
        }

    def do(self, kind: str, live: list[str]) -> bool:
        """Do one fault to the runs that are ``live``; False when there was nothing to do it to."""
        done = self._ways[kind](live)
        self.deeds.counts[kind] += done
        return done

    def _kill_child(self, live: list[str]) -> bool:
        pool = [pid for host in self.fleet.hosts for pid in host.pool()]
        if not pool:
            return False
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.rng.choice(pool), signal.SIGKILL)
            return True
        return False

    def _kill(self, victim: Command) -> bool:
        victim.kill()
        time.sleep(self.rng.uniform(0.0, 0.5))
        victim.start()
        return True

    def _restart_broker(self, live: list[str]) -> bool:
        """In turn as an operator does it and as a machine does it."""
        number = (signal.SIGTERM, signal.SIGKILL)[self.deeds.counts["broker"] % 2]
        self.fleet.broker.crash(number, self.rng.uniform(0.1, 2.0))
        return True

    def _stall(self, live: list[str]) -> bool:
        """A host that sleeps for longer than its lease, and goes on where it was."""
        host = self.rng.choice(self.fleet.hosts)
        stopped = [host.pid, *host.pool()]
        _signal(stopped, signal.SIGSTOP)
        wake = threading.Timer(self.rng.uniform(4.0, 9.0), _signal, (stopped, signal.SIGCONT))
        wake.daemon = True
        wake.start()
        return True

    def _cancel_run(self, live: list[str]) -> bool:
        if not live:
            return False
        run = self.rng.choice(live)
        self.deeds.cancelled_runs.add(run)
        _patiently(lambda: control.cancel(self.app, self.ledger, run, "chaos"))
        return True

    def _cancel_task(self, live: list[str]) -> bool:
        for run, task in self._open_tasks(live):
            self.deeds.cancelled_tasks.add((run, task))
            _patiently(lambda run=run, task=task: control.cancel(self.app, self.ledger, run, "chaos", [task]))  # type: ignore[misc]
            return True
        return False

    def _revoke(self, live: list[str]) -> bool:
        """As an operator does in Flower: revoke, and terminate what runs."""
        for run, task in self._open_tasks(live):
            plan = self.ledger.plan(run)
            shard = next(t.shard for t in loads(plan).tasks if t.id == task) if plan else None
            delivery = self.ledger.delivery(run, shard) if shard else None
            spec = self.ledger.spec(run, shard) if shard else None
            if delivery is None or spec is None:
                continue
            self.deeds.cancelled_tasks.update((run, one.id) for one in spec.tasks)
            self.app.control.revoke(message_id(run, delivery.shard, delivery.delivery), terminate=True)
            return True
        return False

    def _open_tasks(self, live: list[str]) -> Iterator[tuple[str, str]]:
        """Tasks that have not ended, at random; running ones first."""
        runs = self.rng.sample(live, len(live))
        for wanted in (TaskState.RUNNING, TaskState.PENDING):
            for run in runs:
                names = sorted(task for task, state in states(self.ledger, run).items() if state is wanted)
                if names:
                    yield run, self.rng.choice(names)


def states(ledger: Ledger, run: str) -> dict[str, TaskState]:
    """Every task's state; nothing while the broker is away."""
    try:
        return ledger.states(run)
    except BrokerError:
        return {}


def _patiently(call: Callable[[], object]) -> None:
    """Again, while the broker is away: what is asked for is asked until it is taken."""
    for _ in range(60):
        try:
            call()
        except BrokerError:
            time.sleep(0.5)
        else:
            return
    raise RuntimeError("the broker did not come back")


def _signal(pids: list[int], number: signal.Signals) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
