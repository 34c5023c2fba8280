"""Run one shard: its tasks in sequence, each through the ledger's gate, each result recorded once."""

from __future__ import annotations

import dataclasses
import logging
import socket
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from orchestrator.domain.errors import BrokerError, MoTestplanError
from orchestrator.domain.plan import Suite as SuiteName
from orchestrator.domain.plan import TestTask
from orchestrator.domain.profile import Profile
from orchestrator.domain.run import CaseStatus, ShardSpec, TaskResult, TaskState
from orchestrator.ledger.client import Ledger
from orchestrator.ledger.records import Beat, Delivery, Gate
from workers.heart import Heart
from workers.sink import Sink, task_folder
from workers.suites.base import Closable, Ending, Job, Suite

logger = logging.getLogger(__name__)

#: Seconds a finished result is held while the broker is away, before it is given up.
_HOLD_RESULT = 600.0


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

    @contextmanager
    def timed(self) -> Iterator[None]:
        """What happens in the block makes the shard ready: it counts as set-up."""
        began = time.monotonic()
        try:
            yield
        finally:
            self.seconds += time.monotonic() - began

    def close(self) -> None:
        """Release everything, last made first."""
        self._stack.close()


def run_shard(bench: Bench, delivery: Delivery) -> dict[str, object]:
    """Execute a message; never raises for what a test does. The answer is small: the record is in the ledger."""
    spec = bench.ledger.spec(delivery.run, delivery.shard)
    if spec is None:
        return {"run": delivery.run, "shard": delivery.shard, "refused": Gate.GONE.value}
    owner = f"{socket.gethostname()}:{uuid.uuid4().hex[:12]}"
    unfit: MoTestplanError | None = None
    try:
        profile = bench.profile(spec.profile)
    except MoTestplanError as error:
        # Said as the result of each task: a shard that never starts would be sent again for ever.
        profile, unfit = Profile(name=spec.profile), error
    ran: dict[str, str] = {}
    with Heart(bench.ledger, delivery, owner, profile.dispatch.lease) as heart:
        shard = _Shard(bench, delivery, spec, profile, owner, heart, unfit)
        try:
            for task in spec.tasks:
                answer = shard.run(task)
                ran[task.id] = answer
                if answer in (Gate.STALE, Gate.DUPLICATE, Gate.GONE, Beat.STALE):
                    break
        finally:
            shard.close()
    return {"run": delivery.run, "shard": delivery.shard, "tasks": dict(list(ran.items())[:20])}


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
    ) -> None:
        self.bench, self.delivery, self.spec, self.profile = bench, delivery, spec, profile
        self.owner, self.heart = owner, heart
        #: Why this host can run none of it.
        self.unfit = unfit
        self.resources = Resources()
        self.tree: Path | None = None
        self.release: Callable[[], None] = lambda: None

    def run(self, task: TestTask) -> str:
        """One task through the gate: its final state, or why it was refused."""
        gate, attempt = self.bench.ledger.start(self.delivery, self.owner, task.id, self.profile.dispatch.lease)
        if gate is not Gate.OK:
            return gate.value
        folder = task_folder(self.bench.artifacts, self.spec.run, task.id) / str(attempt)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            sink = Sink(self.bench.ledger, self.spec.run, task.id, attempt, folder)
        except OSError as error:
            message = f"its log cannot be kept on this host: {error}"
            host = self.owner.partition(":")[0]
            return self._record(TaskResult(task.id, TaskState.ERROR, attempt, message=message, host=host))
        self.heart.begin(task.id, sink)
        began, ready = time.monotonic(), self.resources.seconds
        try:
            ending = self._execute(task, attempt, folder, sink)
        finally:
            self.heart.rest()
        seconds = time.monotonic() - began
        result = _result(task, attempt, ending, seconds, sink, self.owner)
        return self._record(dataclasses.replace(result, setup=round(self.resources.seconds - ready, 3)), sink)

    def _execute(self, task: TestTask, attempt: int, folder: Path, sink: Sink) -> Ending:
        try:
            if self.unfit is not None:
                raise self.unfit
            if self.tree is None:
                with self.resources.timed():
                    self.tree, self.release = self.bench.checkout(self.profile, self.spec, self.heart.stopped)
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
            ending = self.bench.suites[task.type].execute(job)
        except MoTestplanError as error:
            ending = Ending(TaskState.ERROR, str(error))
        except Exception as error:  # whatever goes wrong here is ours: it must end as a result, not as silence
            logger.exception("run %s: task %s", self.spec.run, task.id)
            ending = Ending(TaskState.ERROR, f"internal error: {type(error).__name__}: {error}")
        if self.heart.answer is Beat.CANCELLED and ending.state is not TaskState.PASSED:
            return Ending(TaskState.CANCELLED, "cancelled", ending.reproduce)
        return ending

    def _record(self, result: TaskResult, sink: Sink | None = None) -> str:
        """Tell the ledger, waiting out a broker that is away: the result of an hour must not be lost to a minute."""
        deadline = time.monotonic() + _HOLD_RESULT
        while True:
            try:
                if sink is not None:
                    sink.flush()
                answer = self.bench.ledger.finish(self.delivery, self.owner, result)
            except BrokerError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(1.0)
                continue
            if sink is not None:
                sink.close()
            return Beat.STALE.value if answer == "stale" else result.state.value

    def close(self) -> None:
        """Give back servers and the tree."""
        try:
            self.resources.close()
        finally:
            self.release()


def _result(  # noqa: PLR0913 - the whole record of an attempt
    task: TestTask, attempt: int, ending: Ending, seconds: float, sink: Sink, owner: str
) -> TaskResult:
    return TaskResult(
        task=task.id,
        state=ending.state,
        attempt=attempt,
        seconds=round(seconds, 3),
        passed=sink.counts[CaseStatus.PASSED],
        failed=sink.counts[CaseStatus.FAILED] + sink.counts[CaseStatus.ERROR],
        skipped=sink.counts[CaseStatus.SKIPPED],
        message=ending.message[:2000],
        failures=tuple(sink.failures),
        host=owner.partition(":")[0],
        reproduce=ending.reproduce,
    )
