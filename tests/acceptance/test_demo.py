"""The demo as a newcomer plays it: the real command, from nothing to green, and nothing left."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from benchmarks.rig.processes import MARK, command_line, marked
from tests.require import require
from tests.waiting import until
from workers.process import remove_tree


@dataclass(frozen=True)
class House:
    """An empty home, an empty temporary directory and a PATH that has git and, if it can be helped, no go."""

    root: Path
    mark: str

    @property
    def environ(self) -> dict[str, str]:
        return {
            "HOME": str(self.root / "home"),
            "TMPDIR": str(self.root / "tmp"),
            "PATH": str(self.root / "bin"),
            MARK: self.mark,
            # Neither a caller's server nor a caller's git may have a part in it.
            "MO_TESTPLAN_BVT_DSN": "mysql://nobody:secret@127.0.0.1:1",
            "MO_TESTPLAN_STORE_URL": "sqlite:////nowhere/at/all.sqlite",
            "GIT_DIR": "/nowhere",
        }

    def start(self, *words: str, **environ: str) -> subprocess.Popen[str]:
        command, pipe = [sys.executable, "-m", "orchestrator", "demo", *words], subprocess.PIPE
        env = {**self.environ, **environ}
        return subprocess.Popen(command, env=env, stdout=pipe, stderr=pipe, text=True, start_new_session=True)

    def left(self) -> list[str]:
        """Processes that carry the mark, and files."""
        files = [str(path) for name in ("tmp", "home") for path in (self.root / name).rglob("*")]
        return [*map(command_line, marked(self.mark)), *files]


def build_cache() -> str:
    """Go's build cache of whoever runs these tests."""
    return os.environ.get("GOCACHE") or str(Path.home() / ".cache" / "go-build")


@pytest.fixture
def house() -> Iterator[House]:
    require("valkey", "embedded-sql")
    if importlib.util.find_spec("go") is None:
        require("go")
    root = Path(tempfile.mkdtemp(prefix="mo-", dir="/tmp"))  # sockets want short names
    for name in ("home", "tmp", "bin"):
        (root / name).mkdir()
    tools = ["git"] if importlib.util.find_spec("go") else ["git", "go"]
    for tool in tools:
        (root / "bin" / tool).symlink_to(str(shutil.which(tool)))
    try:
        yield House(root, str(uuid.uuid4()))
    finally:
        shutil.rmtree(root, ignore_errors=True)


def test_a_broken_pull_request_is_found_in_go_and_in_sql_told_fixed_and_run_again_in_part_and_is_kept(
    house: House,
) -> None:
    report = house.root / "report.json"
    process = house.start("--report", str(report), "--keep", GOCACHE=build_cache())
    out, err = process.communicate()
    assert process.returncode == 0, out + err
    assert "Traceback" not in out + err
    check_report(json.loads(report.read_text(encoding="utf-8")))
    check_words(out)
    [folder] = (house.root / "tmp").iterdir()
    assert f"Kept: {folder}" in out
    environ = {**house.environ, "MO_TESTPLAN_STATE": str(folder / "state"), "MO_TESTPLAN_STORE_URL": ""}
    words = [sys.executable, "-m", "orchestrator", "runs", "--format", "json"]
    done = subprocess.run(words, env=environ, capture_output=True, text=True, check=True)
    assert len(json.loads(done.stdout)) == 2
    assert (folder / "shop" / ".git").is_dir()
    assert not (folder / "go-build").exists()  # the caller has a build cache
    remove_tree(folder)
    assert house.left() == []


def check_report(told: dict[str, Any]) -> None:
    assert set(told) == {"first", "second", "wecom_messages"}
    first, second = told["first"], told["second"]
    assert set(first) == {"run", "state", "failed_tests", "failed_sql", "strict_sql"}
    assert first["state"] == "failed"
    assert "pricing.TestDiscounted/half_a_cent_rounds_up" in first["failed_tests"]
    [sql] = first["failed_sql"]
    assert set(sql) == {"file", "line", "expected", "actual"}
    assert (sql["file"], sql["line"]) == ("cases/pricing/discount.sql", 14)
    assert "3392" in sql["expected"]
    assert "3391" in sql["actual"]
    [lenient] = first["strict_sql"]  # a sum mo-tester rounds before it compares
    assert (lenient["file"], lenient["line"]) == ("cases/pricing/discount.sql", 16)
    assert "7430" in lenient["expected"]
    assert "7428" in lenient["actual"]
    assert set(second) == {"run", "parent", "state", "reran"}
    assert second["parent"] == first["run"] != second["run"]
    assert second["state"] == "passed"
    assert second["reran"] == ["bvt:pricing", "ut:pricing/..."]
    messages = [message["markdown"]["content"] for message in told["wecom_messages"]]
    assert [first["run"] in text and "TestDiscounted" in text for text in messages] == [True, False]
    assert second["run"] in messages[1]


def check_words(out: str) -> None:
    """What a person must have seen, in this order."""
    wanted = [
        "rule pricing/: pricing/pricing.go",
        "FAILED",
        "Discounted(3990, 15) = 3391, want 3392",
        "cases/pricing/discount.sql:14",
        "expected",
        "3392",
        "actual",
        "3391",
        "WeCom",
        "lets this pass",
        "cases/pricing/discount.sql:16",
        "7430",
        "7428",
        "2 of 5 tasks",
        "PASSED",
        "Green",
    ]
    at = 0
    for words in wanted:
        found = out.find(words, at)
        assert found >= 0, f"{words!r} is not where it should be in:\n{out}"
        at = found


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_demo_cancels_its_run_and_leaves_nothing(house: House, number: signal.Signals) -> None:
    report = house.root / "report.json"
    process = house.start("--report", str(report))
    assert process.stderr is not None
    for line in process.stderr:
        if "tasks," in line:  # the run is under way
            break
    process.send_signal(number)
    out, err = process.communicate()
    assert process.returncode == 4, out + err
    assert "cancelled" in err
    assert "Traceback" not in err
    assert house.left() == []
    assert not report.exists()


def test_an_interrupt_before_anything_runs_leaves_nothing_either(house: House) -> None:
    process = house.start()
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("3. "):  # the stack is coming up
            break
    process.send_signal(signal.SIGINT)
    out, err = process.communicate()
    assert process.returncode == 4, out + err
    assert house.left() == []


def test_a_killed_demo_leaves_no_process(house: House) -> None:
    process = house.start()
    assert process.stderr is not None
    for line in process.stderr:
        if "tasks," in line:
            break
    process.kill()
    process.communicate()
    assert until(lambda: not marked(house.mark), "all of it is dead")


def test_a_host_without_git_is_told_what_to_install(house: House) -> None:
    (house.root / "bin" / "git").unlink()
    process = house.start()
    out, err = process.communicate()
    assert process.returncode == 3, out
    assert "Install git" in err
    assert house.left() == []


def test_a_report_that_cannot_be_written_is_told_before_anything_runs(house: House) -> None:
    process = house.start("--report", os.devnull + "/report.json")
    _, err = process.communicate()
    assert process.returncode == 2
    assert "cannot write the report" in err
