"""A standard output that takes no answer, or not every character of it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from orchestrator.cli import main


def put_out(stdout: int, encoding: str = "utf-8") -> subprocess.CompletedProcess[str]:
    """`mo-testplan --help`, which has characters beyond ASCII, on this standard output."""
    words = [sys.executable, "-m", "orchestrator", "--help"]
    environment = {**os.environ, "PYTHONIOENCODING": encoding, "PYTHONPATH": str(Path(main.__file__).parents[2])}
    return subprocess.run(words, stdout=stdout, stderr=subprocess.PIPE, text=True, env=environment, check=False)


def test_an_answer_that_cannot_be_written_is_infrastructure_and_no_traceback() -> None:
    with Path("/dev/full").open("wb") as full:
        done = put_out(full.fileno())
    assert (done.returncode, done.stderr.splitlines()[0]) == (3, "mo-testplan: No space left on device: no file named")


def test_a_reader_that_has_left_is_no_traceback() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    try:
        done = put_out(writer)
    finally:
        os.close(writer)
    assert (done.returncode, done.stderr) == (130, "")


def test_a_closed_stdout_is_no_traceback() -> None:
    words = ["sh", "-c", '"$0" -m orchestrator --help >&-', sys.executable]
    environment = {**os.environ, "PYTHONPATH": str(Path(main.__file__).parents[2])}
    done = subprocess.run(words, stderr=subprocess.PIPE, text=True, env=environment, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_terminal_without_unicode_gets_an_answer(tmp_path: Path) -> None:
    with (tmp_path / "out").open("wb") as out:
        done = put_out(out.fileno(), "latin-1")
    assert (done.returncode, done.stderr) == (0, "")
    assert "usage: mo-testplan COMMAND \\u2026" in (tmp_path / "out").read_text("latin-1")
