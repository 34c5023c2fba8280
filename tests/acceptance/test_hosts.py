"""Workers and a control process as services on Debian's Redis: what operators start, and what may go wrong there."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from orchestrator import __version__
from orchestrator.ledger import keys
from orchestrator.ledger.client import Ledger
from orchestrator.ledger.hosts import HostRecord
from orchestrator.messaging import make_app
from tests.acceptance.project import Project, make_project
from tests.acceptance.servers import redis_server, service
from tests.postgres import new_database, postgres_server
from tests.require import require
from tests.waiting import until
from workers.servers.owned import free_port

PASS = "if It() != 2 { t.Fatal(It()) }"
#: Passes once the tree has a file called ``go``: see :func:`let_pass`.
WAITS = 'for { if _, err := os.Stat("../go"); err == nil { break }; time.Sleep(50 * time.Millisecond) }'


@pytest.fixture
def url(tmp_path: Path) -> Iterator[str]:
    require("redis", "go")
    folder = tmp_path / "redis"
    folder.mkdir()
    with redis_server(folder) as address:
        yield address


def project_on(url: str, folder: Path, bodies: dict[str, str]) -> Project:
    project = make_project(folder / "project", bodies, timeout=170)
    project.environ["MO_TESTPLAN_REDIS_URL"] = url
    return project


@contextlib.contextmanager
def hosts(project: Project, url: str, names: list[str]) -> Iterator[dict[str, subprocess.Popen[bytes]]]:
    """A control process and workers of these names, ready."""
    env, logs = project.environment(), project.root
    with contextlib.ExitStack() as stack:
        stack.enter_context(service("control", "--profile", "mini", env=env, log=logs / "control.log"))
        workers = {
            name: stack.enter_context(
                service("worker", "--name", name, "--unsafe-no-sandbox", env=env, log=logs / f"{name}.log")
            )
            for name in names
        }
        app = make_app(url)
        until(lambda: len(app.control.ping(timeout=0.5) or []) > len(names), "every service answers")
        yield workers


def test_a_run_on_two_workers_is_told_in_one_summary_and_flower_lists_them(url: str, tmp_path: Path) -> None:
    require("flower")
    project = project_on(url, tmp_path, dict.fromkeys("abcd", PASS))
    port = free_port()
    env = project.environment({"MO_TESTPLAN_FLOWER_AUTH": "operator:secret"})
    flower = service("flower", "--port", str(port), env=env, log=project.root / "flower.log")
    with hosts(project, url, ["one", "two"]), flower:
        until(lambda: _flower(port, "workers?refresh=1"), "flower answers")
        code, summary = project.run_json("run", *project.change())
        assert (code, summary["state"], len(summary["tasks"])) == (0, "passed", 4)
        names = {name.partition("@")[0] for name in _flower(port, "workers?refresh=1")}
        assert {"one", "two"} <= names
        until(lambda: _succeeded(port, summary["run"]) == 4, "flower lists the finished shards")
        assert _flower(port, "tasks", auth="operator:wrong") == {}


def _flower(port: int, path: str, auth: str = "operator:secret") -> dict[str, dict[str, str]]:
    import base64

    request = urllib.request.Request(f"http://127.0.0.1:{port}/api/{path}")
    request.add_header("Authorization", "Basic " + base64.b64encode(auth.encode()).decode())
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:  # noqa: S310 - http on the loopback
            rows: dict[str, dict[str, str]] = json.load(answer)
            return rows
    except OSError:
        return {}


def started_command(project: Project, *words: str) -> subprocess.Popen[str]:
    """``mo-testplan WORDS``, running."""
    words = (sys.executable, "-m", "orchestrator", *words)
    return subprocess.Popen(words, env=project.environment(), stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def hear(process: subprocess.Popen[str], words: str) -> None:
    """Read what it says to a person until it says this."""
    assert process.stderr is not None
    line = ""
    while words not in line:
        line = process.stderr.readline()
        assert line, f"it ended before it said: {words}"


def _succeeded(port: int, run: str) -> int:
    rows = _flower(port, "tasks?limit=100")
    return sum(row["state"] == "SUCCESS" and row["uuid"].startswith(f"{run}|") for row in rows.values())


def test_a_killed_worker_loses_nothing_and_the_run_ends_with_one_summary(url: str, tmp_path: Path) -> None:
    project = project_on(url, tmp_path, dict.fromkeys("ab", WAITS))
    with hosts(project, url, ["one", "two"]) as workers:
        started = project.command("run", *project.change(), "--detach")
        run = started.stdout.strip()
        ledger = Ledger(url)
        until(lambda: _running(ledger, run) == 2, "both run")
        watching = started_command(project, "watch", run, "--format", "json")
        hear(watching, "0/2 tasks")
        workers["one"].kill()
        let_pass(project)
        out, err = watching.communicate()
        summary = json.loads(out)
        assert (watching.returncode, summary["state"]) == (0, "passed"), err
        assert sorted(task["attempt"] for task in summary["tasks"]) == [1, 2]
        assert "went silent" in err


def _running(ledger: Ledger, run: str) -> int:
    return sum(state.value == "running" for state in ledger.states(run).values())


def test_a_cancel_ends_what_runs_and_starts_nothing_more(url: str, tmp_path: Path) -> None:
    project = project_on(url, tmp_path, dict.fromkeys("abc", "time.Sleep(time.Hour)"))
    with hosts(project, url, ["one"]):
        run = project.command("run", *project.change(), "--detach").stdout.strip()
        ledger = Ledger(url)
        until(lambda: _running(ledger, run) == 1, "one runs")
        project.command("cancel", run[:8])
        done = project.command("watch", run, "--format", "json")
        summary = json.loads(done.stdout)
        assert (done.returncode, summary["state"]) == (4, "cancelled")
        assert {task["state"] for task in summary["tasks"]} == {"cancelled"}
        assert sorted(task["attempt"] for task in summary["tasks"]) == [0, 0, 1]


def test_a_queue_without_a_worker_is_said_and_waited_for(url: str, tmp_path: Path) -> None:
    project = project_on(url, tmp_path, {"a": PASS})
    watching = started_command(project, "run", *project.change())
    hear(watching, "no worker serves queue 'ut'")
    with hosts(project, url, ["late"]):
        out, _ = watching.communicate()
    assert watching.returncode == 0
    assert "PASSED" in out


def test_ctrl_c_only_stops_watching_a_remote_run(url: str, tmp_path: Path) -> None:
    project = project_on(url, tmp_path, {"a": PASS})
    watching = started_command(project, "run", *project.change())
    ledger = Ledger(url)
    hear(watching, "0/1 tasks")
    watching.send_signal(signal.SIGINT)
    _, err = watching.communicate()
    assert watching.returncode == 130
    assert f"mo-testplan cancel {ledger.active()[0]}" in err


def test_a_broker_that_is_away_is_exit_3_with_a_remedy(tmp_path: Path) -> None:
    require("go")
    project = project_on("redis://127.0.0.1:1/0", tmp_path, {"a": PASS})
    done = project.command("run", *project.change())
    assert done.returncode == 3
    assert "MO_TESTPLAN_REDIS_URL" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_broker_that_goes_away_in_mid_run_comes_back_to_a_run_that_ends(tmp_path: Path) -> None:
    require("redis", "go")
    folder, port = tmp_path / "redis", free_port()
    folder.mkdir()
    url = f"redis://127.0.0.1:{port}/0"
    project = project_on(url, tmp_path, {"a": WAITS, "b": WAITS})
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(contextlib.ExitStack())
        server.enter_context(redis_server(folder, port))
        stack.enter_context(hosts(project, url, ["one"]))
        run = project.command("run", *project.change(), "--detach").stdout.strip()
        until(lambda: _running(Ledger(url), run) == 1, "one runs")
        time.sleep(1.2)  # what Redis was told a second ago is on disk
        server.close()
        let_pass(project)  # the test ends while nobody can be told
        time.sleep(3)
        stack.enter_context(redis_server(folder, port))
        done = project.command("watch", run, "--format", "json")
        summary = json.loads(done.stdout)
        assert (done.returncode, summary["state"], len(summary["tasks"])) == (0, "passed", 2), done.stderr


def test_a_second_control_process_on_one_sqlite_history_is_refused(url: str, tmp_path: Path) -> None:
    project = project_on(url, tmp_path, {"a": PASS})
    with hosts(project, url, []):
        done = project.command("control", "--profile", "mini")
    assert done.returncode == 2
    assert "PostgreSQL" in done.stderr


def test_a_control_process_with_another_history_is_refused_while_the_first_lives(url: str, tmp_path: Path) -> None:
    project = project_on(url, tmp_path, {"a": PASS})
    other = {"MO_TESTPLAN_STORE_URL": f"sqlite:///{tmp_path}/other.sqlite"}
    with hosts(project, url, []):
        done = project.command("control", "--profile", "mini", **other)
    assert done.returncode == 2
    assert f"keeps the history in {project.root}/state/history.sqlite on " in done.stderr
    with service("control", "--profile", "mini", env=project.environment(other), log=tmp_path / "other.log"):
        until(lambda: make_app(url).control.ping(timeout=0.5), "it answers", seconds=60)


def test_of_two_histories_in_postgresql_one_is_refused(url: str, tmp_path: Path) -> None:
    project = project_on(url, tmp_path, {"a": PASS})
    with postgres_server() as server:
        mine = {"MO_TESTPLAN_STORE_URL": new_database(server)}
        words = ["control", "--profile", "mini"]
        with service(*words, env=project.environment(mine), log=tmp_path / "first.log"):
            until(lambda: make_app(url).control.ping(timeout=0.5), "the first answers", seconds=60)
            done = project.command(*words, MO_TESTPLAN_STORE_URL=new_database(server))
            assert (done.returncode, "keeps the history in schema public of database " in done.stderr) == (2, True)
            with service(*words, env=project.environment(mine), log=tmp_path / "second.log"):
                until(lambda: len(make_app(url).control.ping(timeout=0.5)) == 2, "so does one beside it", seconds=60)


def test_a_control_process_ends_when_a_newer_version_has_taken_the_ledger_over(url: str, tmp_path: Path) -> None:
    project = project_on(url, tmp_path, {"a": PASS})
    log = tmp_path / "control.log"
    with service("control", "--profile", "mini", env=project.environment(), log=log) as control:
        until(lambda: make_app(url).control.ping(timeout=0.5), "it answers", seconds=60)
        Ledger(url).redis.set(keys.SCHEME_OF, keys.SCHEME + 1)
        assert control.wait(60) == 3
    assert "Update mo-testplan on this host" in log.read_text()


def started(project: Project, run: str) -> dict[str, str]:
    """Tasks of a run that are not pending, and their states."""
    _, summary = project.run_json("status", run)
    return {task["task"]: task["state"] for task in summary["tasks"] if task["state"] != "pending"}


def states(project: Project) -> dict[str, dict[str, Any]]:
    """What `hosts` says, by name before the @."""
    done = project.command("hosts", "--format", "json")
    assert done.returncode == 0, done.stderr
    return {row["name"].partition("@")[0]: row for row in json.loads(done.stdout)}


def test_a_drained_host_finishes_takes_nothing_new_and_a_paused_one_resumes(url: str, tmp_path: Path) -> None:
    project = project_on(url, tmp_path, dict.fromkeys("ab", WAITS))
    with hosts(project, url, ["one", "two"]) as workers:
        until(lambda: len(Ledger(url).hosts()) == 2, "both hosts have said what they are")
        until(lambda: states(project)["one"]["faults"] == [], "nothing is the matter")
        assert project.command("hosts", "pause", "two", "--why", "new disk").returncode == 0
        assert "new disk" in states(project)["two"]["faults"][0]
        run = project.command("run", *project.change(), "--detach").stdout.strip()
        until(lambda: states(project)["one"]["record"]["running"], "the other host runs something")
        assert project.command("hosts", "drain", "one").returncode == 0
        begun = started(project, run)
        let_pass(project)
        workers["one"].wait(60)
        assert started(project, run) == dict.fromkeys(begun, "passed"), "it finished what it had, took nothing new"
        assert len(begun) == 1
        assert "one" not in states(project)
        assert project.command("hosts", "resume", "two").returncode == 0
        assert project.command("watch", run).returncode == 0
        kept = edge_audit(project)
        assert {("hosts pause", "two"), ("hosts drain", "one"), ("run", run)} <= kept


def let_pass(project: Project) -> None:
    """End what :data:`WAITS`, by a mark in the trees that tests see."""
    runs = project.root / "state" / "workspaces" / "runs"
    until(lambda: list(runs.glob("*/complete.json")), "what runs has its tree")  # it counts as running before
    for tree in runs.glob("*/tree"):
        (tree / "go").touch()


def edge_audit(project: Project) -> set[tuple[str, str]]:
    """(action, target before an @) of the audit log."""
    from orchestrator.store import Store

    with Store(f"sqlite:///{project.root / 'state' / 'history.sqlite'}") as store:
        until(lambda: len(store.audit_log()) >= 4, "the deeds are in the log")
        return {(entry.action, entry.target.partition("@")[0]) for entry in store.audit_log()}


def test_a_removed_host_gives_back_what_it_ran(url: str, tmp_path: Path) -> None:
    # The first attempt leaves a mark in the tree, which is the run's, and hangs; the second one passes.
    hangs = f'if os.Mkdir("begun", 0o700) == nil {{ {WAITS} }}'
    project = project_on(url, tmp_path, {"a": hangs})
    with hosts(project, url, ["one", "two"]):
        until(lambda: len(Ledger(url).hosts()) == 2, "both hosts have said what they are")
        project.command("hosts", "pause", "two")
        run = project.command("run", *project.change(), "--detach").stdout.strip()
        until(lambda: any((project.root / "state").rglob("begun")), "the host runs it")
        assert project.command("hosts", "remove", "one").returncode == 0
        project.command("hosts", "resume", "two")
        assert project.command("watch", run).returncode == 0
        (task,) = project.run_json("status", run)[1]["tasks"]
        assert (task["state"], task["attempt"]) == ("passed", 2)


def test_hosts_that_are_old_silent_or_of_another_scheme_are_told_apart(url: str, tmp_path: Path) -> None:
    project = project_on(url, tmp_path, {"a": PASS})
    ledger = Ledger(url)
    base = HostRecord(name="old@h", version="0.0.1", scheme=keys.SCHEME, queues=("ut",), concurrency=1)
    ledger.host_beat(base)
    ledger.host_beat(dataclasses.replace(base, name="full@h", version=__version__, state="full", why="no room"))
    ledger.redis.hset(keys.HOSTS, "next@h", json.dumps({"name": "next@h", "scheme": 99, "racks": 7}))
    ledger.redis.zadd(keys.HOST_BEATS, {"next@h": 0.0})
    found = {name: " ".join(row["faults"]) for name, row in states(project).items()}
    assert "version 0.0.1" in found["old"]
    assert "full: no room" in found["full"]
    assert "ledger scheme 99" in found["next"]
    assert "silent" in found["next"]
    assert project.command("hosts", "remove", "next").returncode == 0
    assert "next" not in states(project)
    done = project.command("hosts", "drain", "nobody")
    assert (done.returncode, "no host" in done.stderr) == (2, True)


def test_hosts_are_listed_by_a_redis_that_is_full(url: str) -> None:
    ledger = Ledger(url, retries=0)
    ledger.host_beat(HostRecord(name="w@h", version="1", scheme=keys.SCHEME, queues=("ut",), concurrency=1))
    ledger.redis.config_set("maxmemory", "1")  # of this Redis alone: Valkey lets a transaction read
    assert [host.name for host in ledger.hosts()] == ["w@h"]


def test_a_worker_that_speaks_another_scheme_takes_no_work(url: str, tmp_path: Path) -> None:
    project = project_on(url, tmp_path, {"a": PASS})
    Ledger(url).redis.set(keys.SCHEME_OF, "99")
    done = project.command("worker", "--unsafe-no-sandbox")
    assert done.returncode == 3
    assert "scheme 99" in done.stderr
