"""The limits and queues that an operator gives a worker."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.cli.confine import guard_redis
from orchestrator.cli.main import main
from orchestrator.cli.worker import limits_of, make_bench
from orchestrator.domain.errors import InfrastructureError, UsageError
from orchestrator.domain.profile import Profile
from orchestrator.domain.run import ShardSpec
from orchestrator.settings import Settings, settings_from
from tests.acceptance.servers import redis_server
from tests.require import require
from workers.process import Host


def test_what_is_not_named_is_as_it_ships() -> None:
    limits = limits_of([])
    assert (limits.processes, limits.disk_reserve, limits.memory) == (4096, 1 << 30, None)


def test_sizes_are_numbers_with_a_letter_and_nothing_is_no_limit() -> None:
    limits = limits_of(["memory=8G", "cpu=600", "disk=0", "file=512M"])
    assert (limits.memory, limits.cpu, limits.disk_reserve, limits.file_size) == (8 << 30, 600, None, 512 << 20)


def test_a_test_whose_output_has_no_limit_may_write() -> None:
    assert limits_of(["output=0"]).output > 1 << 60


@pytest.mark.parametrize("word", ["memroy=1G", "memory", "memory=much", "memory=-1", "memory=1.5G"])
def test_what_is_no_limit_says_so(word: str) -> None:
    with pytest.raises(UsageError, match=f"--limit {word}"):
        limits_of([word])


@pytest.mark.parametrize("queue", ["ut.GPU", "ut.", "bvt.a b"])
def test_a_label_that_no_plan_can_name_is_refused(queue: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["worker", "--queues", queue, "--unsafe-no-sandbox"]) == 2
    assert f"no plan can name the queue {queue!r}" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("variable", "code", "says"),
    [
        ("MO_TESTPLAN_GOCACHE_SEED", 2, "MO_TESTPLAN_GOCACHE_SEED"),
        ("MO_TESTPLAN_REPO", 3, "/none is no git repository"),
    ],
)
def test_a_folder_that_is_not_there_is_said_before_every_shard_fails_of_it(
    variable: str,
    code: int,
    says: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.setenv("MO_TESTPLAN_REDIS_URL", "redis://127.0.0.1:1/0")
    monkeypatch.setenv("MO_TESTPLAN_STATE", str(tmp_path))
    monkeypatch.setenv(variable, str(tmp_path / "none"))
    assert main(["worker", "--unsafe-no-sandbox"]) == code
    assert says in capsys.readouterr().err


def test_a_host_that_was_told_of_no_clone_leaves_its_tasks_to_others(valkey_url: str, tmp_path: Path) -> None:
    config = settings_from({"MO_TESTPLAN_STATE": str(tmp_path), "MO_TESTPLAN_REDIS_URL": valkey_url})
    bench = make_bench(config, {}, Host(environment={}))
    spec = ShardSpec("r", "ut-1", "p", "abc1234", ())
    with pytest.raises(InfrastructureError, match="names no repository"):
        bench.checkout(Profile(name="p"), spec, lambda: False)


def test_a_server_of_a_pull_request_is_kept_from_a_redis_without_a_password(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    require("redis", "bubblewrap")
    profile = tmp_path / "p.yaml"
    profile.write_text("name: p\nbvt: {server: {provider: launch, command: [server]}}\n")
    monkeypatch.setenv("MO_TESTPLAN_STATE", str(tmp_path))
    with redis_server(tmp_path) as url:
        monkeypatch.setenv("MO_TESTPLAN_REDIS_URL", url)
        assert main(["worker", "--queues", "bvt.gpu", "--profile", str(profile)]) == 2
        guard_redis(Settings(redis_url=url), [Profile(name="q")])
    assert "profile 'p' launches reach this Redis, which asks nobody for a password" in capsys.readouterr().err
