"""What the leading control process keeps: deeds, measured seconds, what is forgotten; and `stats` on top of it."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from unittest.mock import Mock

import pytest

from orchestrator.cli import keeping
from orchestrator.cli.keeping import DAY, Keeper, keep_deeds
from orchestrator.cli.main import main
from orchestrator.domain.profile import Retention
from orchestrator.domain.run import RunState
from orchestrator.ledger import keys
from orchestrator.ledger.client import Ledger
from orchestrator.ledger.embedded import EmbeddedRedis
from orchestrator.ledger.hosts import Deed
from orchestrator.messaging import make_app
from orchestrator.planner.failures import read_failures
from orchestrator.planner.measured import read_durations
from orchestrator.runs import control
from orchestrator.runs.fairness import Leveller
from orchestrator.store import Store
from tests.factories import make_plan
from tests.factories import make_task as plan_task
from tests.require import require
from tests.unit.store.factories import make_summary, make_task


@pytest.fixture
def url(tmp_path: Path) -> Iterator[str]:
    require("valkey")
    with EmbeddedRedis(tmp_path / "redis") as server:
        yield server.url


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(f"sqlite:///{tmp_path}/state/history.sqlite") as opened:
        yield opened


def commit(store: Store, run: str, ended: float) -> None:
    tasks = (make_task("ut:pkg/a", seconds=4.0),)
    store.commit_run(make_summary(run, RunState.PASSED, tasks=tasks, created=ended - 9, ended=ended), [])


def test_the_leader_keeps_and_the_others_do_nothing(url: str, store: Store, tmp_path: Path) -> None:
    ledger, file, leads = Ledger(url), tmp_path / "durations.json", [False]
    ledger.deed(Deed(1.0, "bo", "cli", "cancel", "r1", "asked"))
    commit(store, "r-old", time.time() - 400 * DAY)
    commit(store, "r-new", time.time())
    app = make_app(url)
    for pull in (1, 2):
        control.start(app, ledger, make_plan([plan_task(f"pkg/{n}", f"ut-{n}") for n in range(9)], pull=pull))
    leveller = Leveller(ledger, app, patience=0.001)
    keeper = Keeper(
        ledger, store, leveller, lambda: leads[0], Retention(audit_days=1e6), file, tmp_path / "failures.json"
    )
    keeper.tick()
    assert (store.audit_log(), len(store.runs()), file.exists()) == ([], 2, False)
    assert ledger.queue_length("ut") == 18
    leads[0] = True
    keeper.tick()
    assert [entry.action for entry in store.audit_log()] == ["cancel"]
    assert [run.id for run in store.runs()] == ["r-new"]
    assert read_durations(file, "demo").task("ut:pkg/a") == 4.0
    assert read_failures(tmp_path / "failures.json", "demo") == ()
    assert ledger.queue_length("ut") > 18, "who waited long was sent again, sooner"


def test_what_failed_is_read_again_only_after_another_run_failed(
    url: str, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, ledger, read = tmp_path / "failures.json", Ledger(url), Mock(wraps=store.failures)
    monkeypatch.setattr(store, "failures", read)
    monkeypatch.setattr(keeping, "_WRITE_EVERY", 0.0)
    leveller = Leveller(ledger, make_app(url))
    keeper = Keeper(ledger, store, leveller, lambda: True, Retention(), tmp_path / "d.json", file)
    for run, state, readings in (("r1", "passed", 1), ("r2", "failed", 2), ("r3", "passed", 2), ("r4", "failed", 3)):
        ended = time.time() - (100 if run == "r4" else 0)  # a summary that is late
        store.commit_run(make_summary(run, RunState(state), created=ended - 9, ended=ended), [])
        keeper.tick()
        keeper.tick()
        assert read.call_count == readings, run
    assert {one.run for one in read_failures(file, "demo")} == {"r2", "r4"}


def test_deeds_leave_the_ledger_when_they_are_in_the_log_and_rubbish_at_once(url: str, store: Store) -> None:
    ledger = Ledger(url)
    ledger.redis.xadd(keys.DEEDS, {"deed": "not json"})
    ledger.redis.xadd(keys.DEEDS, {"deed": "[" * 100_000})
    ledger.redis.xadd(keys.DEEDS, {"other": "1"})
    for number in range(3):
        ledger.deed(Deed(float(number), "bo", "cli", "run", f"r{number}", "started"))
    assert keep_deeds(ledger, store) == 3
    assert keep_deeds(ledger, store) == 0
    assert ledger.redis.xlen(keys.DEEDS) == 0
    assert [entry.target for entry in store.audit_log()] == ["r2", "r1", "r0"]


def test_stats_prints_draws_and_writes_seconds(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    commit(store, "r-1", time.time())
    monkeypatch.setenv("MO_TESTPLAN_STATE", str(tmp_path / "state"))
    words = ["stats", "--profile", "demo", "--pictures", str(tmp_path / "p"), "--durations", str(tmp_path / "d.json")]
    assert main([*words, "--format", "json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["slowest"][0]["task"], told["costs"][0]["pr"]) == ("ut:pkg/a", 42)
    assert {path.name for path in (tmp_path / "p").iterdir()} == {"slowest.svg", "flakiest.svg", "cost.svg", "days.svg"}
    assert "ut:pkg/a" in (tmp_path / "p" / "slowest.svg").read_text()
    assert read_durations(tmp_path / "d.json", "demo").task("ut:pkg/a") == 4.0
    assert main(["stats"]) == 0
    assert "ut:pkg/a" in capsys.readouterr().out
    assert main(["stats", "--durations", "x"]) == 2
