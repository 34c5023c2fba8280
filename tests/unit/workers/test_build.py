"""The build step: once a run, whoever asks, on however many hosts that share an artifact store."""

from __future__ import annotations

import itertools
import os
import shutil
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from orchestrator.domain.errors import BrokerError, CancelledError, InfrastructureError, WorkspaceError
from orchestrator.domain.profile import Build
from orchestrator.domain.run import RunState
from orchestrator.ledger import keys
from orchestrator.ledger.client import Ledger
from orchestrator.ledger.embedded import EmbeddedRedis
from orchestrator.settings import Settings, check_profile
from tests.full import disk_full
from tests.require import require
from tests.waiting import until
from workers import build as build_step
from workers.build import Builder, BuildFailedError
from workers.process import Host, Limits
from workers.suites.execution import Execution

#: Leaves a mark each time it runs, takes a moment, and makes a directory with a program in it.
COMMAND = "echo run >>marks; sleep 0.3; mkdir -p bin; printf 'made of %s' \"$(cat source)\" >bin/server"
BUILD = Build(command=("sh", "-c", COMMAND), outputs=("bin",), timeout=20.0)


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    require("valkey", "go")
    with EmbeddedRedis(tmp_path / "redis") as server:
        found = Ledger(server.url)
        for run in ("r1", "r2"):
            found.create(run, "{}", {}, [], [])
        yield found


def make_tree(host: Path) -> Path:
    tree = host / "runs" / "r1@abc" / "tree"
    tree.mkdir(parents=True)
    (tree / "source").write_text("love")
    return tree


def builder(ledger: Ledger, artifacts: Path) -> Builder:
    return Builder(ledger, Host(environment=dict(os.environ)), artifacts)


def never() -> bool:
    return False


def test_eight_shards_of_a_host_find_what_was_built_once(ledger: Ledger, tmp_path: Path) -> None:
    tree = make_tree(tmp_path / "host")
    shards = [builder(ledger, tmp_path / "artifacts") for _ in range(8)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda one: one.ensure(BUILD, "r1", tree, never), shards))
    assert (tree / "marks").read_text() == "run\n"
    assert (tree / "bin" / "server").read_text() == "made of love"
    assert ledger.redis.hget(keys.run("r1"), "builds") == "1"


def test_a_build_that_fails_where_a_partial_clone_lacks_files_is_no_verdict(ledger: Ledger, tmp_path: Path) -> None:
    tree, fails = make_tree(tmp_path / "host"), Build(command=("sh", "-c", "exit 2"), outputs=("bin",), timeout=20.0)
    (tree.parent / "complete.json").write_text(
        '{"missing": ["thirdparties/usearch.tar.gz"]}'
    )  # as a checkout leaves it
    with pytest.raises(WorkspaceError, match=r"lacks the contents of thirdparties/usearch\.tar\.gz"):
        builder(ledger, tmp_path / "store").ensure(fails, "r1", tree, never)
    (tree.parent / "complete.json").unlink()
    with pytest.raises(BuildFailedError):
        builder(ledger, tmp_path / "store").ensure(fails, "r1", tree, never)


def test_the_native_libraries_of_matrixone_are_built_with_its_own_makefile(ledger: Ledger, tmp_path: Path) -> None:
    """Its targets and what they make, with other contents: the profile's step must find and hand on all of it."""
    profile, trees = check_profile("matrixone", Settings()), [make_tree(tmp_path / name) for name in ("one", "two")]
    for tree in trees:
        (tree / "Makefile").write_text(
            "cgo: thirdparties\n\tmkdir -p cgo && echo mo >cgo/libmo.so\n"
            "thirdparties:\n\tmkdir -p $@/install/lib && echo u >$@/install/lib/libusearch_c.so && echo run >>marks\n"
            ".PHONY: cgo thirdparties\n"
        )
        builder(ledger, tmp_path / "store").ensure(profile.build, "r1", tree, never)
    assert [(tree / "marks").exists() for tree in trees] == [True, False]
    wanted = profile.unit_tests.env["LD_LIBRARY_PATH"].format(workspace=trees[1]).split(":")
    assert all(list(Path(directory).glob("*.so")) for directory in wanted), "where its unit tests look for them"
    assert set(profile.build.suites) == {"ut", "sca"}
    assert check_profile("matrixone-pure-go", Settings()).build.command == ()


def test_another_host_unpacks_what_the_first_one_built(ledger: Ledger, tmp_path: Path) -> None:
    trees = [make_tree(tmp_path / name) for name in ("one", "two")]
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda tree: builder(ledger, tmp_path / "store").ensure(BUILD, "r1", tree, never), trees))
    assert sorted((tree / "marks").exists() for tree in trees) == [False, True]
    assert [(tree / "bin" / "server").read_text() for tree in trees] == ["made of love"] * 2


def test_hosts_that_share_no_store_build_one_each(ledger: Ledger, tmp_path: Path) -> None:
    for name in ("one", "two"):
        tree = make_tree(tmp_path / name)
        builder(ledger, tmp_path / name / "artifacts").ensure(BUILD, "r1", tree, never)
        assert (tree / "marks").exists()


def test_code_that_does_not_build_is_told_to_every_shard_and_tried_once(ledger: Ledger, tmp_path: Path) -> None:
    tree = make_tree(tmp_path / "host")
    broken = Build(command=("sh", "-c", "echo run >>marks; echo 'a.go:1: no' >&2; exit 2"))
    for _ in range(3):
        with pytest.raises(BuildFailedError, match=r"exit status 2.*\n.*a.go:1: no"):
            builder(ledger, tmp_path / "artifacts").ensure(broken, "r1", tree, never)
    assert (tree / "marks").read_text() == "run\n"


@pytest.mark.parametrize(
    ("script", "meaning"),
    [
        ("kill -9 $$", "killed by signal 9"),
        ("echo 'go: example.com/m: /link: signal: killed'; exit 1", "ran out of memory"),
    ],
)
def test_a_host_that_cannot_build_gives_no_verdict_on_the_code(
    ledger: Ledger, tmp_path: Path, script: str, meaning: str
) -> None:
    broken = Build(command=("sh", "-c", script))
    with pytest.raises(InfrastructureError, match=meaning):
        builder(ledger, tmp_path / "artifacts").ensure(broken, "r1", make_tree(tmp_path / "host"), never)
    store = (tmp_path / "artifacts" / "store-id").read_text()
    assert ledger.build("r1", store, "another", 20)[0] == "mine", "it is not settled, and the next one builds at once"
    assert ledger.build("r1", store, "not the holder", 20, ("free", ""))[0] != "mine"
    assert ledger.build("r1", store, "a third", 20)[0] == "wait"


def test_a_build_that_is_stopped_for_its_output_says_so(ledger: Ledger, tmp_path: Path) -> None:
    host = Host(environment=dict(os.environ), limits=Limits(output=1 << 20))
    loud = Builder(ledger, host, tmp_path / "artifacts")
    with pytest.raises(BuildFailedError, match="bytes of output"):
        loud.ensure(Build(command=("yes",)), "r1", make_tree(tmp_path / "host"), never)


def test_modules_are_fetched_before_the_build_and_are_the_reason_when_they_cannot_be(
    ledger: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fetched: list[tuple[str, ...]] = []

    def prefetch(_: Execution, patterns: tuple[str, ...]) -> InfrastructureError:
        fetched.append(patterns)
        return InfrastructureError("the proxy is away", "")

    monkeypatch.setattr(Execution, "prefetch", prefetch)
    builder(ledger, tmp_path / "artifacts").ensure(BUILD, "r1", make_tree(tmp_path / "one"), never)
    lacking = Build(command=("sh", "-c", "echo 'go: module lookup disabled by GOPROXY=off' >&2; exit 1"))
    with pytest.raises(InfrastructureError, match="the proxy is away"):
        builder(ledger, tmp_path / "artifacts").ensure(lacking, "r2", make_tree(tmp_path / "two"), never)
    assert fetched == [("./...",)] * 2


def test_a_builder_that_died_is_followed_by_another(ledger: Ledger, tmp_path: Path) -> None:
    tree = make_tree(tmp_path / "host")
    artifacts = tmp_path / "artifacts"
    artifacts.mkdir()
    (artifacts / "store-id").write_text("s")
    assert ledger.build("r1", "s", "the dead", 0.2) == ("mine", "")
    assert ledger.build("r1", "s", "another", 20) == ("wait", "")
    builder(ledger, artifacts).ensure(BUILD, "r1", tree, never)
    assert (tree / "bin").is_dir()
    assert ledger.build("r1", "s", "the dead", 20, ("failed", "late"))[0] == "done"


def test_a_builder_that_lost_its_lease_does_not_replace_what_the_other_one_made(
    ledger: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(build_step, "LEASE", 0.0)
    trees = {name: make_tree(tmp_path / name) for name in ("late", "winner", "third")}
    (trees["late"] / "source").write_text("too late")
    (trees["winner"] / "on").touch()
    waits = Build(
        command=("sh", "-c", f"echo run >>begun; until [ -e on ]; do sleep 0.05; done; {COMMAND}"), outputs=("bin",)
    )

    def ensure(name: str) -> None:
        builder(ledger, tmp_path / "store").ensure(waits, "r1", trees[name], never)

    with ThreadPoolExecutor(1) as pool:
        late = pool.submit(ensure, "late")
        until(lambda: (trees["late"] / "begun").exists() or late.done())
        assert not late.done()
        ensure("winner")
        (trees["late"] / "on").touch()
        late.result()
    ensure("third")
    assert not (trees["third"] / "begun").exists()
    assert (trees["third"] / "bin" / "server").read_text() == "made of love"


def test_a_broker_that_is_away_ends_no_build(ledger: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(build_step, "SIGN", 0.0)
    ask, calls = ledger.build, itertools.count()
    refused: list[bool] = []

    def flaky(run: str, store: str, owner: str, lease: float, ending: tuple[str, str] | None = None) -> tuple[str, str]:
        settles = ending is not None
        if next(calls) and refused.count(settles) < 2:  # the first question is answered
            refused.append(settles)
            raise BrokerError("away")
        return ask(run, store, owner, lease, ending)

    monkeypatch.setattr(ledger, "build", flaky)
    tree = make_tree(tmp_path / "host")
    builder(ledger, tmp_path / "artifacts").ensure(BUILD, "r1", tree, never)
    assert refused == [False, False, True, True]
    assert (tree / "marks").read_text() == "run\n"
    store = (tmp_path / "artifacts" / "store-id").read_text()
    assert ask("r1", store, "another", 20)[0] == "done"


def test_a_broker_that_stays_away_keeps_nobody_who_was_cancelled(
    ledger: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask, ended = ledger.build, threading.Event()

    def away(run: str, store: str, owner: str, lease: float, ending: tuple[str, str] | None = None) -> tuple[str, str]:
        if ending is None:
            return ask(run, store, owner, lease)
        ended.set()
        raise BrokerError("away")

    monkeypatch.setattr(ledger, "build", away)
    with pytest.raises(BrokerError):
        builder(ledger, tmp_path / "artifacts").ensure(BUILD, "r1", make_tree(tmp_path / "host"), ended.is_set)


def test_a_run_that_is_over_or_unknown_is_not_built_and_leaves_nothing(ledger: Ledger, tmp_path: Path) -> None:
    ledger.close_run("r1", RunState.PASSED)
    for run in ("r1", "nobody's"):
        tree = make_tree(tmp_path / run)
        with pytest.raises(CancelledError, match="the run is over"):
            builder(ledger, tmp_path / "artifacts").ensure(BUILD, run, tree, never)
        assert not (tree / "marks").exists()
        assert not ledger.redis.exists(keys.part(run, "builds"))
    assert ledger.progress("nobody's") is None


def test_who_waits_for_a_build_can_be_cancelled(ledger: Ledger, tmp_path: Path) -> None:
    artifacts = tmp_path / "artifacts"
    artifacts.mkdir()
    (artifacts / "store-id").write_text("s")
    ledger.build("r1", "s", "another", 60)
    with pytest.raises(CancelledError):
        builder(ledger, artifacts).ensure(BUILD, "r1", make_tree(tmp_path / "host"), lambda: True)


def test_an_artifact_that_was_changed_is_not_used(ledger: Ledger, tmp_path: Path) -> None:
    builder(ledger, tmp_path / "store").ensure(BUILD, "r1", make_tree(tmp_path / "one"), never)
    (archive,) = (tmp_path / "store" / "r1").glob("build-*.tar")
    archive.write_bytes(b"something else")
    with pytest.raises(InfrastructureError, match="not what was built"):
        builder(ledger, tmp_path / "store").ensure(BUILD, "r1", make_tree(tmp_path / "two"), never)
    shutil.rmtree(tmp_path / "store" / "r1")
    with pytest.raises(InfrastructureError, match="cannot be had"):
        builder(ledger, tmp_path / "store").ensure(BUILD, "r1", make_tree(tmp_path / "three"), never)


def test_outputs_that_are_not_there_or_lead_out_of_the_tree_are_refused(ledger: Ledger, tmp_path: Path) -> None:
    tree = make_tree(tmp_path / "host")
    for run, outputs in (("r1", ("nothing",)), ("r2", ("../../../..",))):
        with pytest.raises(InfrastructureError, match="did not make"):
            builder(ledger, tmp_path / "artifacts").ensure(Build(command=("true",), outputs=outputs), run, tree, never)
        left = {path.name for path in (tmp_path / "artifacts" / run).iterdir()}
        assert left == {"build.txt"}


def test_a_disk_that_is_full_leaves_nothing_in_the_store(tmp_path: Path) -> None:
    with disk_full(), pytest.raises(InfrastructureError, match="cannot be used"):
        build_step._store_id(tmp_path)
    assert list(tmp_path.iterdir()) == []
    assert build_step._store_id(tmp_path) == build_step._store_id(tmp_path) != ""
    assert [path.name for path in tmp_path.iterdir()] == ["store-id"]
