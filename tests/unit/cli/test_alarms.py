"""What ``doctor`` says of things that pile up, with real ones piled up."""

from __future__ import annotations

import dataclasses
import time
from pathlib import Path

import pytest

from orchestrator.cli import checks_alarms
from orchestrator.domain.errors import BrokerError
from orchestrator.ledger import keys
from orchestrator.ledger.client import Ledger
from orchestrator.ledger.embedded import EmbeddedRedis
from orchestrator.ledger.records import Delivery
from orchestrator.messaging import make_app
from orchestrator.planner.encode import plan_id
from orchestrator.runs import control
from orchestrator.store import OutboxMessage, Store
from tests.factories import make_plan, make_task
from tests.require import require

RUNBOOK = Path(__file__).parents[3] / "docs" / "runbook.md"


def test_memory_is_said_and_alarms_near_its_limit() -> None:
    assert checks_alarms.memory((100 << 20, 0)).ok
    assert checks_alarms.memory((100 << 20, 200 << 20)).ok
    assert not checks_alarms.memory((190 << 20, 200 << 20)).ok


def test_a_shard_that_waits_for_long_and_a_run_that_nobody_sums_up_are_said(tmp_path: Path) -> None:
    require("valkey")
    with EmbeddedRedis(tmp_path / "redis") as server:
        ledger, app = Ledger(server.url), make_app(server.url)
        assert checks_alarms.unstarted(ledger).ok
        run = control.start(app, ledger, make_plan())
        assert checks_alarms.unstarted(ledger).ok
        ledger.redis.zincrby(keys.QUEUED, -3600, f"{run}|ut-1")
        waits = checks_alarms.unstarted(ledger)
        assert not waits.ok
        assert f"ut-1 of run {run} for 1 h" in waits.found
        assert checks_alarms.untold(ledger).ok
        ledger.cancel(run, "li", [("ut:pkg/a", "ut-1")], whole_run=True)
        assert checks_alarms.untold(ledger).ok, "it has only just ended"
        ledger.redis.delete(keys.part(run, "events"))
        ledger.redis.xadd(keys.part(run, "events"), {"kind": "finished"}, id="1-1")
        assert not checks_alarms.untold(ledger).ok
        assert ledger.memory()[0] > 0


def test_runs_of_another_profile_are_said(tmp_path: Path) -> None:
    require("valkey")
    with EmbeddedRedis(tmp_path / "redis") as server:
        ledger, app = Ledger(server.url), make_app(server.url)
        plan = make_plan()
        control.start(app, ledger, plan)
        assert checks_alarms.projects(ledger, plan.profile).ok
        other = dataclasses.replace(plan, profile="another", id="")
        control.start(app, ledger, dataclasses.replace(other, id=plan_id(other)))
        check = checks_alarms.projects(ledger, plan.profile)
    assert (check.ok, check.required) == (False, False)
    assert "runs of another are under way, too" in check.found


def test_a_message_that_waits_for_long_is_said_with_its_error(tmp_path: Path) -> None:
    now = time.time()
    with Store(f"sqlite:///{tmp_path / 'h.sqlite'}") as store:
        assert checks_alarms.outbox(store, now).ok
        store.enqueue([OutboxMessage("r", "wecom", "summary", "{}", "k")], now - 3600)
        (due,) = store.due(now, 1)
        store.failed(due.id, "invalid key", now + 60)
        check = checks_alarms.outbox(store, now)
    assert not check.ok
    assert "wecom waits for 1 h 00 min: invalid key" in check.found


def test_every_alarm_has_a_section_of_the_runbook() -> None:
    headings = {line[3:].lower() for line in RUNBOOK.read_text().splitlines() if line.startswith("## ")}
    source = Path(checks_alarms.__file__).read_text()
    named = [part.partition(".")[0] for part in source.split("docs/runbook.md, ")[1:]]
    assert len(named) == 4
    assert set(named) <= headings


def test_a_queue_that_is_full_takes_no_more_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    require("valkey")
    monkeypatch.setattr(control, "MOST_WAITING", 2)
    with EmbeddedRedis(tmp_path / "redis") as server:
        ledger, app = Ledger(server.url), make_app(server.url)
        plan = make_plan([make_task("pkg/a"), make_task("pkg/b", "ut-2")])
        control.start(app, ledger, plan)
        with pytest.raises(BrokerError, match="nothing more is taken"):
            control.start(app, ledger, plan)
        assert len(ledger.active()) == 1


def test_what_a_straggler_writes_after_the_end_expires_too(tmp_path: Path) -> None:
    from orchestrator.domain.run import CaseResult, CaseStatus, RunState

    require("valkey")
    with EmbeddedRedis(tmp_path / "redis") as server:
        ledger, app = Ledger(server.url), make_app(server.url)
        run = control.start(app, ledger, make_plan())
        ledger.start(Delivery(run, "ut-1", 1), "w", "ut:pkg/a", 20)
        ledger.append_log(run, "ut:pkg/a", ["a line"])
        ledger.close_run(run, RunState.PASSED, ["ut:pkg/a"])
        ours = ledger.redis.keys(f"{keys.PREFIX}:*{run}*")
        ledger.redis.delete(*ours)  # a day later
        ledger.append_log(run, "ut:pkg/a", ["late"])
        ledger.append_cases(run, "ut:pkg/a", 1, [CaseResult("TestA", CaseStatus.FAILED)])
        left = ledger.redis.keys(f"{keys.PREFIX}:*{run}*")
        assert {str(key).split(":")[1] for key in left} == {"log", "cases", "told"}
        assert all(int(str(ledger.redis.ttl(key))) > 0 for key in left)
