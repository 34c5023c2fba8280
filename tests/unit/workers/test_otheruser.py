"""Tests under uids of their own: who may have that, and what changes hands."""

from __future__ import annotations

import os
import stat
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from orchestrator.cli.confine import confinement, keep_apart
from orchestrator.domain.errors import InfrastructureError, ToolMissingError, UsageError
from orchestrator.settings import Settings
from tests.acceptance.servers import redis_server
from tests.require import require
from workers.otheruser import OtherUser, other_user
from workers.sandbox import View

as_root = pytest.mark.usefixtures("root")
TESTS = OtherUser("/usr/bin/setpriv", 71000, 71016)


@pytest.fixture
def place() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(dir="/var/tmp") as folder:  # others may pass through it
        Path(folder).chmod(0o711)
        runs = Path(folder) / "runs"  # locks are beside it
        runs.mkdir(mode=0o711)
        yield runs


def view(home: Path) -> View:
    tree = home / "tree"
    tree.mkdir(parents=True, exist_ok=True)
    return View(cwd=tree, tmp=tree, writable=(tree,), private=(home,))


@pytest.mark.parametrize("text", ["", "70000", "70000-70003", "0-100", "500-900", "a-b", "70099-70000"])
def test_a_range_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="names no range"):
        other_user(text)
    with pytest.raises(UsageError, match="is not known"):
        confinement(Settings(sandbox="uids"), {})


def test_a_worker_without_the_right_to_change_its_uid_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(InfrastructureError, match="is not root"):
        confinement(Settings(sandbox="uid:70000-70099"), {})
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    with pytest.raises(ToolMissingError, match="setpriv"):
        other_user("70000-70099", str(tmp_path))


@as_root
def test_each_run_has_a_uid_and_keeps_it_until_there_are_none(place: Path) -> None:
    def uid(run: str) -> str:
        words = TESTS.wrap(["true"], view(place / run))
        return words[words.index("--reuid") + 1]

    assert [uid(name) for name in ("r1", "r2", "r1")] == ["71001", "71002", "71001"]
    for number in range(3, 17):
        uid(f"r{number}")
    with pytest.raises(InfrastructureError, match="every uid"):
        uid("one-too-many")


@as_root
def test_a_tree_that_is_only_read_is_the_runs_too_and_what_lies_elsewhere_is_not(place: Path) -> None:
    made, (work, elsewhere) = view(place / "r1"), (place / name for name in ("work", "elsewhere"))
    for folder in (work, elsewhere, made.cwd):
        folder.mkdir(exist_ok=True)
        (folder / "a.sql").write_text("")
        (folder / "a.sql").chmod(0o600)
    TESTS.wrap(["true"], replace(made, cwd=work, readable=(made.cwd, elsewhere), writable=(work,)))
    assert [(folder / "a.sql").stat().st_uid for folder in (made.cwd, work, elsewhere)] == [71001, 71001, 0]


@as_root
def test_what_has_a_second_name_elsewhere_does_not_change_hands(place: Path) -> None:
    outside = place / "shadow"
    outside.write_text("secret")
    made = view(place / "r1")
    (made.cwd / "own").write_text("")
    (made.cwd / "hard").hardlink_to(outside)
    (made.cwd / "soft").symlink_to(outside)
    TESTS.wrap(["true"], made)
    assert outside.stat().st_uid == 0
    assert (made.cwd / "own").stat().st_uid == 71001


@as_root
def test_a_file_of_another_run_does_not_change_hands_by_a_second_name(place: Path) -> None:
    theirs = place / "theirs"
    theirs.write_text("of another run")
    os.chown(theirs, 71009, 71009)
    made = view(place / "r1")
    (made.cwd / "hard").hardlink_to(theirs)
    TESTS.wrap(["true"], made)
    assert theirs.stat().st_uid == 71009


@as_root
def test_a_folder_that_is_a_link_is_not_given(place: Path) -> None:
    outside = place / "outside"
    outside.mkdir(mode=0o700)
    made = view(place / "r1")
    (made.cwd / "cache").symlink_to(outside)
    with pytest.raises(InfrastructureError, match="cannot be given"):
        TESTS.wrap(["true"], replace(made, writable=(made.cwd / "cache",)))
    assert (outside.stat().st_uid, stat.S_IMODE(outside.stat().st_mode)) == (0, 0o700)


@as_root
def test_a_uid_that_still_has_a_process_is_not_given_to_another_run(place: Path) -> None:
    tests = OtherUser("/usr/bin/setpriv", 72000, 72016)
    words = ("setpriv", "--reuid", "72001", "--regid", "72001", "--clear-groups", "sh", "-c", "echo up; exec sleep 60")
    with subprocess.Popen(words, stdout=subprocess.PIPE) as left:
        assert left.stdout is not None
        assert left.stdout.readline() == b"up\n"
        assert "72002" in tests.wrap(["true"], view(place / "r1"))
        left.kill()


@as_root
@pytest.mark.parametrize("said", ["0\n", None])
def test_a_host_that_lets_a_test_link_files_of_others_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: str | None
) -> None:
    if said is not None:
        (tmp_path / "switch").write_text(said)
    monkeypatch.setattr("workers.otheruser._HARDLINKS", tmp_path / "switch")
    with pytest.raises(InfrastructureError, match="second name"):
        other_user("70000-70099")


@as_root
def test_what_a_uid_cannot_reach_is_said(place: Path) -> None:
    (place / "shut").mkdir(mode=0o700)
    with pytest.raises(InfrastructureError, match="may not enter"):
        TESTS.wrap(["true"], view(place / "shut" / "r1"))


@as_root
def test_a_worker_refuses_a_redis_that_its_tests_could_use(place: Path) -> None:
    require("redis")
    with redis_server(place) as url, pytest.raises(UsageError, match="asks nobody for a password"):
        keep_apart(Settings(state=str(place), redis_url=url), TESTS, place / "scratch")
