"""A host's voice: what it says, what it hears, and what it does about it."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from orchestrator.ledger import keys
from orchestrator.ledger.client import Ledger
from orchestrator.ledger.embedded import EmbeddedRedis
from orchestrator.ledger.hosts import HostRecord, Want, Wanted
from tests.require import require
from workers.agent import DISK_ENOUGH, DISK_LOW, Agent, Consumer

RECORD = HostRecord(name="w@h", version="1", scheme=keys.SCHEME, queues=("ut", "bvt.gpu"), concurrency=2)


class Worker:
    """A worker that remembers how it was steered."""

    def __init__(self) -> None:
        self.did: list[str] = []
        self.runs: list[tuple[str, float]] = []

    def consumer(self) -> Consumer:
        def note(word: str, queues: Iterable[str]) -> None:
            self.did.append(f"{word} {','.join(queues)}")

        return Consumer(
            listen=lambda queues: note("listen", queues),
            ignore=lambda queues: note("ignore", queues),
            running=lambda: self.runs,
            stop=lambda: self.did.append("stop"),
            terminate=lambda: self.did.append("terminate"),
        )


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    require("valkey")
    with EmbeddedRedis(tmp_path / "redis") as server:
        yield Ledger(server.url)


@pytest.fixture
def worker() -> Worker:
    return Worker()


@pytest.fixture
def agent(ledger: Ledger, worker: Worker, tmp_path: Path) -> Agent:
    return Agent(ledger, RECORD, worker.consumer(), tmp_path)


def state(ledger: Ledger) -> tuple[str, str]:
    (host,) = ledger.hosts()
    assert host.record is not None
    return host.record.state, host.record.why


def test_a_host_says_what_it_runs_and_where_it_stands(agent: Agent, ledger: Ledger, worker: Worker) -> None:
    worker.runs = [("r1|ut-1|1", 0.0)]
    agent.tick()
    (host,) = ledger.hosts()
    assert host.record is not None
    assert host.record.running[0][0] == "r1|ut-1"
    assert host.record.disk_free > 0
    assert host.silent < 5
    assert worker.did == []


def test_a_paused_host_takes_nothing_until_it_is_active_again(agent: Agent, ledger: Ledger, worker: Worker) -> None:
    ledger.want("w@h", Wanted(Want.PAUSE, "bo", "new disk"))
    agent.tick()
    agent.tick()
    assert worker.did == ["ignore ut,bvt.gpu"]
    assert state(ledger) == ("pause", "bo (new disk)")
    ledger.want("w@h", Wanted(Want.ACTIVE))
    agent.tick()
    agent.tick()
    assert worker.did == ["ignore ut,bvt.gpu", "listen ut,bvt.gpu"]
    assert state(ledger) == ("active", "")


def test_a_drained_host_ends_when_nothing_runs_any_more(agent: Agent, ledger: Ledger, worker: Worker) -> None:
    ledger.want("w@h", Wanted(Want.DRAIN))
    worker.runs = [("r1|ut-1|1", 0.0)]
    agent.tick()
    assert worker.did == ["ignore ut,bvt.gpu"]
    worker.runs = []
    agent.tick()
    assert worker.did[-1] == "stop"
    agent.close()
    assert ledger.hosts() == []


def test_a_removed_host_ends_at_once(agent: Agent, ledger: Ledger, worker: Worker) -> None:
    ledger.want("w@h", Wanted(Want.REMOVE))
    worker.runs = [("r1|ut-1|1", 0.0)]
    assert agent.tick() is Want.REMOVE
    assert worker.did[-1] == "terminate"


def test_a_full_disk_stops_new_work_until_there_is_enough(
    agent: Agent, ledger: Ledger, worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    for free in (DISK_LOW - 1, DISK_LOW + 1, DISK_ENOUGH + 1):
        monkeypatch.setattr(shutil, "disk_usage", lambda _, free=free: SimpleNamespace(free=free))
        agent.tick()
    assert worker.did == ["ignore ut,bvt.gpu", "listen ut,bvt.gpu"]


def test_a_ledger_of_another_scheme_gets_no_work_done(agent: Agent, ledger: Ledger, worker: Worker) -> None:
    ledger.redis.set(keys.SCHEME_OF, "99")
    agent.tick()
    agent.tick()
    assert worker.did == ["ignore ut,bvt.gpu"]
    assert state(ledger)[0] == "foreign"


def test_a_wish_of_a_newer_program_is_better_not_worked_against(agent: Agent, ledger: Ledger, worker: Worker) -> None:
    ledger.redis.hset(keys.HOST_WANTED, "w@h", '{"want": "hibernate"}')
    agent.tick()
    assert worker.did == ["ignore ut,bvt.gpu"]
