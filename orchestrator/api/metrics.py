"""``/metrics`` for Prometheus: the queues and live runs as they stand, and what ended since this process began."""

from __future__ import annotations

import threading
import time
from collections import Counter as Counted
from collections import OrderedDict
from collections.abc import Iterator

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.registry import Collector
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from orchestrator.domain.errors import MoTestplanError
from orchestrator.domain.plan import Suite
from orchestrator.domain.run import RunSummary, TaskState
from orchestrator.messaging import CONTROL_QUEUE, SUITE_QUEUES
from orchestrator.runs.hosts import SILENT
from orchestrator.service.service import Service

_PREFIX = "mo_testplan_"
_RUN_BUCKETS = (10, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 14400)
_TASK_BUCKETS = (1, 5, 15, 30, 60, 120, 300, 600, 1200, 2400, 4800)
_CANCEL_BUCKETS = (0.25, 0.5, 1, 2, 5, 10, 30)
#: Runs looked at in one scrape, and remembered as counted.
_LOOK, _REMEMBER = 200, 5000


class Outcomes:
    """Counts every run once, when it has ended; those that ended before this process began are not its own."""

    def __init__(self, service: Service, registry: CollectorRegistry) -> None:
        self._service, self._since = service, time.time()
        self._seen: OrderedDict[str, None] = OrderedDict()
        self._looking = threading.Lock()  # two scrapes may come at once
        self.runs = Counter(f"{_PREFIX}runs", "Runs that ended, by state.", ["state"], registry=registry)
        self.tasks = Counter(f"{_PREFIX}tasks", "Tasks that ended.", ["suite", "state"], registry=registry)
        self.lost = Counter(f"{_PREFIX}tasks_lost", "Tasks every worker of which went silent.", registry=registry)
        self.resent = Counter(f"{_PREFIX}tasks_resent", "Attempts beyond a task's first.", registry=registry)
        self.flaky = Counter(
            f"{_PREFIX}tasks_flaky", "Tasks that failed and then passed in one run.", registry=registry
        )
        self.cost = Counter(f"{_PREFIX}runner_seconds", "Runner time spent.", registry=registry)
        self.seconds = Histogram(f"{_PREFIX}run_seconds", "Wall time of runs.", buckets=_RUN_BUCKETS, registry=registry)
        self.task_seconds = Histogram(
            f"{_PREFIX}task_seconds", "Wall time of tasks.", ["suite"], buckets=_TASK_BUCKETS, registry=registry
        )
        self.cancels = Histogram(
            f"{_PREFIX}cancel_seconds",
            "From the order to cancel a run to its summary.",
            buckets=_CANCEL_BUCKETS,
            registry=registry,
        )

    def look(self) -> None:
        """Count what ended since the last look."""
        with self._looking:
            self._look()

    def _look(self) -> None:
        store = self._service.store
        for row in store.runs(_LOOK, profile=self._service.profile.name):
            if not row.state.final or (row.ended or 0.0) < self._since or row.id in self._seen:
                continue
            summary = store.summary(row.id)
            if summary is not None:
                self._count(summary)
            self._seen[row.id] = None
            if len(self._seen) > _REMEMBER:
                self._seen.popitem(last=False)

    def _count(self, summary: RunSummary) -> None:
        self.runs.labels(summary.state.value).inc()
        self.seconds.observe(summary.seconds)
        self.cost.inc(max(0.0, summary.cost))
        for task in summary.tasks:
            suite = task.task.partition(":")[0]
            self.tasks.labels(suite, task.state.value).inc()
            if task.attempt:
                self.task_seconds.labels(suite).observe(task.seconds)
            self.resent.inc(max(0, task.attempt - 1))
            self.lost.inc(task.state is TaskState.LOST)
            self.flaky.inc(task.flaky)
        progress = self._service.ledger.progress(summary.run)
        if progress is not None and progress.cancelled_at is not None:
            self.cancels.observe(max(0.0, summary.ended - progress.cancelled_at))


class Now(Collector):
    """Queues and live runs at the moment of the scrape."""

    def __init__(self, service: Service) -> None:
        self._service = service

    def collect(self) -> Iterator[Metric]:
        """Gauges; ``up`` is 0, and nothing else is there, when Redis does not answer."""
        up = GaugeMetricFamily(f"{_PREFIX}broker_up", "Whether Redis answers.")
        try:
            found = [*self._queues(), *self._live()]
        except MoTestplanError:
            found = []
        up.add_metric([], float(bool(found)))
        yield up
        yield from found

    def _queues(self) -> Iterator[Metric]:
        ledger = self._service.ledger
        depths: dict[str, int] = {}
        now = ledger.now()
        oldest = {queue: now - sent for queue, sent in ledger.waiting_since().items()}
        heard = [host.record for host in ledger.hosts() if host.silent <= SILENT]
        at_work = [record for record in heard if record is not None and record.state == "active"]
        serving = Counted(queue for record in at_work for queue in record.queues)
        for queue in sorted({*SUITE_QUEUES, CONTROL_QUEUE, *oldest, *serving}):
            depths[queue] = ledger.queue_length(queue)
        depth = GaugeMetricFamily(f"{_PREFIX}queue_depth", "Messages waiting in a queue.", labels=["queue"])
        age = GaugeMetricFamily(
            f"{_PREFIX}queue_age_seconds", "How long the oldest shard of a queue has waited.", labels=["queue"]
        )
        workers = GaugeMetricFamily(f"{_PREFIX}queue_workers", "Workers that take work from a queue.", labels=["queue"])
        for queue, length in depths.items():
            workers.add_metric([queue], serving[queue])
            depth.add_metric([queue], length)
            age.add_metric([queue], max(0.0, oldest.get(queue, 0.0)))
        yield depth
        yield age
        yield workers

    def _live(self) -> Iterator[Metric]:
        ledger = self._service.ledger
        mine = self._service.profile.name
        progress = [p for run in ledger.active() if (p := ledger.progress(run)) is not None and p.profile == mine]
        runs = GaugeMetricFamily(f"{_PREFIX}runs_live", "Runs without a verdict.")
        runs.add_metric([], len(progress))
        tasks = GaugeMetricFamily(f"{_PREFIX}tasks_live", "Tasks of live runs, by state.", labels=["state"])
        for state in TaskState:
            tasks.add_metric([state.value], sum(p.tasks[state] for p in progress))
        yield runs
        yield tasks
        count, seconds = ledger.overlaps()
        times = CounterMetricFamily(f"{_PREFIX}overlaps", "How often two workers had a task at once.")
        times.add_metric([], count)
        total = CounterMetricFamily(f"{_PREFIX}overlap_seconds", "For how long two workers had a task at once.")
        total.add_metric([], seconds)
        yield times
        yield total


class Metrics:
    """The route's endpoint."""

    def __init__(self, service: Service) -> None:
        self.registry = CollectorRegistry()
        self._outcomes = Outcomes(service, self.registry)
        for suite in Suite:  # series that exist from the start have a rate from the start
            for state in TaskState:
                if state.final:
                    self._outcomes.tasks.labels(suite.queue, state.value)
        self.registry.register(Now(service))

    def exposition(self) -> bytes:
        """What a scrape gets."""
        self._outcomes.look()
        return bytes(generate_latest(self.registry))


async def metrics(source: Metrics, _request: Request) -> Response:
    """``GET /metrics``; bind ``source`` first."""
    try:
        return Response(await run_in_threadpool(source.exposition), media_type=CONTENT_TYPE_LATEST)
    except MoTestplanError as error:
        return Response(error.message.encode("utf-8", "replace"), 503, media_type="text/plain")
