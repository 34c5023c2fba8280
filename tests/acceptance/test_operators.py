"""What operators do beside the command line: a revoke in Flower, a host that is stopped."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from orchestrator.ledger.client import Ledger
from orchestrator.messaging import make_app
from tests.acceptance.servers import redis_server
from tests.acceptance.test_hosts import WAITS, _running, hosts, let_pass, project_on
from tests.require import require
from tests.waiting import until


@pytest.fixture
def url(tmp_path: Path) -> Iterator[str]:
    require("redis", "go")
    folder = tmp_path / "redis"
    folder.mkdir()
    with redis_server(folder) as address:
        yield address


def test_a_revoke_of_a_running_shard_becomes_a_cancel(url: str, tmp_path: Path) -> None:
    project = project_on(url, tmp_path, {"a": "time.Sleep(time.Hour)"})
    with hosts(project, url, ["one"]):
        run = project.command("run", *project.change(), "--detach").stdout.strip()
        until(lambda: _running(Ledger(url), run) == 1, "it runs")
        make_app(url).control.revoke(f"{run}|ut-1|1", terminate=True, signal="SIGKILL")
        done = project.command("watch", run, "--format", "json")
        summary = json.loads(done.stdout)
    assert (done.returncode, summary["state"]) == (4, "cancelled")
    assert [task["state"] for task in summary["tasks"]] == ["cancelled"]


def test_a_worker_that_is_asked_to_stop_finishes_what_it_runs_and_takes_nothing_new(url: str, tmp_path: Path) -> None:
    project = project_on(url, tmp_path, {"a": WAITS, "b": WAITS})
    with hosts(project, url, ["one"]) as workers:
        run = project.command("run", *project.change(), "--detach").stdout.strip()
        ledger = Ledger(url)
        until(lambda: _running(ledger, run) == 1, "one runs")
        workers["one"].send_signal(signal.SIGTERM)
        until(lambda: "Warm shutdown" in (project.root / "one.log").read_text(), "it has heard")
        workers["one"].send_signal(signal.SIGTERM)  # asking twice changes nothing
        let_pass(project)
        workers["one"].wait(120)
        states = sorted(state.value for state in ledger.states(run).values())
    assert states == ["passed", "pending"]
    assert [result.attempt for result in ledger.results(run).values()] == [1]


def test_a_worker_that_is_told_to_quit_does_not_wait_for_what_it_runs(url: str, tmp_path: Path) -> None:
    project = project_on(url, tmp_path, {"a": "time.Sleep(time.Hour)"})
    with hosts(project, url, ["one"]) as workers:
        run = project.command("run", *project.change(), "--detach").stdout.strip()
        ledger = Ledger(url)
        until(lambda: _running(ledger, run) == 1, "it runs")
        workers["one"].send_signal(signal.SIGQUIT)
        workers["one"].wait(60)
        assert ledger.results(run) == {}, "it is for another worker"
