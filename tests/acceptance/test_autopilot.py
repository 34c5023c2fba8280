"""The autopilot on a change with a bug, a flaky test and a worker that is killed: it tells them apart."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from orchestrator.autopilot.record import read
from orchestrator.cli.demo.sample import BASE, HEAD, SampleRepository
from orchestrator.ledger.client import Ledger
from orchestrator.store import Store
from tests.acceptance.project import Project, make_project
from tests.acceptance.servers import path_without_sandbox, redis_server, service
from tests.require import require
from tests.waiting import until

DEMO = Path(__file__).resolve().parents[2] / "config" / "demo.yaml"
PASS = "if It() != 2 { t.Fatal(It()) }"
BUG = 't.Fatal("a seeded bug")'
#: Fails the first time it is run, and never again.
FLAKY = """
if _, err := os.Stat("{marker}"); err != nil {{
	os.WriteFile("{marker}", []byte("seen"), 0o644)
	t.Fatal("a seeded flake")
}}
"""
#: Says that it runs, and then takes as long as a file says.
SLOW = """
os.WriteFile("{marker}", []byte("runs"), 0o644)
for i := 0; i < 1200; i++ {{
	if _, err := os.Stat("{go}"); err == nil {{ return }}
	time.Sleep(50 * time.Millisecond)
}}
"""


class Field:
    """A project whose change has four packages, and its control process; workers come and go."""

    def __init__(self, folder: Path, redis: str) -> None:
        self.folder, self.ledger = folder, Ledger(redis)
        self.slow, self.go, flaky = folder / "slow", folder / "go", folder / "flaky"
        bodies = {
            "a": PASS,
            "bug": BUG,
            "flaky": FLAKY.format(marker=flaky),
            "slow": SLOW.format(marker=self.slow, go=self.go),
        }
        self.project: Project = make_project(folder / "project", bodies)
        self.project.environ |= {"MO_TESTPLAN_REDIS_URL": redis, "PATH": path_without_sandbox(folder / "bin")}
        text = self.project.profile.read_text().replace("lease: 3", "lease: 3, attempts: 1")
        self.project.profile.write_text(text + "autopilot: {ask: '', patience: 5}\n")

    def worker(self, name: str) -> subprocess.Popen[bytes]:
        """A worker, in a session of its own."""
        words = ["worker", "--name", name, "--profile", str(self.project.profile), "--queues", "ut,sca"]
        words += ["--concurrency", "4", "--unsafe-no-sandbox"]
        with (self.folder / f"{name}.log").open("wb") as log:
            return subprocess.Popen(
                [sys.executable, "-m", "orchestrator", *words],
                env=self.project.environment(),
                stdout=log,
                stderr=log,
                start_new_session=True,
            )


@pytest.fixture
def field(tmp_path: Path) -> Iterator[Field]:
    require("redis", "go")
    (tmp_path / "redis").mkdir()
    with redis_server(tmp_path / "redis") as redis:
        field = Field(tmp_path, redis)
        env = field.project.environment()
        with service("control", "--profile", str(field.project.profile), env=env, log=tmp_path / "control.log"):
            yield field
        field.ledger.close()


def test_it_tells_a_bug_from_a_flake_and_a_killed_worker_and_its_record_replays(field: Field) -> None:
    record = field.folder / "flight.jsonl"
    words = ["autopilot", *field.project.change(), "--record", str(record), "--format", "json"]
    flight = subprocess.Popen(
        [sys.executable, "-m", "orchestrator", *words],
        env=field.project.environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    first, second = field.worker("one"), None
    try:
        until(field.slow.exists, "the slow test runs")
        until(lambda: _ended(field) == 3, "all others have ended")
        os.killpg(first.pid, signal.SIGKILL)
        first.wait()
        field.go.write_text("go")
        second = field.worker("two")
        said, words_ = flight.communicate(timeout=170)
    finally:
        for process in (first, second, flight):
            if process is not None and process.poll() is None:
                process.terminate()
                process.wait()
    assert flight.returncode == 1, words_
    _check(said, record)
    assert '"same": true' in field.project.command("autopilot", "--replay", str(record), "--format", "json").stdout
    with Store(f"sqlite:///{field.project.root}/state/history.sqlite") as store:
        deeds = [(row.who, row.action) for row in store.audit_log(50) if row.who == "autopilot"]
    assert {action for _, action in deeds} == {"run", "start", "again", "base", "verdict"}


def _ended(field: Field) -> int:
    active = field.ledger.active()
    return sum(state.final for state in field.ledger.states(active[0]).values()) if active else 0


def _check(said: str, record: Path) -> None:
    """The verdict, and that only what deserved it ran again."""
    found = json.loads(said)
    causes = {one["task"]: one["cause"] for one in found["findings"]}
    assert causes == {"ut:a/...": "passed", "ut:bug/...": "new", "ut:flaky/...": "flaky", "ut:slow/...": "passed"}
    assert (found["action"], found["state"]) == ("verdict", "failed")
    _, steps = read(record)
    assert [(step.decision.action, step.decision.tasks) for step in steps[1:]] == [
        ("again", ("ut:slow/...",)),
        ("base", ("ut:bug/...",)),
        ("verdict", ()),
    ]
    lost = [run for run in steps[-1].situation.runs for task in run.tasks if task.state == "lost"]
    assert len(lost) == 1


def test_it_proposes_cases_where_policy_lets_it(tmp_path: Path) -> None:
    require("valkey", "go")
    cases = {"first/one.sql": "create table t1 (a int);\nselect a from t1;\ndrop table t1;\n"}
    project = make_project(tmp_path / "project", {"a": PASS}, cases=cases)
    with project.profile.open("a") as file:
        file.write("autopilot: {may: [generate, run, again, base], ask: ''}\n")
    record = tmp_path / "flight.jsonl"
    words = [*project.change(), "--category", "first", "--local", "--server", "embedded", "--record", str(record)]
    done = project.command("autopilot", *words)
    _, steps = read(record)
    assert steps[0].decision.action == "generate", done.stderr
    assert steps[1].situation.proposal is not None


def test_it_flies_alone_on_this_machine_and_a_bad_record_is_an_error(tmp_path: Path) -> None:
    require("valkey", "go")
    project = make_project(tmp_path / "project", {"a": PASS})
    done = project.command("autopilot", *project.change(), "--local")
    assert (done.returncode, "PASSED" in done.stdout) == (0, True), done.stderr
    bad = project.command("autopilot", "--replay", str(project.profile))
    assert (bad.returncode, "no record" in bad.stderr) == (2, True)


def test_the_demo_s_bug_is_new_in_go_and_in_sql(tmp_path: Path) -> None:
    require("valkey", "go", "embedded-sql")
    sample = SampleRepository(tmp_path / "shop")
    sample.create()
    sample.open_pull_request()
    project, record = Project(tmp_path), tmp_path / "flight.jsonl"
    environ = {"MO_TESTPLAN_REPO": str(sample.path), "MO_TESTPLAN_CONFIG_DIR": str(DEMO.parent)}
    words = ["--repo", str(sample.path), "--base", BASE, "--head", HEAD, "--profile", str(DEMO)]
    done = project.command("autopilot", *words, "--local", "--record", str(record), "--format", "json", **environ)
    found = json.loads(done.stdout)
    causes = {one["task"]: one["cause"] for one in found["findings"]}
    assert (done.returncode, found["state"]) == (1, "failed"), done.stderr
    assert {causes["ut:pricing/..."], causes["bvt:pricing"]} == {"new"}
    assert "base" in [step.decision.action for step in read(record)[1]]
