"""The commands, as a person or a program calls them."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import orchestrator
from orchestrator.cli.main import main

SCRIPT = "create table t (a int);\ninsert into t values (12);\nselect max(a) from t;\n"


@pytest.fixture(autouse=True)
def cases(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "cases").mkdir()
    (tmp_path / "cases" / "a.sql").write_text(SCRIPT)
    (tmp_path / "new.sql").write_text(re.sub(r"\bt\b", "u", SCRIPT))
    return tmp_path / "cases"


def test_index_says_what_it_read(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["cases", "index", "cases", "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"scripts": 1, "read": 1, "removed": 0, "unread": 0}
    assert len(list((tmp_path / "cache" / "mo-testplan").iterdir())) == 1


def test_a_duplicate_fails_where_asked(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["cases", "dedup", "new.sql", "--against", "cases"]) == 0
    assert "new.sql:1-3: this script tests the same as a.sql; differs in names" in capsys.readouterr().out
    assert main(["cases", "dedup", "new.sql", "--against", "cases", "--fail-on-duplicate"]) == 1


def test_a_script_of_the_tree_is_not_its_own_duplicate(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["cases", "dedup", "cases/a.sql", "--against", "cases", "--fail-on-duplicate"]) == 0
    assert "0 duplicates; 0 of 3 statements" in capsys.readouterr().out


def test_a_name_that_is_no_utf8_is_said_and_no_traceback(cases: Path, capsys: pytest.CaptureFixture[str]) -> None:
    name = os.fsdecode(b"b\xff.sql")
    (cases / name).write_text("select 1;\n")
    assert main(["cases", "dedup", f"cases/{name}", "--against", "cases"]) == 0
    assert "b\ufffd.sql cannot be read" in capsys.readouterr().err


def test_scripts_that_are_named_twice_are_read_once(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["cases", "dedup", "cases/a.sql", "cases", "./cases/a.sql", "--fail-on-duplicate"]) == 0
    assert "0 duplicates; 0 of 3 statements" in capsys.readouterr().out


def test_a_repeated_statement_alone_is_no_duplicate(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "s.sql").write_text("create table x (a int);\nselect 2 * 3;\n")
    assert main(["cases", "dedup", "s.sql", "--against", "cases", "--fail-on-duplicate", "--statements"]) == 0
    assert "s.sql:1: this statement tests the same as a.sql:1" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "code"), [(("dedup", "new.sql", "--against", "cases"), 130), (("parse", "cases"), 0)]
)
def test_a_reader_that_has_left_hears_no_verdict(words: tuple[str, ...], code: int) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        [sys.executable, "-m", "orchestrator", "cases", *words],
        stdout=writer,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(Path(orchestrator.__file__).parents[1])},
        check=False,
    )
    os.close(writer)
    assert (done.returncode, done.stderr) == (code, b"")


def test_dedup_as_rows(capsys: pytest.CaptureFixture[str]) -> None:
    main(["cases", "dedup", "new.sql", "--against", "cases", "--format", "jsonl"])
    [row] = map(json.loads, capsys.readouterr().out.splitlines())
    assert (row["kind"], row["level"], row["duplicate"], row["existing"]) == ("script", "shape", True, "a.sql")


def _compare(tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes], *lines: str) -> list[dict[str, object]]:
    (tmp_path / "pairs.jsonl").write_text("\n".join(lines))
    assert main(["cases", "compare", "--pairs", "pairs.jsonl", "--format", "jsonl"]) == 0
    return [json.loads(line) for line in capsysbinary.readouterr().out.splitlines()]


def test_compare_answers_each_pair(tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    rows = _compare(
        tmp_path,
        capsysbinary,
        '{"id": 7, "a": "select a from t", "b": "select b from u"}',
        "",
        '{"id": "x", "a": "select a from t", "b": "select a from t", "context_a": "create table t (a int)",'
        ' "context_b": "create table t (a text)"}',
        '{"id": 8, "a": "-- @sortkey:0\\nselect \\ud800 1", "b": "select 0", "context_a": null}',
    )
    assert rows[0] == {"id": 7, "duplicate": True, "level": "shape", "differs_in": ["names"]}
    assert rows[1] == {"id": "x", "duplicate": False, "level": "near", "differs_in": ["column types"]}
    assert [row["id"] for row in rows] == [7, "x", 8]


def test_pairs_of_a_closed_input_are_said(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "stdin", None)
    assert main(["cases", "compare", "--pairs", "-"]) == 2
    assert "standard input is closed" in capsys.readouterr().err


@pytest.mark.parametrize(
    "line",
    [
        *("{", "[]", "[" * 100_000, '{"id": 1, "a": "x"}', '{"id": 1, "a": "x", "b": 2}'),
        *(
            '{"id": 1, "a": null, "b": "x"}',
            '{"id": 1, "a": "x", "b": 0}',
            '{"id": 1, "a": "x", "b": "", "context_b": [1]}',
        ),
    ],
)
def test_a_line_that_is_no_pair_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str], line: str) -> None:
    (tmp_path / "pairs.jsonl").write_text('{"id": 1, "a": "", "b": ""}\n' + line)
    assert main(["cases", "compare", "--pairs", "pairs.jsonl"]) == 2
    assert "pairs.jsonl:2" in capsys.readouterr().err


def test_stats_tells_and_draws(tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    (tmp_path / "cases" / "b.sql").write_text(SCRIPT)
    assert main(["cases", "stats", "cases", "--picture", "x.html"]) == 0
    text = capsysbinary.readouterr().out.decode()
    assert "3 statements could go: a.sql, b.sql" in text
    assert (tmp_path / "x.html").read_text().startswith("<!doctype html>")
    assert main(["cases", "stats", "cases", "--picture", "x.svg", "--format", "json"]) == 0
    assert (tmp_path / "x.svg").read_text().startswith("<svg")
    assert json.loads(capsysbinary.readouterr().out)["groups"][0]["saving"] == 3


def test_similar_ranks_what_resembles_a_line(capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    assert main(["cases", "similar", "new.sql:3", "--against", "cases"]) == 0
    assert capsysbinary.readouterr().out.decode().splitlines()[0].startswith("100% shape cases/a.sql:3")


@pytest.mark.parametrize(
    "words",
    [
        *(("parse", "evil"), ("expectations", "evil"), ("stats", "evil"), ("dedup", "evil", "--statements")),
        *(
            ("similar", "evil/\x1b[31m.sql:1"),
            ("index", "evil"),
            ("parse", "\x1b[31m"),
            ("compare", "--pairs", "pairs"),
        ),
    ],
)
def test_a_terminal_obeys_nothing_that_a_tree_says(
    tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes], words: tuple[str, ...]
) -> None:
    (tmp_path / "evil").mkdir()
    for name in ("\x1b[31m.sql", "\x1b[32m.test"):
        (tmp_path / "evil" / name).write_text(f'-- @sleep:\x1b[2J\n{SCRIPT}select "\x1b[2J", 1;\n')
    (tmp_path / "evil" / "\x1b[31m.result").write_text("of another script")
    (tmp_path / "evil" / "\x1b[33m.sql").symlink_to("nowhere")
    (tmp_path / "pairs").write_text('{"id": "\\u001b[2J", "a": "", "b": ""}')
    main(["cases", *words])
    said = capfdbinary.readouterr()
    assert b"\x1b" not in said.out + said.err
    assert b"\\x1b[" in said.out + said.err or words[0] == "index"


@pytest.mark.parametrize(
    "words",
    [
        ("similar", "new.sql:3", "--limit", "-1"),
        ("similar", "new.sql:3", "--limit", "0"),
        ("stats", "cases", "--top", "-1"),
    ],
)
def test_a_number_that_leaves_something_out_unsaid_is_refused(words: tuple[str, ...]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["cases", *words])


@pytest.mark.parametrize("place", ["new.sql", "new.sql:x", f"new.sql:{'1' * 5000}", "new.sql:99", "none.sql:1"])
def test_a_place_that_is_none_is_said(place: str) -> None:
    assert main(["cases", "similar", place, "--against", "cases"]) == 2


def test_a_missing_directory_is_said() -> None:
    assert main(["cases", "index", "nowhere"]) == 2
    assert main(["cases", "dedup", "new.sql", "--against", "nowhere"]) == 2


def test_a_closed_stdin_is_said(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("sys.stdin", None)
    assert main(["cases", "compare", "--pairs", "-"]) == 2
    assert "standard input is closed" in capsys.readouterr().err
