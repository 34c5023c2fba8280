"""A standard output that takes no answer, or not every character of it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

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


@pytest.mark.parametrize(
    "words",
    [
        ("cases", "dedup", "."),
        ("cases", "dedup", ".", "--format", "jsonl"),
        ("cases", "stats", ".", "--format", "json"),
    ],
)
def test_json_is_json_whatever_the_locale_says(tmp_path: Path, words: tuple[str, ...]) -> None:
    for name in ("é😀.sql", "é😀.test"):
        (tmp_path / name).write_text("create table t (a int);\nselect a from t;\n")
    environment = {**os.environ, "PYTHONIOENCODING": "ascii", "PYTHONPATH": str(Path(main.__file__).parents[2])}
    environment |= {"XDG_CACHE_HOME": str(tmp_path), "PYTHONUTF8": "0", "LC_ALL": "C.UTF-8"}
    done = subprocess.run(
        [sys.executable, "-m", "orchestrator", *words], cwd=tmp_path, env=environment, capture_output=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, b"")
    if "--format" in words:
        assert "é😀" in json.dumps(list(map(json.loads, done.stdout.splitlines())), ensure_ascii=False)


def test_a_document_of_ours_is_utf8_whatever_the_locale_says() -> None:
    words = [sys.executable, "-c", "from orchestrator.cli.edge import print_json; print_json({'a': 'é😀'})"]
    environment = {**os.environ, "PYTHONIOENCODING": "latin-1", "PYTHONPATH": str(Path(main.__file__).parents[2])}
    done = subprocess.run(words, env=environment, capture_output=True, check=True)
    assert json.loads(done.stdout) == {"a": "é😀"}


def test_a_terminal_without_unicode_gets_an_answer(tmp_path: Path) -> None:
    with (tmp_path / "out").open("wb") as out:
        done = put_out(out.fileno(), "latin-1")
    assert (done.returncode, done.stderr) == (0, "")
    assert "usage: mo-testplan COMMAND \\u2026" in (tmp_path / "out").read_text("latin-1")


@pytest.mark.parametrize(("closed", "said"), [(">&-", b""), ("2>&-", b'{\n  "token"'), (">&- 2>&-", b"")])
def test_who_closes_a_stream_hears_nothing_of_it(closed: str, said: bytes) -> None:
    words = f'exec "{sys.executable}" -m orchestrator token ci --format json {closed}'
    environment = {**os.environ, "PYTHONPATH": str(Path(main.__file__).parents[2])}
    done = subprocess.run(["sh", "-c", words], capture_output=True, env=environment, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout[: len(said) or None] == said
