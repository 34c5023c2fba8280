"""What runs leave on a host goes after a while, and nothing else does."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from orchestrator.cli.worker import make_bench
from orchestrator.domain.errors import BrokerError
from orchestrator.domain.profile import Profile, Retention
from orchestrator.domain.run import ShardSpec
from orchestrator.runs.control import new_run_id
from orchestrator.settings import settings_from
from tests.unit.workers.support import HOST
from tests.unit.workers.test_workspace import git
from workers import artifacts
from workers.artifacts import prune

DAY = 86400.0
ARCHIVE = f"build-{'0' * 64}.tar"


def left(store: Path, name: str, days: float) -> Path:
    """What a run left that began its last task here so many days ago."""
    folder = store / name
    (folder / "t-1" / "1").mkdir(parents=True)
    for file in (folder / "t-1" / "1" / "log.txt", folder / ARCHIVE, folder / "build.txt"):
        file.write_text("text")
    os.utime(folder, (time.time() - days * DAY,) * 2)
    return folder


def test_logs_go_after_their_time_and_what_was_built_after_two_days(tmp_path: Path) -> None:
    old, middle, young = (left(tmp_path, new_run_id(), days) for days in (31, 3, 1))
    other, link = left(tmp_path, "somebody-elses", 99), tmp_path / new_run_id()
    link.symlink_to(other)
    for _ in range(2):
        prune(tmp_path, 30, list)
        assert not old.exists()
        assert sorted(path.name for path in middle.iterdir()) == ["build.txt", "t-1"]
        assert (young / ARCHIVE).exists()
        assert (other / ARCHIVE).exists()
        (tmp_path / "pruned").unlink()
    prune(tmp_path, 2.5, list)
    assert not middle.exists(), "tidying made it no younger"


def test_a_run_that_waits_for_a_host_keeps_what_it_built_and_nothing_goes_while_nobody_knows(tmp_path: Path) -> None:
    live, ended = (left(tmp_path, new_run_id(), 31) for _ in range(2))

    def away() -> list[str]:
        raise BrokerError("Redis does not answer")

    prune(tmp_path, 30, away)
    assert ended.exists()
    (tmp_path / "pruned").unlink()
    prune(tmp_path, 30, lambda: [live.name])
    assert not ended.exists()
    assert (live / ARCHIVE).exists()


def test_a_store_is_looked_at_once_an_hour(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    prune(tmp_path, 30, list)
    old = left(tmp_path, new_run_id(), 31)
    prune(tmp_path, 30, list)
    assert old.exists()
    monkeypatch.setattr(artifacts, "_EVERY", 0.0)
    prune(tmp_path, 30, list)
    assert not old.exists()


def test_a_store_that_is_not_there_is_no_error(tmp_path: Path) -> None:
    prune(tmp_path / "none", 30, list)
    assert list(tmp_path.iterdir()) == [], "nor is it made"


def test_a_worker_that_gives_a_tree_back_looks_at_its_store(valkey_url: str, tmp_path: Path) -> None:
    repository = tmp_path / "clone"
    git(tmp_path, "init", "-q", str(repository))
    git(repository, "commit", "-q", "--allow-empty", "-m", "one")
    config = settings_from({"MO_TESTPLAN_STATE": str(tmp_path), "MO_TESTPLAN_REDIS_URL": valkey_url})
    old = left(Path(config.artifacts), new_run_id(), 9)
    profile = Profile(name="demo", repository=str(repository), retention=Retention(cases_days=8))
    bench = make_bench(config, {"demo": profile}, HOST)
    spec = ShardSpec(new_run_id(), "ut-1", "demo", git(repository, "rev-parse", "HEAD"), ())
    _, give_back = bench.checkout(profile, spec, lambda: False)
    assert old.exists()
    give_back()
    assert not old.exists()
