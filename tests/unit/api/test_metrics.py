"""What is counted for Prometheus: each run once, whatever else is in the history and whoever scrapes beside."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from orchestrator.api.metrics import Metrics
from orchestrator.domain.profile import Profile
from orchestrator.domain.run import RunState, RunSummary
from orchestrator.planner.encode import plan_id
from orchestrator.runs import control
from orchestrator.service.service import Service
from tests.factories import make_plan
from tests.serving import make_service
from tests.unit.store.factories import make_summary, make_task


@pytest.fixture
def service(valkey_url: str, tmp_path: Path) -> Iterator[Service]:
    with make_service(valkey_url, tmp_path, Profile(name="demo")) as made:
        yield made


def end(service: Service, run: str, **changes: object) -> None:
    """A run that ended after the metrics began; its plan is one that this version cannot read."""
    made = dataclasses.replace(make_summary(run, RunState.PASSED), created=4e9, ended=4e9, **changes)  # type: ignore[arg-type]
    service.store.record_plan(
        run, "{}", parent=None, pr_number=7, profile=made.profile, repo_commit=None, created=made.created
    )
    assert service.store.commit_run(made, ())


def counted(metrics: Metrics, name: str) -> str:
    lines = metrics.exposition().decode().splitlines()
    return next(line.rpartition(" ")[2] for line in lines if line.startswith(f"mo_testplan_{name}"))


def test_scrapes_at_the_same_time_count_a_run_once(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    metrics, read = Metrics(service), service.store.summary

    def slowly(run: str) -> RunSummary | None:
        time.sleep(0.05)
        return read(run)

    monkeypatch.setattr(service.store, "summary", slowly)
    end(service, "r-1")
    with ThreadPoolExecutor(4) as pool:
        for scrape in [pool.submit(metrics.exposition) for _ in range(4)]:
            scrape.result()
    assert counted(metrics, 'runs_total{state="passed"}') == "1.0"


def test_live_runs_are_those_of_the_profile_as_ended_ones_are(service: Service) -> None:
    plan = dataclasses.replace(make_plan(), profile="demo", id="")
    for profile in ("demo", "other"):
        one = dataclasses.replace(plan, profile=profile)
        control.start(service.app, service.ledger, dataclasses.replace(one, id=plan_id(one)))
    metrics = Metrics(service)
    assert counted(metrics, "runs_live") == "1.0"
    assert counted(metrics, 'tasks_live{state="pending"}') == f"{len(plan.tasks):.1f}"


def test_a_plan_that_cannot_be_read_and_runs_of_others_do_not_hide_a_run(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("orchestrator.api.metrics._LOOK", 2)
    metrics = Metrics(service)
    end(service, "r-1", tasks=(make_task("ut:pkg/price"), make_task("bvt:join#2")))
    for number in range(3):
        end(service, f"other-{number}", profile="other", tasks=())
    assert counted(metrics, 'runs_total{state="passed"}') == "1.0"
    assert counted(metrics, 'tasks_total{state="passed",suite="bvt"}') == "1.0"
