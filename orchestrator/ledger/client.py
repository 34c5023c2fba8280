"""The ledger: the live truth about runs, in Redis, changed by Lua only.

Every transition is one file in ``lua/`` whose head comment is its contract. All clocks are Redis' own, so hosts may
disagree about the time. Calls raise :class:`BrokerError` when Redis is away for longer than the connection's retries.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, cast

from orchestrator.domain.errors import UsageError
from orchestrator.domain.plain import from_json, to_plain
from orchestrator.domain.run import CaseResult, RunState, ShardSpec, TaskResult, TaskState
from orchestrator.ledger import keys
from orchestrator.ledger.connection import every_method_reports_broker_errors
from orchestrator.ledger.hosts import Hosts
from orchestrator.ledger.records import Beat, Delivery, Event, Gate, Progress, events_of
from orchestrator.ledger.waiting import Waiting

#: Tasks ended in one cancel call: a call over 10,000 tasks would block the server for a fifth of a second.
_CANCEL_CHUNK = 400
#: Seconds a caller may take to write a run's history before another may try.
_PERMIT = 30
_KEEP = 24 * 3600
#: Seconds a stream is kept after a worker last wrote to it, whatever became of its run meanwhile.
_KEEP_STREAMS = 7 * 24 * 3600
_CASES_KEPT, _CASES_AT_ONCE = 200_000, 500
_LOG_LINES_KEPT = 5_000
#: Bytes of a plan, and of a result: what is bigger would hold up everybody who shares this Redis.
PLAN_LIMIT = 32 << 20
RESULT_LIMIT = 1 << 20
#: `json.dumps` would make one a call. Not in ASCII: names that are no UTF-8 hold halves of surrogate pairs, which the
#: connection replaces, and which Redis' reader of JSON refuses as escapes.
_encode = json.JSONEncoder(ensure_ascii=False).encode


@every_method_reports_broker_errors
class Ledger(Hosts, Waiting):
    """One client for everybody: control plane, workers, command line."""

    def ping(self) -> None:
        """Raise :class:`BrokerError` unless Redis answers."""
        self.redis.ping()

    def close(self) -> None:
        """Let the connections go."""
        self.redis.close()

    # -- transitions ---------------------------------------------------------------------------------------------

    def create(
        self,
        run: str,
        plan_json: str,
        header: Mapping[str, str | float],
        tasks: Iterable[tuple[str, str, bool]],
        shards: Iterable[tuple[Delivery, ShardSpec]],
    ) -> bool:
        """Write a run: ``tasks`` are (id, shard, skip), ``shards`` their first messages. False when it exists.

        A plan beyond :data:`PLAN_LIMIT` is a :class:`UsageError`, a ledger of another scheme an
        :class:`OtherSchemeError`.
        """
        if len(plan_json) > PLAN_LIMIT:
            raise UsageError(
                f"the plan has {len(plan_json) >> 20} MiB, more than the {PLAN_LIMIT >> 20} that a run may have",
                "Plan a smaller change, or give it a budget.",
            )
        units = _encode({"tasks": list(tasks), "shards": [_row(first, spec) for first, spec in shards]})
        names = [
            keys.run(run),
            *(keys.part(run, name) for name in ("tasks", "attempts", "shards", "plan", "specs")),
            keys.ACTIVE,
            keys.QUEUED,
            keys.SCHEME_OF,
        ]
        answer = self._call("create", names, [run, plan_json, _encode(dict(header)), units, keys.SCHEME])
        if answer == "foreign":
            self.check_scheme()
        return bool(answer == "created")

    def start(self, delivery: Delivery, owner: str, task: str, lease: float) -> tuple[Gate, int]:
        """Ask to execute ``task``: the gate's answer, and the attempt number when it is OK."""
        answer, attempt, _ = self._start(delivery, owner, task, lease)
        return Gate(answer), int(attempt)

    def take(self, delivery: Delivery, owner: str, lease: float) -> tuple[Gate, int, ShardSpec | None]:
        """:meth:`start` the first task of a shard, and read what a worker needs to know of it, in one call.

        No spec: the run is unknown.
        """
        answer, attempt, spec = self._start(delivery, owner, "", lease)
        return Gate(answer), int(attempt), _spec(spec, delivery.shard) if spec else None

    def _start(self, delivery: Delivery, owner: str, task: str, lease: float) -> tuple[str, int, str]:
        run = delivery.run
        names = [
            keys.run(run),
            *(keys.part(run, name) for name in ("tasks", "attempts", "shards", "cancelled")),
            keys.LEASES,
            keys.QUEUED,
            *(keys.part(run, name) for name in ("events", "specs")),
        ]
        args = [run, delivery.shard, delivery.delivery, owner, task, lease]
        return cast("tuple[str, int, str]", self._call("start", names, args))

    def beat(self, delivery: Delivery, owner: str, task: str, lease: float) -> tuple[Beat, float]:
        """Renew the shard's lease; learn whether to stop, and for how many seconds a cancel has been asked for."""
        run = delivery.run
        names = [keys.run(run), keys.part(run, "shards"), keys.part(run, "cancelled"), keys.LEASES]
        answer, milliseconds = self._call("beat", names, [run, delivery.shard, owner, task, lease])
        return Beat(answer), int(milliseconds) / 1000

    def finish(
        self, delivery: Delivery, owner: str, result: TaskResult, *, attempts: int = 1, confirm: bool = False
    ) -> str:
        """Record how an attempt ended: ``ok``, ``complete`` (the run's last task) or ``stale`` (it does not count).

        ``again``: it is not final. An error is tried again up to ``attempts`` times in all, and with ``confirm`` a
        failure once.
        """
        run = delivery.run
        names = [
            keys.run(run),
            *(keys.part(run, name) for name in ("tasks", "attempts", "shards", "results")),
            keys.LEASES,
            *(keys.part(run, name) for name in ("events", "cancelled", "doubts")),
        ]
        text = _short(result)
        seconds = round(result.seconds, 3)
        args = [run, delivery.shard, owner, result.task, result.attempt, result.state.value, text, seconds]
        counts = (result.passed, result.failed, result.skipped)
        return str(self._call("finish", names, [*args, *counts, attempts, int(confirm)]))

    def cancel(
        self, run: str, who: str, tasks: Sequence[tuple[str, str]], *, whole_run: bool = False, waiting: bool = False
    ) -> bool:
        """End ``tasks`` (pairs of id and shard), with ``waiting`` only those that have not started; or the run.

        True when nothing is left running.
        """
        names = [
            keys.run(run),
            *(keys.part(run, name) for name in ("tasks", "shards", "cancelled")),
            keys.QUEUED,
            keys.part(run, "events"),
        ]
        scope, complete = "run" if whole_run else "waiting" if waiting else "task", False
        for first in range(0, max(1, len(tasks)), _CANCEL_CHUNK):
            chunk = [word for pair in tasks[first : first + _CANCEL_CHUNK] for word in pair]
            complete = self._call("cancel", names, [run, who, scope, *chunk])[1] == "complete"
        return complete

    def reap(self, seen: Delivery, attempts: int, *, started: bool) -> Delivery | None:
        """Take a shard back (``started``: its lease ended; else its message is lost); what to send again, if any."""
        run = seen.run
        names = [
            keys.run(run),
            *(keys.part(run, name) for name in ("tasks", "attempts", "shards", "results", "cancelled")),
            keys.LEASES,
            keys.QUEUED,
            *(keys.part(run, name) for name in ("events", "doubts")),
        ]
        why = "lease" if started else "message"
        answer = self._call("reap", names, [run, seen.shard, seen.delivery, attempts, why])
        if answer[0] != "send":
            return None
        return Delivery(run, seen.shard, int(answer[1]), str(answer[2]), int(answer[3]))

    def expire(self, run: str, shard: str, delivery: int) -> bool:
        """Cut a lease short because the process that held it is known to be dead."""
        names = [keys.part(run, "shards"), keys.LEASES]
        return bool(self._call("expire", names, [run, shard, delivery]))

    def overlap(self, lost: Delivery, owner: str, task: str, ago: float) -> float | None:
        """``owner`` lost a shard, and its test was over ``ago`` seconds ago: for how long two workers had the task.

        Negative: it was over that long before another began. None: no other did. Either is put into the run's events.
        """
        run = lost.run
        names = [keys.part(run, "shards"), keys.part(run, "events"), keys.OVERLAPS]
        kind, text = self._call("overlap", names, [lost.shard, lost.delivery, task, owner, f"{ago:.3f}"])
        return None if kind == "alone" else float(text) * (1 if kind == "overlap" else -1)

    def overlaps(self) -> tuple[int, float]:
        """How often two workers had a task at once since this Redis was set up, and for how many seconds in all."""
        count, seconds = cast("list[str | None]", self.redis.hmget(keys.OVERLAPS, ["count", "seconds"]))
        return int(count or 0), float(seconds or 0)

    def build(
        self, run: str, store: str, owner: str, lease: float, ending: tuple[str, str] | None = None
    ) -> tuple[str, str]:
        """Ask whose the build of ``run`` in an artifact store is, or settle it: see ``build.lua``."""
        args = [store, owner, lease, *(ending or ())]
        answer, text = self._call("build", [keys.run(run), keys.part(run, "builds")], args)
        return str(answer), str(text)

    def commit(self, run: str, token: str) -> str:
        """Ask to write the summary: ``ok`` for one caller, else ``open``, ``taken``, ``done`` or ``gone``."""
        return str(self._call("commit", [keys.run(run)], [token, _PERMIT]))

    def close_run(self, run: str, state: RunState, logs: Iterable[str] = (), told: Iterable[TaskResult] = ()) -> None:
        """The history has the run: give it its final state and let its keys expire in a day.

        ``told`` are results as the summary has them, where the verdict knew more than the worker.
        """
        rows = {result.task: json.dumps(to_plain(result), ensure_ascii=False) for result in told}
        if rows:
            self.redis.hset(keys.part(run, "results"), mapping=cast("Any", rows))
        names = [keys.run(run), keys.ACTIVE, *keys.parts(run), *(keys.log(run, task) for task in logs)]
        self._call("close", names, [run, state.value, _KEEP])

    # -- streams -------------------------------------------------------------------------------------------------

    def append_cases(self, run: str, task: str, attempt: int, cases: Sequence[CaseResult], *, before: int = 0) -> None:
        """Append results of an attempt that sent ``before`` others; what is there from a try before is not added again.

        Failures also become events, so that a watcher sees them at once.
        """
        names = [keys.part(run, "cases"), keys.part(run, "events"), keys.part(run, "told")]
        for at in range(0, len(cases), _CASES_AT_ONCE):
            words: list[object] = [task, attempt, before + at, _CASES_KEPT, _KEEP_STREAMS]
            for case in cases[at : at + _CASES_AT_ONCE]:
                words += [int(case.status in ("failed", "error")), json.dumps(to_plain(case), ensure_ascii=False)]
            self._call("cases", names, words)

    def read_cases(self, run: str, after: str, count: int = 1000) -> list[tuple[str, dict[str, str]]]:
        """Case rows after stream id ``after`` (``0`` for all): (id, {task, attempt, case})."""
        answer = cast("Any", self.redis.xrange(keys.part(run, "cases"), min=f"({after}", count=count))
        return [(str(entry), dict(fields)) for entry, fields in answer]

    def append_log(self, run: str, task: str, lines: Sequence[str]) -> None:
        """Append to the tail of a task's log."""
        pipe = self.redis.pipeline(transaction=False)
        for line in lines:
            pipe.xadd(keys.log(run, task), {"line": line}, maxlen=_LOG_LINES_KEPT, approximate=True)
        pipe.expire(keys.log(run, task), _KEEP_STREAMS)
        pipe.execute()

    def note(self, run: str, who: str, command: str, result: str) -> None:
        """Put a command that concerned a run into its events, where the run is known."""
        name = keys.part(run, "events")
        row: dict[str, str] = {"kind": "command", "who": who, "command": command, "result": result}
        self.redis.xadd(name, cast("Any", row), maxlen=10_000, approximate=True, nomkstream=True)

    def read_log(self, run: str, task: str, after: str = "0", count: int = 5000) -> list[tuple[str, str]]:
        """Log lines after stream id ``after``: (id, line)."""
        answer = cast("Any", self.redis.xrange(keys.log(run, task), min=f"({after}", count=count))
        return [(str(entry), str(fields["line"])) for entry, fields in answer]

    def log_tail(self, run: str, task: str, count: int) -> list[str]:
        """The last lines of a log."""
        answer = cast("Any", self.redis.xrevrange(keys.log(run, task), count=count))
        return [str(fields["line"]) for _, fields in reversed(answer)]

    def events(self, run: str, after: str = "0", wait: float = 0.0) -> list[Event]:
        """Events after stream id ``after``, waiting up to ``wait`` (< 5) seconds for the first."""
        block = int(wait * 1000) if wait else None
        answer = cast("Any", self.redis.xread({keys.part(run, "events"): after}, count=500, block=block))
        return events_of(answer[0][1] if answer else ())

    def last_event(self, run: str) -> Event | None:
        """The newest event of a run."""
        answer = cast("Any", self.redis.xrevrange(keys.part(run, "events"), count=1))
        return next(iter(events_of(answer)), None)

    # -- questions -----------------------------------------------------------------------------------------------

    def progress(self, run: str) -> Progress | None:
        """Counters of a run in one call; None when the ledger does not know it."""
        header = cast("dict[str, str]", self.redis.hgetall(keys.run(run)))
        return _progress(run, header) if header else None

    def plan(self, run: str) -> str | None:
        """The plan's JSON."""
        return cast("str | None", self.redis.get(keys.part(run, "plan")))

    def spec(self, run: str, shard: str) -> ShardSpec | None:
        """What a worker needs to know of its shard."""
        text = cast("str | None", self.redis.hget(keys.part(run, "specs"), shard))
        return _spec(text, shard) if text else None

    def states(self, run: str) -> dict[str, TaskState]:
        """Every task's state."""
        answer = cast("dict[str, str]", self.redis.hgetall(keys.part(run, "tasks")))
        return {task: TaskState(state) for task, state in answer.items()}

    def attempts(self, run: str) -> dict[str, int]:
        """Every task's current attempt; 0 when it never started."""
        answer = cast("dict[str, str]", self.redis.hgetall(keys.part(run, "attempts")))
        return {task: int(attempt) for task, attempt in answer.items()}

    def results(self, run: str) -> dict[str, TaskResult]:
        """Results by task, for tasks that finished. What is no result is left out: the state is known without it."""
        answer = cast("dict[str, str]", self.redis.hgetall(keys.part(run, "results")))
        return _readable(answer)

    def doubts(self, run: str) -> dict[str, TaskResult]:
        """First failures that wanted to be confirmed, by task."""
        answer = cast("dict[str, str]", self.redis.hgetall(keys.part(run, "doubts")))
        return _readable(answer)

    def delivery(self, run: str, shard: str) -> Delivery | None:
        """The shard's current message."""
        names = [f"{shard}|{name}" for name in ("delivery", "queue", "priority")]
        number, queue, priority = cast("list[str | None]", self.redis.hmget(keys.part(run, "shards"), names))
        return Delivery(run, shard, int(number), queue or "", int(priority or 0)) if number else None

    def holder(self, run: str, shard: str) -> str:
        """The worker that has a shard; empty when none has."""
        return str(self.redis.hget(keys.part(run, "shards"), f"{shard}|owner") or "")

    def since(self, run: str) -> dict[str, float]:
        """When the newest task of each shard that was taken started (Unix seconds), by shard."""
        fields = cast("dict[str, str]", self.redis.hgetall(keys.part(run, "shards")))
        return {name.removesuffix("|started"): float(at) for name, at in fields.items() if name.endswith("|started")}

    def stopping(self, run: str) -> frozenset[str]:
        """Tasks of a run that somebody asked to end."""
        return frozenset(cast("list[str]", self.redis.hkeys(keys.part(run, "cancelled"))))

    def cancelled(self, run: str) -> bool:
        """Whether somebody asked for the end of the whole run."""
        return bool(self.redis.hexists(keys.run(run), "cancel"))

    def active(self) -> list[str]:
        """Runs without a summary, oldest first."""
        return cast("list[str]", self.redis.zrange(keys.ACTIVE, 0, -1))

    def expired(self) -> list[tuple[str, str]]:
        """(run, shard) whose lease has ended."""
        members = cast("list[str]", self.redis.zrangebyscore(keys.LEASES, "-inf", self.now()))
        return [keys.pair(member) for member in members]

    def queued(self) -> list[tuple[str, str, float]]:
        """(run, shard, when sent) of every shard no worker has started, oldest first."""
        rows = cast("list[tuple[str, float]]", self.redis.zrange(keys.QUEUED, 0, -1, withscores=True))
        return [(*keys.pair(member), sent) for member, sent in rows]

    def memory(self) -> tuple[int, int]:
        """Bytes that Redis uses and may use; 0 when it has no limit."""
        info = self.redis.info("memory")
        return int(info["used_memory"]), int(info.get("maxmemory", 0))

    def waiting_since(self) -> dict[str, float]:
        """Queue → when its oldest shard was sent; only queues in which some wait."""
        rows = self.queued()
        pipe = self.redis.pipeline(transaction=False)
        for run, shard, _ in rows:
            pipe.hget(keys.part(run, "shards"), f"{shard}|queue")
        found: dict[str, float] = {}
        for queue, (_, _, sent) in zip(cast("list[str | None]", pipe.execute()), rows, strict=True):
            if queue:
                found.setdefault(queue, sent)
        return found

    def now(self) -> float:
        """Redis' clock, Unix seconds."""
        seconds, micros = self.redis.time()
        return seconds + micros / 1e6

    def lead(self, who: str, seconds: float) -> bool:
        """Become or stay the leader among control processes for ``seconds``."""
        return self._hold(keys.LEADER, who, seconds)

    def _hold(self, key: str, value: str, seconds: float) -> bool:
        """Set ``key`` for ``seconds`` unless it has another value."""
        if self.redis.set(key, value, nx=True, px=int(seconds * 1000)):
            return True
        if self.redis.get(key) != value:
            return False
        self.redis.pexpire(key, int(seconds * 1000))
        return True

    def leads(self, who: str) -> bool:
        """Whether ``who`` is the leader now."""
        return bool(self.redis.get(keys.LEADER) == who)

    def keep_history(self, place: str, seconds: float) -> str:
        """Say for ``seconds`` that the runs of this ledger are kept in ``place``; where they are kept, if elsewhere."""
        return place if self._hold(keys.HISTORY, place, seconds) else str(self.redis.get(keys.HISTORY) or place)

    def tick(self, now: float) -> None:
        """Note that the leader looks at the runs ``now``, by Redis' clock."""
        self.redis.set(keys.TICKED, now)

    def ticked(self) -> float:
        """When a leader last looked, whichever it was; 0 when none ever did."""
        return float(cast("str | None", self.redis.get(keys.TICKED)) or 0)

    def head(self, queue: str, priority: int) -> str | None:
        """The Celery task id of the message that is next in a queue's priority list, if there is one.

        Empty for a message that is not Celery's: it stands in the queue, and names no shard.
        """
        name = queue if priority == 0 else f"{queue}\x06\x16{priority}"
        raw = cast("str | None", self.redis.lindex(name, -1))
        if raw is None:
            return None
        try:
            return str(json.loads(raw)["headers"]["id"])
        except (ValueError, KeyError, TypeError, RecursionError):
            return ""

    def queue_length(self, queue: str) -> int:
        """Messages waiting in a queue, over all priorities."""
        pipe = self.redis.pipeline(transaction=False)
        for priority in range(10):
            pipe.llen(queue if priority == 0 else f"{queue}\x06\x16{priority}")
        return sum(cast("list[int]", pipe.execute()))


def _row(first: Delivery, spec: ShardSpec) -> tuple[str, str, int, str, str]:
    task = spec.tasks[0].id if spec.tasks else ""
    return first.shard, first.queue, first.priority, _encode(to_plain(spec)), task


def _readable(rows: Mapping[str, str]) -> dict[str, TaskResult]:
    """Results by task; a worker's answer is not to be trusted."""
    found = {}
    for task, text in rows.items():
        with contextlib.suppress(UsageError):
            found[task] = from_json(TaskResult, text, task)
    return found


def _spec(text: str, shard: str) -> ShardSpec:
    return from_json(ShardSpec, text, f"shard {shard}")


def _short(result: TaskResult) -> str:
    """A result as JSON of at most :data:`RESULT_LIMIT`: of one that is bigger, the failures are in the case stream."""
    text = _encode(to_plain(result))
    if 4 * len(text) <= RESULT_LIMIT or len(text.encode("utf-8", "replace")) <= RESULT_LIMIT:
        return text
    small = dataclasses.replace(result, failures=(), message=result.message[:2000], reproduce=None)
    return _encode(to_plain(small))


def _progress(run: str, header: dict[str, str]) -> Progress:
    def number(name: str) -> int:
        return int(header.get(name, 0))

    return Progress(
        run=run,
        state=RunState(header["state"]),
        tasks={state: number(state.value) for state in TaskState},
        total=number("total"),
        cases_passed=number("cases_passed"),
        cases_failed=number("cases_failed"),
        cases_skipped=number("cases_skipped"),
        created=float(header["created"]),
        ended=float(header["ended"]) if "ended" in header else None,
        pr_number=int(header["pr"]) if header.get("pr") else None,
        parent=header.get("parent") or None,
        profile=header.get("profile", ""),
        cost=float(header.get("cost", 0)),
        cancelled_by=header.get("cancel"),
        who=header.get("who", ""),
        cancelled_at=float(header["cancel_at"]) if "cancel_at" in header else None,
        flaky=number("flaky"),
        commit=header.get("commit", ""),
        plan=header.get("plan", ""),
    )
