"""Following a run: what is told, how much of it, and which log a person gets to see."""

from __future__ import annotations

import dataclasses
import json
import time
from pathlib import Path
from typing import Any, cast

import pytest

from orchestrator.cli import edge, logs, progress
from orchestrator.cli.main import main
from orchestrator.cli.show import summary_text, task_lines
from orchestrator.domain.errors import UnknownRunError
from orchestrator.domain.plain import to_plain
from orchestrator.domain.run import CaseResult, CaseStatus, RunState, RunSummary, TaskResult, TaskState
from orchestrator.ledger import keys
from orchestrator.ledger.client import Ledger
from orchestrator.ledger.records import Delivery, Event
from orchestrator.messaging import make_app
from orchestrator.planner.codec import dumps, plan_id
from orchestrator.runs import control
from orchestrator.runs.outlook import timeline
from orchestrator.settings import Settings, settings_from
from tests.factories import make_plan, make_task
from tests.unit.store.factories import make_summary
from workers.sink import task_folder


@pytest.fixture
def ledger(valkey_url: str) -> Ledger:
    client = Ledger(valkey_url)
    client.redis.flushall()
    return client


@pytest.fixture
def config(valkey_url: str, tmp_path: Path) -> Settings:
    return settings_from({"MO_TESTPLAN_REDIS_URL": valkey_url, "MO_TESTPLAN_STATE": str(tmp_path)})


def started(ledger: Ledger, url: str, packages: int = 2) -> str:
    return control.start(make_app(url), ledger, make_plan([make_task(f"pkg/{n}", f"ut-{n}") for n in range(packages)]))


def failure(task: str, number: int) -> Event:
    case = json.dumps(to_plain(CaseResult(f"Test{number}", CaseStatus.FAILED, message="no")))
    return Event("1-0", "failure", {"task": task, "attempt": "1", "case": case})


def test_ten_thousand_failures_are_told_in_a_few_lines() -> None:
    told = progress._Telling()
    lines = [line for task in range(1000) for n in range(10) for line in told.lines(failure(f"ut:{task}", n))]
    assert len(lines) == 201
    assert "status" in lines[-1]
    one_task = progress._Telling()
    assert len([line for n in range(100) for line in one_task.lines(failure("ut:a", n))]) == 5


@pytest.mark.parametrize("kind", ["", "failure", "retried", "overlap", "yielded", "finished", "started", "new"])
def test_an_event_of_a_worker_that_is_none_is_passed_over_and_obeyed_by_no_terminal(
    ledger: Ledger, valkey_url: str, kind: str
) -> None:
    run = started(ledger, valkey_url)
    row = {"task": "ut:\x1b[2J", "state": "failed", "seconds": "1", "attempt": "1", "case": "[" * 100_000}
    for left_out in ("", *row):
        fields = {name: value for name, value in {"kind": kind, **row}.items() if value and name != left_out}
        ledger.redis.xadd(keys.part(run, "events"), cast("Any", fields))
    assert len(events := ledger.events(run)) == len(row) + 1
    assert all(line.isprintable() for event in events for line in [progress.describe(event)])
    assert timeline(ledger, run, row["task"])


def test_a_thousand_failed_tasks_are_summed_up() -> None:
    plan = make_plan([make_task(f"pkg/{n}") for n in range(1000)])
    failures = tuple(CaseResult(f"Test{n}", CaseStatus.FAILED, message="a\nb\nc\n") for n in range(20))
    tasks = tuple(TaskResult(task.id, TaskState.FAILED, failures=failures) for task in plan.tasks)
    text = summary_text(RunSummary("r", RunState.FAILED, "p", "demo", 7, None, 0.0, 1.0, tasks, 1.0), plan)
    assert len(text.splitlines()) < 2000
    assert "960 more tasks" in text


def test_a_run_that_ran_nothing_says_why() -> None:
    plan = make_plan()
    tasks = (TaskResult("ut:pkg/a", TaskState.SKIPPED, message="pkg/a: no tests"),)
    summary = RunSummary("r", RunState.PASSED, "p", "demo", 7, None, 0.0, 1.0, tasks, 1.0)
    assert "  nothing ran:\n  skipped: ut:pkg/a (0.0 s)  pkg/a: no tests" in summary_text(summary, plan)


def test_failures_that_a_result_does_not_name_are_counted() -> None:
    named = tuple(CaseResult(f"Test{number}", CaseStatus.FAILED) for number in range(20))
    assert "    … and 490 more" in list(task_lines(TaskResult("ut:a", TaskState.FAILED, failed=500, failures=named)))


def test_a_queue_without_a_worker_is_said_although_another_works(
    ledger: Ledger, valkey_url: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "_UNSERVED_AFTER", 0.0)
    run = started(ledger, valkey_url)
    ledger.start(Delivery(run, "ut-0", 1), "w", "ut:pkg/0", 60)
    asked: list[set[str]] = []

    def check() -> None:
        if len(asked) and time.monotonic() > end:
            raise KeyboardInterrupt

    def unserved(queues: object) -> list[str]:
        asked.append(set(queues))  # type: ignore[call-overload]
        return ["ut"]

    end = time.monotonic() + 1.0
    plan = make_plan([make_task(f"pkg/{n}", f"ut-{n}") for n in range(2)])
    with pytest.raises(KeyboardInterrupt):
        progress.watch(ledger, run, plan, check=check, unserved=unserved)
    assert asked == [{"ut"}]
    assert capsys.readouterr().err.count("no worker serves queue 'ut'") == 1


def test_a_summary_that_nobody_writes_is_said_once(
    ledger: Ledger, valkey_url: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "_SUMMARY_AFTER", 0.5)
    run = started(ledger, valkey_url, packages=1)
    delivery = Delivery(run, "ut-0", 1)
    end = time.monotonic() + 2.0

    def check() -> None:
        if time.monotonic() > end:
            raise KeyboardInterrupt

    for told in (0, 1):
        end = time.monotonic() + 2.0
        with pytest.raises(KeyboardInterrupt):
            progress.watch(ledger, run, make_plan([make_task("pkg/0", "ut-0")]), check=check)
        assert capsys.readouterr().err.count("there is no summary: no control process runs") == told
        ledger.start(delivery, "w", "ut:pkg/0", 60)
        ledger.finish(delivery, "w", TaskResult("ut:pkg/0", TaskState.PASSED))


def test_the_beginning_of_several_live_runs_is_refused_with_their_names(
    ledger: Ledger, valkey_url: str, config: Settings
) -> None:
    runs = sorted(started(ledger, valkey_url) for _ in range(2))
    with pytest.raises(UnknownRunError, match=f"{runs[0]}, {runs[1]}"):
        edge.find_run(config, runs[0][:5])
    assert edge.find_run(config, runs[0])[0].run == runs[0]


def of_pull(ledger: Ledger, url: str, pull: int, profile: str = "demo") -> str:
    plan = dataclasses.replace(make_plan(pull=pull), profile=profile)
    return control.start(make_app(url), ledger, dataclasses.replace(plan, id=plan_id(plan)))


def test_a_number_is_a_pull_request_and_never_the_beginning_of_an_id(
    ledger: Ledger, valkey_url: str, config: Settings
) -> None:
    runs = [of_pull(ledger, valkey_url, 8), of_pull(ledger, valkey_url, 8)]
    day = runs[0].partition("-")[0]  # what the ids of both begin with
    for number in (day, "9" * 40):
        with pytest.raises(UnknownRunError, match="no run of pull request"):
            edge.find_run(config, number)
    assert edge.find_run(config, "8")[0].run == edge.find_run(config, "008")[0].run == runs[1]
    other = of_pull(ledger, valkey_url, 8, "other")
    with pytest.raises(UnknownRunError, match=f"{runs[1]}, {other}"):
        edge.find_run(config, "8")


def test_of_a_pull_request_whose_runs_have_ended_the_history_knows_the_newest(ledger: Ledger, config: Settings) -> None:
    assert ledger.active() == []
    with edge.open_store(config) as history:
        for number in range(2):
            run, plan = f"r-{number}", dumps(make_plan(pull=8)).decode()
            kept = {"parent": None, "pr_number": 8, "profile": "demo", "repo_commit": None}
            history.record_plan(run, plan, created=number + 1.0, **kept)  # type: ignore[arg-type]
            history.commit_run(make_summary(run, pr_number=8, created=number + 1.0), [])
    assert edge.find_run(config, "8")[0].run == "r-1"
    with pytest.raises(UnknownRunError, match="no run of pull request 9"):
        edge.find_run(config, "9")


def logged(config: Settings, run: str, task: str, capsys: pytest.CaptureFixture[str]) -> tuple[str, str]:
    import argparse

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(edge, "settings", lambda: config)
        assert logs.run(argparse.Namespace(run=run, task=task, follow=False, format="text")) == 0
    answer = capsys.readouterr()
    return answer.out, answer.err


def test_the_log_of_a_task_that_ended_is_the_whole_file_where_it_ran_and_else_the_ledgers_tail(
    ledger: Ledger, valkey_url: str, config: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    run = started(ledger, valkey_url, packages=1)
    ledger.start(Delivery(run, "ut-0", 1), "w", "ut:pkg/0", 60)
    ledger.append_log(run, "ut:pkg/0", ["the\ttail \x1b[2J"])
    assert logged(config, run, "ut:pkg/0", capsys)[0] == "the tail �[2J\n"
    ledger.finish(Delivery(run, "ut-0", 1), "w", TaskResult("ut:pkg/0", TaskState.FAILED, host="far"))
    assert logged(config, run, "ut:pkg/0", capsys)[0] == "the tail �[2J\n"
    folder = task_folder(Path(config.artifacts), run, "ut:pkg/0") / "1"
    folder.mkdir(parents=True)
    (folder / "log.txt").write_text("all\nof it\n")
    assert logged(config, run, "ut:pkg/0", capsys)[0] == "all\nof it\n"


def test_a_log_that_is_elsewhere_names_its_host(
    ledger: Ledger, valkey_url: str, config: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    run = started(ledger, valkey_url, packages=1)
    ledger.start(Delivery(run, "ut-0", 1), "w", "ut:pkg/0", 60)
    ledger.finish(Delivery(run, "ut-0", 1), "w", TaskResult("ut:pkg/0", TaskState.FAILED, host="far"))
    assert "it ran on far" in logged(config, run, "ut:pkg/0", capsys)[1]


def test_a_run_is_told_to_other_tools_and_a_task_alone_is_not(
    ledger: Ledger,
    config: Settings,
    valkey_url: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run = started(ledger, valkey_url)
    monkeypatch.setenv("MO_TESTPLAN_REDIS_URL", valkey_url)
    monkeypatch.setenv("MO_TESTPLAN_STATE", config.state)
    for form, sign in (("junit", "<testsuites"), ("sarif", '"2.1.0"'), ("markdown", "### mo-testplan")):
        assert main(["status", run, "--format", form]) == 0
        assert sign in capsys.readouterr().out
    assert main(["status", run, "--task", "ut:pkg/0", "--format", "junit"]) == 2
