"""A server that a profile starts may be built from the tree under test, so it gets the sandbox that tests get."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import cast

import pytest

from orchestrator.domain.errors import MoTestplanError
from orchestrator.domain.plan import Priority, Suite, TestTask
from orchestrator.domain.profile import Bvt, Profile, Server
from orchestrator.ledger.client import Ledger
from tests.unit.workers.support import Record, make_job
from tests.waiting import until
from workers.process.group import Group
from workers.process.model import Command
from workers.sandbox import Sandbox
from workers.servers.base import Launch, Startup
from workers.servers.launch import LaunchedServer
from workers.servers.owned import Ports, _Tail
from workers.sink import Sink
from workers.suites.bvt import launch_of

#: Writes more than a pipe holds.
FLOOD = "i=0; while [ $i -lt 20000 ]; do echo a line of a server that says much; i=$((i+1)); done"


def test_it_sees_the_tree_and_its_own_directory_and_writes_to_that_alone(tmp_path: Path) -> None:
    server = Server(provider="launch", command=("./server", "{port}"), files={"a": "b"})
    task = TestTask("bvt:sums", Suite.BVT, Priority.HIGH, (), category="sums")
    job = make_job(task, Profile(name="p", bvt=Bvt(server=server)), tmp_path / "tree", Record(), lambda: False)
    launch = launch_of(job, Sandbox("bwrap"))
    words = launch.wrap(("./server", "1"), tmp_path)
    assert (launch.command, launch.files, launch.workspace) == (server.command, server.files, tmp_path / "tree")
    bound = {words[at + 1]: word for at, word in enumerate(words) if word in ("--bind", "--ro-bind")}
    assert bound == {str(tmp_path / "tmp"): "--bind", str(tmp_path / "tree"): "--ro-bind", str(tmp_path): "--bind"}
    assert words[-3:] == ("--", "./server", "1")
    assert launch_of(job, None).wrap(("./server", "1"), tmp_path) == ("./server", "1")


def test_a_mariadb_is_confined_and_writes_what_scripts_export_to_the_tree(tmp_path: Path) -> None:
    what = TestTask("bvt:sums", Suite.BVT, Priority.HIGH, (), category="sums")
    profile = Profile(name="p", bvt=Bvt(server=Server(provider="mariadb")))
    job = make_job(what, profile, tmp_path / "tree", Record(), lambda: False)
    words = launch_of(job, Sandbox("bwrap")).wrap(("mariadbd",), tmp_path)
    bound = {words[at + 1]: word for at, word in enumerate(words) if word in ("--bind", "--ro-bind")}
    assert bound == {str(tmp_path / "tmp"): "--bind", str(tmp_path): "--bind", str(tmp_path / "tree"): "--bind"}


@contextmanager
def tailed(script: str, folder: Path, sink: Sink) -> Iterator[None]:
    """A server of this shell script, what it says going to ``sink``."""
    group = Group(
        Command(argv=("sh", "-c", script), cwd=folder, env={"PATH": "/usr/bin:/bin"}, timeout=60.0), lingers=True
    )
    tail = _Tail(group, sink.line)
    try:
        yield
    finally:
        tail.stop()
        group.close()


def test_a_server_that_outlives_its_first_task_may_go_on_writing(tmp_path: Path) -> None:
    sink = Sink(cast("Ledger", None), "r1", "bvt:sums", 1, tmp_path / "log")
    with tailed(f"echo up; until [ -e go ]; do sleep 0.02; done; {FLOOD}; echo > done; sleep 60", tmp_path, sink):
        until(lambda: sink._lines)
        sink.close()
        (tmp_path / "go").touch()
        until((tmp_path / "done").exists)
    assert (tmp_path / "log" / "log.txt").read_text() == "up\n"


def test_a_log_that_cannot_be_kept_does_not_keep_its_server_waiting(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    sink = Sink(cast("Ledger", None), "r1", "bvt:sums", 1, tmp_path / "file" / "log")
    with tailed(f"{FLOOD}; echo > done; sleep 60", tmp_path, sink):
        assert until((tmp_path / "done").exists)
    assert (tmp_path / "file").is_file(), "the log could not be kept"


@pytest.mark.parametrize("name", ["../out", "etc"])
def test_a_server_whose_files_cannot_be_written_leaves_no_directory(name: str) -> None:
    files = {"etc/server.toml": "x", name: "y"}
    server = LaunchedServer(Launch(("true",), files), None, Startup())
    with pytest.raises(MoTestplanError):
        server.start()
    assert not server.directory.exists()


def test_no_two_servers_of_a_host_are_given_the_same_port(monkeypatch: pytest.MonkeyPatch) -> None:
    """One that cannot listen would be taken for the other one, which answers at once."""
    offered = iter([9001, 9001, 9002, *range(9002, 9020)])
    monkeypatch.setattr("workers.servers.owned.free_port", lambda: next(offered))
    first = LaunchedServer(Launch(("true",)), None, Startup())
    try:
        values = [first._values[name] for name in ("port", *(f"port{number}" for number in range(2, 10)))]
        assert values == [str(port) for port in range(9001, 9010)]
        offered = iter([9001, 9009, 9010])
        second = Ports()
        assert second.take() == 9010
    finally:
        first.close()
    offered = iter([9001])
    assert second.take() == 9001
    second.close()
