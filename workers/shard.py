"""Run one shard: its tasks in sequence, each through the ledger's gate, each result recorded once."""

from __future__ import annotations

import contextlib
import logging
import secrets
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from orchestrator.domain.errors import BrokerError, InfrastructureError, MoTestplanError
from orchestrator.domain.plan import Suite as SuiteName
from orchestrator.domain.plan import TestTask
from orchestrator.domain.profile import Profile
from orchestrator.domain.run import CaseResult, CaseStatus, FailureKind, ShardSpec, Stop, TaskResult, TaskState
from orchestrator.ledger.client import Ledger
from orchestrator.ledger.records import Beat, Delivery, Gate
from workers.build import BuildFailedError
from workers.heart import Heart
from workers.sink import Sink, task_folder
from workers.suites.base import Closable, Ending, Job, Suite
from workers.workspace import whole

logger = logging.getLogger(__name__)

#: Seconds a finished result is held while the broker is away, before it is given up.
_HOLD_RESULT = 600.0
_HOST = socket.gethostname()
#: Runs whose lease a process remembers.
_RUNS_KNOWN = 200
#: The ledger's word for an attempt that is not final.
AGAIN = "again"


@dataclass(frozen=True, slots=True)
class Bench:
    """What a worker host works with; made once a process."""

    ledger: Ledger
    #: Where attempts leave logs and case results.
    artifacts: Path
    #: The checked out tree of a commit, kept until the callback is called; stops waiting when told so.
    checkout: Callable[[Profile, ShardSpec, Callable[[], bool]], tuple[Path, Callable[[], None]]]
    #: Profile by name, from this host's disk.
    profile: Callable[[str], Profile]
    suites: Mapping[SuiteName, Suite]
    #: Called with a run whose last task ended here, so that its summary need not wait for anybody to look.
    completed: Callable[[str], None] = lambda run: None
    #: Seconds a process that met trouble of its host takes nothing new, so that others may take what it gave back.
    pause: float = 2.0
    #: The connection of heartbeats: one that gives up soon, so that a host that is cut off notices.
    pulse: Ledger | None = None
    #: The lease of runs this process has met, seconds: with it a shard is read in the call that starts its first task.
    leases: dict[str, float] = field(default_factory=dict)


class _Answer(NamedTuple):
    """What the gate said to a task: its attempt, and when it was asked (monotonic clock): the lease began no sooner."""

    gate: Gate
    attempt: int
    asked: float


class Resources:
    """Set-up shared by the tasks of a shard; closed with it."""

    def __init__(self) -> None:
        self._stack = ExitStack()
        self._made: dict[str, Closable] = {}
        #: What making them took.
        self.seconds = 0.0

    def get(self, name: str, make: Callable[[], Closable]) -> Closable:
        """The resource called ``name``, made on first use."""
        if name not in self._made:
            with self.timed():
                self._made[name] = made = make()
            self._stack.callback(made.close)
        return self._made[name]

    def drop(self, name: str) -> None:
        """Close the resource called ``name``, if there is one: who asks for it next has a new one."""
        made = self._made.pop(name, None)
        if made is not None:
            made.close()

    @contextmanager
    def timed(self) -> Iterator[None]:
        """What happens in the block makes the shard ready: it counts as set-up."""
        began = time.monotonic()
        try:
            yield
        finally:
            self.seconds += time.monotonic() - began

    def close(self) -> None:
        """Release everything, last made first; what is asked for later is made anew."""
        self._made.clear()
        self._stack.close()


def run_shard(bench: Bench, delivery: Delivery) -> dict[str, object]:
    """Execute a message; never raises for what a test does. The answer is small: the record is in the ledger."""
    owner = f"{_HOST}:{secrets.token_hex(6)}"
    spec, first = _take(bench, delivery, owner)
    if spec is None:
        return {"run": delivery.run, "shard": delivery.shard, "refused": Gate.GONE.value}
    unfit: MoTestplanError | None = None
    try:
        profile = bench.profile(spec.profile)
    except MoTestplanError as error:
        # Said as the result of each task: a shard that never starts would be sent again for ever.
        profile, unfit = Profile(name=spec.profile), error
    else:
        _remember(bench.leases, delivery.run, profile.dispatch.lease)
    ran: dict[str, str] = {}
    dispatch = profile.dispatch
    with Heart(bench.pulse or bench.ledger, delivery, owner, dispatch.lease, dispatch.cut_off) as heart:
        shard = _Shard(bench, delivery, spec, profile, owner, heart, unfit, first)
        try:
            for task in spec.tasks:
                answer = shard.run(task)
                if answer == AGAIN and not shard.put_back:  # a failure is confirmed at once, where all is set up
                    answer = shard.run(task)
                ran[task.id] = answer
                if answer in (Gate.STALE, Gate.DUPLICATE, Gate.GONE, Beat.STALE):
                    break
        finally:
            shard.close()
    if shard.put_back:
        _hand_back(bench, delivery)
    return {"run": delivery.run, "shard": delivery.shard, "tasks": dict(list(ran.items())[:20])}


def _take(bench: Bench, delivery: Delivery, owner: str) -> tuple[ShardSpec | None, _Answer | None]:
    """The shard, and the gate's answer for its first task where that could be asked in the same call.

    The lease is in the run's profile, so it is known from the second shard of a run on.
    """
    lease = bench.leases.get(delivery.run)
    if lease is None:
        return bench.ledger.spec(delivery.run, delivery.shard), None
    asked = time.monotonic()
    gate, attempt, spec = bench.ledger.take(delivery, owner, lease)
    return spec, _Answer(gate, attempt, asked)


def _remember(leases: dict[str, float], run: str, lease: float) -> None:
    if len(leases) > _RUNS_KNOWN:
        leases.clear()
    leases[run] = lease


def _hand_back(bench: Bench, delivery: Delivery) -> None:
    """Infrastructure failed a task here: let the reaper send the shard again, and leave it to another host first."""
    try:
        bench.ledger.expire(delivery.run, delivery.shard, delivery.delivery)
    except BrokerError as error:  # its lease ends by itself
        logger.warning("shard %s of run %s waits for its lease: %s", delivery.shard, delivery.run, error.message)
    time.sleep(bench.pause)


class _Shard:
    def __init__(  # noqa: PLR0913 - the parts of one delivery, made in one place
        self,
        bench: Bench,
        delivery: Delivery,
        spec: ShardSpec,
        profile: Profile,
        owner: str,
        heart: Heart,
        unfit: MoTestplanError | None,
        first: _Answer | None,
    ) -> None:
        self.bench, self.delivery, self.spec, self.profile = bench, delivery, spec, profile
        self.owner, self.heart = owner, heart
        #: Why this host can run none of it.
        self.unfit = unfit
        #: The gate's answer for the first task, if it was asked already.
        self.first = first
        self.resources = Resources()
        self.tree: Path | None = None
        self.release: Callable[[], None] = lambda: None
        #: Whether a task is pending again because this host could not run it.
        self.put_back = False
        #: Whether the code does not build, which a second try would only hear again.
        self.unbuilt = False

    def run(self, task: TestTask) -> str:
        """One task through the gate: its final state, "again", or why it was refused."""
        (gate, attempt, asked), self.first = self.first or self._start(task), None
        if gate is not Gate.OK:
            return gate.value
        folder = task_folder(self.bench.artifacts, self.spec.run, task.id) / str(attempt)
        sink = Sink(self.bench.ledger, self.spec.run, task.id, attempt, folder)
        self.heart.begin(task.id, sink, asked)
        began, ready = time.monotonic(), self.resources.seconds
        try:
            ending, again = self._outcome(task, attempt, folder, sink)
            over = time.monotonic()
            stop = self._stopped() if ending.state is TaskState.CANCELLED else None
        finally:
            self.heart.rest()
        taken = (time.monotonic() - began, self.resources.seconds - ready)
        result = _result(task, attempt, ending, taken, sink, stop)
        answer = self._record(result, sink, again=again)
        if answer == Beat.STALE:
            with contextlib.suppress(BrokerError):  # only a record
                self.bench.ledger.overlap(self.delivery, self.owner, task.id, time.monotonic() - over)
        return answer

    def _start(self, task: TestTask) -> _Answer:
        asked = time.monotonic()
        return _Answer(*self.bench.ledger.start(self.delivery, self.owner, task.id, self.profile.dispatch.lease), asked)

    def _stopped(self) -> Stop:
        """A cancelled task's processes are gone: clean up what it used, and say how long each step took."""
        gone = self.heart.since_asked()
        self.resources.close()
        cleaned = self.heart.since_asked()
        return Stop(round(self.heart.signalled(), 3), round(gone, 3), round(cleaned, 3))

    def _outcome(self, task: TestTask, attempt: int, folder: Path, sink: Sink) -> tuple[Ending, bool]:
        """How an attempt ended, and whether that is for another host to try again."""
        again = False
        try:
            ending = self._execute(task, attempt, folder, sink)
        except BuildFailedError as error:
            self.unbuilt = True
            ending = _not_built(error, sink)
        except MoTestplanError as error:
            ending = Ending(TaskState.ERROR, str(error))
            again = isinstance(error, InfrastructureError) or error is self.unfit
        except Exception as error:  # whatever goes wrong here is ours: it must end as a result, not as silence
            logger.exception("run %s: task %s", self.spec.run, task.id)
            ending = Ending(TaskState.ERROR, f"internal error: {type(error).__name__}: {error}")
        if self.heart.answer is Beat.CANCELLED and ending.state is not TaskState.PASSED:
            return Ending(TaskState.CANCELLED, "cancelled", ending.reproduce), False
        if self.heart.cut_off:
            return Ending(TaskState.ERROR, "this host could not reach the ledger; the test was ended"), True
        return ending, again

    def _execute(self, task: TestTask, attempt: int, folder: Path, sink: Sink) -> Ending:
        if self.unfit is not None:
            raise self.unfit
        if self.tree is None:
            with self.resources.timed():
                self.tree, self.release = self.bench.checkout(self.profile, self.spec, self.heart.stopped)
        whole.check(self.tree, task, self.profile)
        job = Job(
            run=self.spec.run,
            task=task,
            attempt=attempt,
            profile=self.profile,
            workspace=self.tree,
            artifacts=folder,
            emit=sink.case,
            log=sink.line,
            cancelled=self.heart.stopped,
            resources=self.resources,
        )
        return self.bench.suites[task.type].execute(job)

    def _record(self, result: TaskResult, sink: Sink | None = None, *, again: bool = False) -> str:
        """Tell the ledger, waiting out a broker that is away: the result of an hour must not be lost to a minute."""
        dispatch = self.profile.dispatch
        attempts = dispatch.attempts if again else 1
        confirm = dispatch.confirm_failures and not self.unbuilt
        deadline = time.monotonic() + _HOLD_RESULT
        while True:
            try:
                if sink is not None:
                    sink.flush()
                answer = self.bench.ledger.finish(self.delivery, self.owner, result, attempts=attempts, confirm=confirm)
            except BrokerError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(1.0)
                continue
            if sink is not None:
                sink.close()
            self.put_back = self.put_back or (answer == AGAIN and again)
            if answer == "complete":
                self.bench.completed(self.spec.run)
            return answer if answer in (AGAIN, Beat.STALE) else result.state.value

    def close(self) -> None:
        """Give back servers and the tree."""
        try:
            self.resources.close()
        finally:
            self.release()


def _not_built(error: BuildFailedError, sink: Sink) -> Ending:
    """A build that fails is a verdict on the code, as a failing test is."""
    sink.case(CaseResult("build", CaseStatus.FAILED, message=error.message, kind=FailureKind.BUILD))
    sink.line(error.message)
    return Ending(TaskState.FAILED, error.message.partition("\n")[0])


def _result(  # noqa: PLR0913 - the whole record of an attempt
    task: TestTask, attempt: int, ending: Ending, taken: tuple[float, float], sink: Sink, stop: Stop | None
) -> TaskResult:
    """``taken``: seconds in all, and what of them was set-up."""
    seconds, setup = taken
    return TaskResult(
        task=task.id,
        state=ending.state,
        attempt=attempt,
        seconds=round(seconds, 3),
        setup=round(setup, 3),
        passed=sink.counts[CaseStatus.PASSED],
        failed=sink.counts[CaseStatus.FAILED] + sink.counts[CaseStatus.ERROR],
        skipped=sink.counts[CaseStatus.SKIPPED],
        message=ending.message[:2000],
        failures=tuple(sink.failures),
        host=_HOST,
        reproduce=ending.reproduce,
        stop=stop,
    )
