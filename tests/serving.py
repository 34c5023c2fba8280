"""An ASGI application on a free port of the loopback, and a service with runs made by hand."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx
import uvicorn

from orchestrator.domain.plan import TestPlan
from orchestrator.domain.profile import Profile
from orchestrator.domain.run import CaseResult, TaskResult, TaskState
from orchestrator.ledger.client import Ledger
from orchestrator.ledger.orders import Orders
from orchestrator.messaging import make_app
from orchestrator.runs import control
from orchestrator.runs.summarize import summarize
from orchestrator.service.service import Service
from orchestrator.service.tokens import hash_of, tokens_from
from orchestrator.store import Store
from tests.waiting import Found, until

#: Tokens of the test service, by name.
TOKENS = {role: f"secret-of-{role}" for role in ("viewer", "developer", "maintainer", "admin", "poor", "slow")}


@contextlib.contextmanager
def serving(asgi: Any) -> Iterator[str]:  # noqa: ANN401 - an ASGI application
    """Serve until the block ends; the address."""
    server = uvicorn.Server(uvicorn.Config(asgi, port=0, log_level="error", timeout_graceful_shutdown=2))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        until(lambda: server.started or not thread.is_alive(), "the server starts")
        assert server.started
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()


def patiently(ask: Callable[[], Found]) -> Found:
    """What ``ask`` answers; asked again while a busy machine takes longer than the asker waits."""

    def answer() -> list[Found]:
        with contextlib.suppress(httpx.TimeoutException):
            return [ask()]
        return []

    return until(answer, "an answer in time")[0]


@contextlib.contextmanager
def make_service(url: str, folder: Path, profile: Profile) -> Iterator[Service]:
    """A service on an empty ledger and an empty history, with a token a role.

    ``poor`` may start one run a day, ``slow`` so many as last a minute.
    """
    limited = {"poor": {"role": "developer", "runs": 1}, "slow": {"role": "developer", "runner_minutes": 1}}
    roles = {name: {"role": name} for name in TOKENS} | limited
    entries = [{"name": name, "sha256": hash_of(secret), **roles[name]} for name, secret in TOKENS.items()]
    tokens = tokens_from({"tokens": entries}, "tokens")
    ledger = Ledger(url)
    ledger.redis.flushall()
    with Store(f"sqlite:///{folder}/history.sqlite") as store:
        orders = Orders(url)
        yield Service(
            profile,
            ledger,
            store,
            make_app(url),
            orders,
            lambda secret, origin: tokens.caller(secret, profile.name, origin, "2026-01-01"),
        )
        orders.close()
    ledger.close()


def start_run(service: Service, plan: TestPlan, who: str = "t") -> str:
    """Start a plan that no worker takes."""
    return control.start(service.app, service.ledger, plan, who=who)


def play(service: Service, run: str, endings: Mapping[str, tuple[TaskState, tuple[CaseResult, ...]]]) -> None:
    """Be the worker of a run: end the named tasks so, with their cases and a line of log each."""
    ledger = service.ledger
    plan = service.reads.find(run)[1]
    for task, (state, cases) in endings.items():
        found = plan.task(task)
        assert found is not None
        delivery = ledger.delivery(run, found.shard or "")
        assert delivery is not None
        gate, attempt = ledger.start(delivery, "host:1", task, 30)
        assert gate.value == "ok", gate
        ledger.append_cases(run, task, attempt, cases)
        ledger.append_log(run, task, [f"{task} says {state.value}"])
        bad = tuple(case for case in cases if case.status.value in ("failed", "error"))
        passed = len(cases) - len(bad)
        ledger.finish(delivery, "host:1", TaskResult(task, state, attempt, 1.5, passed, len(bad), failures=bad))


def end_run(service: Service, run: str) -> None:
    """Write the summary of a complete run."""
    assert summarize(service.ledger, service.store, run, lambda _: ()) is not None
