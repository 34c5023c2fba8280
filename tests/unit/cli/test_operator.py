"""What an operator types, good and bad, with a real ledger and history: clear words, one exit code a meaning."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from orchestrator import __version__
from orchestrator.cli.main import main
from orchestrator.domain.errors import UnknownRunError
from orchestrator.domain.plan import LABEL
from orchestrator.domain.run import RunState, TaskResult, TaskState
from orchestrator.ledger import keys
from orchestrator.ledger.client import Ledger
from orchestrator.ledger.hosts import Host, HostRecord
from orchestrator.messaging import host_label, make_app
from orchestrator.planner.encode import dumps
from orchestrator.runs import control
from orchestrator.runs.hosts import machine, named, waiting_for
from orchestrator.store import Store
from tests.factories import make_plan, make_task
from tests.unit.store.factories import make_message, make_summary


@pytest.fixture
def ledger(valkey_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Ledger:
    monkeypatch.setenv("MO_TESTPLAN_REDIS_URL", valkey_url)
    monkeypatch.setenv("MO_TESTPLAN_STATE", str(tmp_path))
    monkeypatch.setenv("MO_TESTPLAN_STORE_URL", f"sqlite:///{tmp_path}/history.sqlite")
    client = Ledger(valkey_url)
    client.redis.flushall()
    return client


@pytest.fixture
def run(ledger: Ledger, valkey_url: str) -> str:
    """Two tasks; the first one runs."""
    name = control.start(
        make_app(valkey_url), ledger, make_plan([make_task("pkg/a", "ut-1"), make_task("pkg/b", "ut-2")])
    )
    delivery = ledger.delivery(name, "ut-1")
    assert delivery is not None
    assert ledger.start(delivery, "build7:1", "ut:pkg/a", 30)[0].value == "ok"
    return name


def typed(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    """Exit code, stdout and stderr of a command."""
    code = main(list(words))
    said = capsys.readouterr()
    return code, said.out, said.err


def ended(folder: Path) -> None:
    """Run r-1, in the history alone."""
    with Store(f"sqlite:///{folder}/history.sqlite") as store:
        text = dumps(make_plan()).decode()
        store.record_plan("r-1", text, parent=None, pr_number=7, profile="demo", repo_commit=None, created=1.0)
        store.commit_run(make_summary("r-1", RunState.PASSED), [make_message("r-1")])


def host(name: str, *queues: str, state: str = "active") -> HostRecord:
    return HostRecord(name=name, version=__version__, scheme=keys.SCHEME, queues=queues, concurrency=1, state=state)


def test_a_task_that_runs_and_says_nothing_is_not_said_to_be_lost(run: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert "ut:pkg/a runs and has said nothing yet" in typed(capsys, "logs", run, "--task", "ut:pkg/a")[2]
    assert "ut:pkg/b has not started" in typed(capsys, "logs", run, "--task", "ut:pkg/b")[2]
    code, out, _ = typed(capsys, "status", run, "--task", "ut:pkg/a")
    assert (code, out.splitlines()[0].strip()) == (0, "running: ut:pkg/a")


def test_the_exit_code_of_a_run_that_goes_on_is_that_of_no_verdict_and_its_state_says_why(
    run: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, _ = typed(capsys, "status", run, "--exit-code", "--format", "json")
    assert (code, json.loads(out)["state"]) == (3, "running")


def test_a_run_that_goes_on_has_no_end(run: str, capsys: pytest.CaptureFixture[str]) -> None:
    document = json.loads(typed(capsys, "status", run, "--format", "json")[1])
    assert (document["state"], document["ended"]) == ("running", None)


def test_one_shard_waits_and_is_next(run: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert "1 shard waits in queue ut, it is next" in typed(capsys, "status", run)[1]


def test_a_host_is_named_by_its_machine_where_one_worker_is_on_it() -> None:
    hosts = [Host(name, None, 0.0) for name in ("ut@build7", "ut@build8", "bvt@build8")]
    assert [named(hosts, name).name for name in ("build7", "bvt", "ut@build8")] == [
        "ut@build7",
        "bvt@build8",
        "ut@build8",
    ]
    for several in ("build8", "ut"):
        with pytest.raises(UnknownRunError, match="may mean several hosts"):
            named(hosts, several)
    with pytest.raises(UnknownRunError, match="there is no host 'build'"):
        named(hosts, "build")


def test_a_profile_of_runs_may_be_named_by_its_file(
    run: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "p.yaml").write_text("name: demo")
    for words in (["runs"], ["cancel", "--pr", "7"]):
        assert run in "".join(typed(capsys, *words, "--profile", str(tmp_path / "p.yaml"))[1:])


@pytest.mark.parametrize("command", ["status", "watch", "cancel", "rerun"])
def test_an_empty_name_is_said_to_be_empty(ledger: Ledger, command: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = typed(capsys, command, "")
    assert (code, "is empty" in err) == (2, True)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--task", "ut:nope"), "has no task 'ut:nope'"),
        (("--pr", "7"), "two ways to say what to cancel"),
        (("--profile", "demo"), "--profile goes with --pr"),
    ],
)
def test_a_cancel_of_something_unclear_cancels_nothing(
    ledger: Ledger, run: str, words: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code, _, err = typed(capsys, "cancel", run, *words)
    assert (code, said in err) == (2, True)
    assert set(ledger.states(run).values()) == {TaskState.RUNNING, TaskState.PENDING}


def test_runs_are_found_by_state_and_profile_live_or_ended(
    run: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with Store(f"sqlite:///{tmp_path}/history.sqlite") as store:
        for name, state, profile in (("r-1", RunState.PASSED, "demo"), ("r-2", RunState.FAILED, "shop")):
            store.commit_run(make_summary(name, state, profile=profile), [make_message(name)])

    def listed(*words: str) -> set[str]:
        return {row["run"] for row in json.loads(typed(capsys, "runs", "--format", "json", *words)[1])}

    assert listed() == {run, "r-1", "r-2"}
    assert listed("--state", "failed") == {"r-2"}
    assert listed("--state", "running") == {run}
    assert listed("--profile", "demo") == {run, "r-1"}
    assert listed("--profile", "shop", "--state", "passed") == set()
    assert "shop" in typed(capsys, "runs")[1], "runs of several profiles say whose they are"
    assert "shop" not in typed(capsys, "runs", "--profile", "shop")[1]
    code, out, err = typed(capsys, "runs", "--pr", "999")
    assert (code, out, err.strip()) == (0, "", "no run is like that")


def test_a_detached_run_says_which_queue_nobody_serves(
    ledger: Ledger, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "plan.json"
    file.write_bytes(dumps(make_plan()))
    code, out, err = typed(capsys, "run", str(file), "--detach")
    assert (code, out.strip() in ledger.active()) == (0, True)
    assert "queue ut: no worker host serves it now" in err
    ledger.host_beat(host("one@build7", "ut"))
    assert typed(capsys, "run", str(file), "--detach")[2] == ""


def test_a_rerun_on_a_host_that_is_not_there_is_refused(
    ledger: Ledger, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ended(tmp_path)
    ledger.host_beat(host("one@build7", "ut", "ut.at-build7"))
    code, _, err = typed(capsys, "rerun", "r-1", "--on", "build8", "--detach")
    assert (code, ledger.active()) == (2, [])
    assert "no worker host is called 'build8'" in err
    assert "build7" in err
    code, _, err = typed(capsys, "rerun", "r-1", "--profile", "other.yaml", "--detach")
    assert (code, ledger.active(), "--profile and --repo go with --local" in err) == (2, [], True)
    assert typed(capsys, "rerun", "r-1", "--on", "one@build7", "--detach")[0] == 0


@pytest.mark.parametrize(
    "pods",
    [
        [f"mo-testplan-worker-production-7d9f8b6c5-{end}" for end in ("abcde", "fghij")],
        ["build.seven", "build-seven", "build_seven"],
    ],
)
def test_a_host_with_a_name_that_is_no_label_can_be_sent_a_rerun_and_shares_its_queue_with_no_other(
    ledger: Ledger, tmp_path: Path, pods: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    ended(tmp_path)
    labels = {pod: host_label(pod) for pod in pods}
    assert len(set(filter(LABEL.fullmatch, labels.values()))) == len(pods)
    for pod in pods:
        ledger.host_beat(host(f"one@{pod}", "ut", f"ut.{labels[pod]}"))
    assert typed(capsys, "rerun", "r-1", "--on", pods[0], "--detach")[0] == 0
    assert [one.queue for one in ledger.current([(run, "ut-1") for run in ledger.active()])] == [
        f"ut.{labels[pods[0]]}"
    ]


def test_what_a_host_says_of_itself_is_obeyed_by_no_terminal(
    ledger: Ledger, capsys: pytest.CaptureFixture[str]
) -> None:
    ledger.host_beat(host("one@\x1b[2J", "\x1b]0;q\x07", state="paused\x1b"))
    code, out, _ = typed(capsys, "hosts")
    assert (code, len(out.splitlines()), "\x1b" in out) == (0, 1, False)


def test_the_log_of_a_task_whose_name_the_history_cut_is_asked_for_by_that(
    ledger: Ledger, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    long = "ut:" + "x" * 1100
    with Store(f"sqlite:///{tmp_path}/history.sqlite") as store:
        text = dumps(make_plan([make_task("x" * 1100)])).decode()
        store.record_plan("r-1", text, parent=None, pr_number=7, profile="demo", repo_commit=None, created=1.0)
        result = TaskResult(long, TaskState.PASSED)
        store.commit_run(make_summary("r-1", RunState.PASSED, tasks=(result,)), [make_message("r-1")])
    code, _, err = typed(capsys, "logs", "r-1", "--task", long)
    assert code == 2
    assert "x…." in err, "it is among the known ones"
    assert typed(capsys, "logs", "r-1", "--task", long[:999] + "…")[0] == 0


def test_only_hosts_that_take_work_serve_a_queue(ledger: Ledger) -> None:
    for record in (host("a@x", "ut", state="pause"), host("b@y", "bvt", "bvt.at-y")):
        ledger.host_beat(record)
    hosts = ledger.hosts()
    assert waiting_for(hosts, {"ut", "bvt", "sca"}) == ["sca", "ut"]
    assert machine(hosts, "y") == machine(hosts, "b@y") == machine(hosts, "y:99") == "y"


def test_a_log_is_one_document_as_json_and_lines_as_text(
    ledger: Ledger, run: str, capsys: pytest.CaptureFixture[str]
) -> None:
    ledger.append_log(run, "ut:pkg/a", ["one", "two\x1b[31m"])
    document = json.loads(typed(capsys, "logs", run, "--task", "ut:pkg/a", "--format", "json")[1])
    assert (document["task"], document["state"], document["lines"]) == ("ut:pkg/a", "running", ["one", "two\x1b[31m"])
    assert typed(capsys, "logs", run, "--task", "ut:pkg/a")[1].splitlines() == ["one", "two\ufffd[31m"]
    code, out, err = typed(capsys, "logs", run, "--task", "ut:pkg/a", "--follow", "--format", "json")
    assert (code, out, "JSON is one document" in err) == (2, "", True)


def test_a_cancel_as_json_says_what_it_did(ledger: Ledger, run: str, capsys: pytest.CaptureFixture[str]) -> None:
    part = json.loads(typed(capsys, "cancel", run, "--task", "ut:pkg/b", "--wait", "--format", "json")[1])
    assert (part["cancelled"], part["tasks"], part["still_running"]) == ([run], ["ut:pkg/b"], [])
    assert ledger.states(run)["ut:pkg/b"] is TaskState.CANCELLED
    assert json.loads(typed(capsys, "cancel", run, "--format", "json")[1]) == {"cancelled": [run], "tasks": "all"}
    nothing = json.loads(typed(capsys, "cancel", "--pr", "999", "--format", "json")[1])
    assert nothing == {"cancelled": [], "tasks": "all"}


def test_a_cancel_of_what_has_ended_says_how_it_ended(
    ledger: Ledger, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ended(tmp_path)
    code, out, err = typed(capsys, "cancel", "r-1", "--format", "json")
    assert (code, json.loads(out)["ended_already"]) == (0, "passed")
    assert "has ended already: passed" in err
