"""What the worker writes, reads and removes where untrusted code may have planted a link or a pipe."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from orchestrator.domain.errors import InfrastructureError
from orchestrator.domain.plan import Priority, Suite, TestTask
from orchestrator.domain.profile import Bvt, Profile, Server
from orchestrator.domain.run import CaseResult, CaseStatus
from orchestrator.ledger.client import Ledger
from tests.unit.workers.support import Record, make_job
from workers.nofollow import read_file
from workers.otheruser import other_user
from workers.process import Host
from workers.process.scratch import remove_tree
from workers.shard import Resources
from workers.sink import Sink
from workers.suites.bvt import BvtSuite

#: What runs as the case runner: it looks for a way to make the worker write elsewhere.
PLANTING = """#!/bin/sh
while [ "$1" != --report ]; do shift; done
echo fine > "$2/report.txt"
for name in log.txt cases.jsonl; do ln -sf {outside} "$2/../$name"; done
mv "$2/.." "$2/../../gone"
exit 3
"""


@pytest.fixture
def place() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(dir="/var/tmp") as folder:  # others may pass through it
        Path(folder).chmod(0o711)
        yield Path(folder)


@pytest.mark.usefixtures("root")
def test_the_folder_in_which_the_worker_keeps_its_log_is_never_given_away(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    outside, runner, scratch = place / "authorized_keys", place / "python", place / "scratch"
    outside.write_text("untouched")
    runner.write_text(PLANTING.format(outside=outside))
    runner.chmod(0o755)
    (place / "runs" / "r1@abc" / "tree" / "cases" / "sums").mkdir(parents=True)
    scratch.mkdir()
    artifacts = place / "artifacts" / "r1" / "t" / "1"
    server = SimpleNamespace(start=lambda: "mysql://dump:111@127.0.0.1:1", close=lambda: None)
    monkeypatch.setattr("workers.suites.bvt.make_server", lambda *_, **__: server)
    monkeypatch.setattr("workers.suites.bvt._SOURCES", place)
    monkeypatch.setattr(sys, "executable", str(runner))
    monkeypatch.setattr(sys, "prefix", str(place))
    monkeypatch.setattr(sys, "base_prefix", str(place))
    task = TestTask("t", Suite.BVT, Priority.HIGH, (), category="sums")
    profile = Profile(name="p", bvt=Bvt(cases="cases", server=Server(provider="dsn", dsn="mysql://dump:111@127.0.0.1")))
    job = make_job(
        task, profile, place / "runs" / "r1@abc" / "tree", Record(), artifacts=artifacts, resources=Resources()
    )
    host = Host(environment=dict(os.environ), sandbox=other_user("70000-70099"), scratch=scratch)
    with pytest.raises(InfrastructureError):  # exit status 3
        BvtSuite(host).execute(job)
    assert (artifacts / "bvt" / "report.txt").read_text() == "fine\n", "the runner writes its reports"
    assert sorted(path.name for path in artifacts.iterdir()) == ["bvt"]
    assert outside.read_text() == "untouched"


@pytest.mark.parametrize("name", ["log.txt", "cases.jsonl"])
def test_the_log_of_an_attempt_is_not_written_through_a_link(tmp_path: Path, name: str) -> None:
    outside = tmp_path / "outside"
    outside.write_text("untouched")
    (tmp_path / "1").mkdir()
    (tmp_path / "1" / name).symlink_to(outside)
    sink = Sink(Ledger("redis://127.0.0.1:1"), "r", "t", 1, tmp_path / "1")
    with pytest.raises(InfrastructureError, match="cannot be kept"):
        sink.line("evil") if name == "log.txt" else sink.case(CaseResult("TestA", CaseStatus.PASSED))
    sink.close()
    assert outside.read_text() == "untouched"


def test_a_report_is_read_only_where_it_is_a_file_and_no_link_is_on_the_way(tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "report").write_text("12345")
    (tmp_path / "way").symlink_to("home")
    (tmp_path / "home" / "link").symlink_to("report")
    os.mkfifo(tmp_path / "home" / "pipe")
    assert read_file(tmp_path, "home", "report", limit=5) == b"12345"
    assert read_file(tmp_path, "home", "report", limit=4) == b""
    for names in (("way", "report"), ("home", "link"), ("home", "pipe"), ("home", "none")):
        with pytest.raises(OSError, match=r".+"):
            read_file(tmp_path, *names, limit=5)


@pytest.mark.usefixtures("root")
def test_root_does_not_try_by_path_to_remove_what_could_not_be_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A test swaps a directory for a link as soon as a removal in it has failed."""
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "file").write_text("untouched")
    (tmp_path / "tree" / "sub").mkdir(parents=True)
    (tmp_path / "tree" / "sub" / "file").write_text("")
    unlink = os.unlink

    def fail(path: str, *, dir_fd: int | None = None) -> None:
        if dir_fd is None:
            return unlink(path)
        (tmp_path / "tree" / "sub").rename(tmp_path / "tree" / "moved")
        (tmp_path / "tree" / "sub").symlink_to(tmp_path / "outside")
        raise FileNotFoundError(path)

    monkeypatch.setattr(os, "unlink", fail)
    remove_tree(tmp_path / "tree")
    assert (tmp_path / "outside" / "file").read_text() == "untouched"
