"""A server that a profile starts may be built from the tree under test, so it gets the sandbox that tests get."""

from __future__ import annotations

from pathlib import Path

from orchestrator.domain.plan import Priority, Suite, TestTask
from orchestrator.domain.profile import Bvt, Profile, Server
from tests.unit.workers.support import Record, make_job
from workers.sandbox import Sandbox
from workers.suites.bvt import launch_of


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
