"""The verdicts of this project's own run against those of a run of pytest."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.own.run import OwnRun

ROOT = Path(__file__).resolve().parents[3]
TESTS = """
import pytest

class TestIn:
    def test_a(self):
        pass

@pytest.mark.parametrize("x", ["a::b"])
def test_b(x):
    assert {good}

def test_c():
    pytest.skip("not here")
"""


def agree(folder: Path, *options: str, good: bool, mute: dict[str, str] | None = None, **cases: str) -> tuple[int, str]:
    """Exit code and last lines of pytest with the own run's verdicts."""
    (folder / "test_it.py").write_text(TESTS.format(good=good))
    plan = {"diff_summary": {"head_commit": "b" * 40}, "tasks": [], "omitted": [], "notes": []}
    own = OwnRun("a" * 40, plan, {"run": "r", "state": "passed"}, {}, 3.0).document() | {"mute": mute or {}}
    names = {"a": "test_it.py::TestIn::test_a", "b": "test_it.py::test_b[a::b]", "c": "test_it.py::test_c"}
    own["cases"] = {names[key]: status for key, status in cases.items()} | {"gone.py::test_x": "passed"}
    (folder / "own.json").write_text(json.dumps(own))
    return _pytest(folder, "own.json", *options)


def _pytest(folder: Path, own: str, *options: str) -> tuple[int, str]:
    words = [sys.executable, "-m", "pytest", "-q", "-c", os.devnull, "--rootdir", ".", "-p", "tests.agreement"]
    done = subprocess.run(
        [*words, f"--own-run={own}", *options, "test_it.py"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout


def test_the_same_verdicts_are_told_before_the_last_line(tmp_path: Path) -> None:
    code, said = agree(tmp_path, good=True, a="passed", b="passed", c="passed")
    assert code == 0
    assert "2 tests ran there and here, the same verdict for each" in said.splitlines()[-2]
    assert said.splitlines()[-1].startswith("2 passed, 1 skipped")


@pytest.mark.parametrize("options", [(), ("-p", "xdist", "-n", "2")])
def test_red_there_and_green_here_fails(tmp_path: Path, options: tuple[str, ...]) -> None:
    code, said = agree(tmp_path, *options, good=True, a="passed", b="failed")
    assert code == 1
    assert "test_it.py::test_b[a::b]: failed there, passed here" in said


def test_green_there_and_red_here_is_told(tmp_path: Path) -> None:
    code, said = agree(tmp_path, good=False, b="passed")
    assert code == 1
    assert "test_it.py::test_b[a::b]: passed there, failed here" in said


def test_red_on_both_sides_is_agreement(tmp_path: Path) -> None:
    code, said = agree(tmp_path, good=False, b="failed", mute={"sca:ruff": "1 finding"})
    assert code == 1
    assert "the same verdict for each" in said
    assert "sca:ruff" not in said


def test_a_task_that_failed_there_without_a_test_contradicts_a_green_run(tmp_path: Path) -> None:
    code, said = agree(tmp_path, good=True, a="passed", mute={"sca:ruff": "1 finding"})
    assert code == 1
    assert "sca:ruff: failed there, and no test here did: 1 finding" in said


@pytest.mark.parametrize("text", [None, "no JSON"])
def test_without_an_own_run_there_is_nothing_to_contradict(tmp_path: Path, text: str | None) -> None:
    (tmp_path / "test_it.py").write_text("def test_a(): pass\n")
    if text is not None:
        (tmp_path / "own.json").write_text(text)
    code, said = _pytest(tmp_path, "own.json")
    assert code == 0
    assert "nothing to compare with" in said
