"""Control of runs on real workers, with Flower beside them."""

from __future__ import annotations

import base64
import json
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.rig.fleet import Fleet
from benchmarks.rig.processes import command_line, marked
from benchmarks.rig.project import Behaviour, make_project
from orchestrator.domain.run import TaskState
from orchestrator.ledger.client import Ledger
from orchestrator.messaging import message_id
from orchestrator.runs import control
from tests.acceptance.servers import service
from tests.require import require
from tests.waiting import until
from workers.servers.owned import free_port

LONG = Behaviour("stubborn", 300.0)
FLAKY = Behaviour("flaky", 0.0, 2)


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[Fleet]:
    require("valkey", "go")
    packages = {"long": LONG, "other": LONG, "a": Behaviour("passes"), "b": Behaviour("passes"), "flaky": FLAKY}
    project = make_project(tmp_path / "rig", packages, dispatch="{lease: 10}")
    with Fleet(project, hosts=1) as running:
        yield running


class Flower:
    """What an operator sees and does in it."""

    def __init__(self, port: int) -> None:
        self._base = f"http://127.0.0.1:{port}/api/"
        self._token = base64.b64encode(b"operator:secret").decode()

    def state(self, message: str) -> str:
        """The state of a task; empty when it is not known."""
        tasks = self._ask("tasks?limit=200")
        return str(tasks.get(message, {}).get("state", "")) if isinstance(tasks, dict) else ""

    def revoke(self, message: str) -> None:
        """Revoke and terminate."""
        self._ask(f"task/revoke/{urllib.parse.quote(message, safe='')}?terminate=true", method="POST")

    def answers(self) -> bool:
        """Whether it knows the workers."""
        return bool(self._ask("workers?refresh=1"))

    def _ask(self, path: str, method: str = "GET") -> dict[str, dict[str, object]]:
        request = urllib.request.Request(self._base + path, method=method)  # noqa: S310 - http on the loopback
        request.add_header("Authorization", f"Basic {self._token}")
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310 - http on the loopback
                rows: dict[str, dict[str, object]] = json.load(answer)
                return rows
        except OSError:
            return {}


@pytest.fixture
def flower(fleet: Fleet) -> Iterator[Flower]:
    require("flower")
    port = free_port()
    env = {**fleet.environ, "MO_TESTPLAN_FLOWER_AUTH": "operator:secret"}
    with service("flower", "--port", str(port), env=env, log=fleet.logs / "flower.log"):
        made = Flower(port)
        until(made.answers, "flower answers")
        yield made


def states(ledger: Ledger, run: str) -> dict[str, TaskState]:
    return {task.removeprefix("ut:"): state for task, state in ledger.states(run).items()}


def lives(fleet: Fleet, test: str) -> bool:
    """Whether a process of that test is there."""
    return any(command_line(pid).endswith(f"run.sh ./{test}") for pid in marked(fleet.mark))


def ended(ledger: Ledger, run: str) -> bool:
    progress = ledger.progress(run)
    return progress is not None and progress.state.final


def test_a_cancel_ends_the_tree_says_how_and_flower_shows_what_waited_as_revoked(fleet: Fleet, flower: Flower) -> None:
    ledger = fleet.ledger()
    run = control.start(fleet.app, ledger, fleet.project.plan([["long"], ["a"], ["b"]]))
    until(lambda: states(ledger, run)["long"] is TaskState.RUNNING, "it runs")
    control.cancel(fleet.app, ledger, run, "li")
    until(lambda: ended(ledger, run), "the run has its summary")
    assert set(states(ledger, run).values()) == {TaskState.CANCELLED}
    stop = ledger.results(run)["ut:long"].stop
    assert stop is not None
    assert 0 < stop.signalled <= stop.gone <= stop.cleaned
    waited = [message_id(run, f"ut-000{n}", 1) for n in (1, 2)]
    until(lambda: {flower.state(one) for one in waited} == {"REVOKED"}, "flower shows them")


def test_a_revoke_made_in_flower_is_a_cancel(fleet: Fleet, flower: Flower) -> None:
    ledger = fleet.ledger()
    run = control.start(fleet.app, ledger, fleet.project.plan([["long"], ["other"]]))
    until(lambda: states(ledger, run)["long"] is TaskState.RUNNING, "it runs")
    message = message_id(run, "ut-0000", 1)
    until(lambda: flower.state(message) == "STARTED", "flower knows it")
    until(lambda: lives(fleet, "long"), "its test has started")
    flower.revoke(message)
    until(lambda: states(ledger, run)["other"] is TaskState.RUNNING, "the other one runs")
    until(lambda: states(ledger, run)["long"] is TaskState.CANCELLED, "what was revoked is cancelled")
    until(lambda: not lives(fleet, "long"), "its test has ended")
    control.cancel(fleet.app, ledger, run, "li")
    until(lambda: ended(ledger, run), "the run has its summary")
    assert states(ledger, run) == {"long": TaskState.CANCELLED, "other": TaskState.CANCELLED}


def test_a_test_that_passes_at_the_second_try_is_shown_as_flaky_and_the_run_passes(fleet: Fleet) -> None:
    from orchestrator.store import Store

    ledger = fleet.ledger()
    run = control.start(fleet.app, ledger, fleet.project.plan([["flaky", "a"]]))
    until(lambda: ended(ledger, run), "the run has its summary")
    with Store(fleet.environ["MO_TESTPLAN_STORE_URL"]) as store:
        summary = store.summary(run)
    assert summary is not None
    assert (summary.state.value, summary.state.exit_code) == ("passed", 0)
    assert {task.task: task.flaky for task in summary.tasks} == {"ut:flaky": True, "ut:a": False}


def test_a_run_can_be_repeated_by_the_workers_of_one_host(fleet: Fleet) -> None:
    import socket

    from orchestrator.runs.queues import unserved
    from orchestrator.store import Store

    ledger = fleet.ledger()
    plan = fleet.project.plan([["a"]])
    run = control.start(fleet.app, ledger, plan)
    until(lambda: ended(ledger, run), "the run has its summary")
    with Store(fleet.environ["MO_TESTPLAN_STORE_URL"]) as store:
        summary = store.summary(run)
    assert summary is not None
    again = control.rerun_plan(plan, summary, failed=False, host=socket.gethostname())
    repeated = control.start(fleet.app, ledger, again, parent=run)
    until(lambda: ended(ledger, repeated), "it runs there")
    elsewhere = control.rerun_plan(plan, summary, failed=False, host="no-such-host")
    assert [shard.queue for shard in elsewhere.shards] == ["ut.at-no-such-host"]
    assert unserved(fleet.app, {shard.queue for shard in elsewhere.shards}) == ["ut.at-no-such-host"]
