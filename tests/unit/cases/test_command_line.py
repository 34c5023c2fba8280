from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from orchestrator.cli.main import main

SCRIPT = "-- @session:id=2{\nselect 'é' as a;\n-- @session}\n-- @sleep:x\n-- @bvt:issue#5\nselect\n2;\n"


@pytest.fixture
def cases(tmp_path: Path) -> Path:
    (tmp_path / "cases/d").mkdir(parents=True)
    (tmp_path / "cases/d/b.sql").write_text(SCRIPT, encoding="utf-8")
    (tmp_path / "cases/a.test").write_text("-- @skip:issue#1\n")
    (tmp_path / "cases/d/b.result").write_text(
        "select 'é' as a;\n➤ a[12,-1,0]  𝄀\né\nselect\n2;\n2\n2", encoding="utf-8"
    )
    return tmp_path / "cases"


def rows(capsysbinary: pytest.CaptureFixture[bytes], *words: str) -> list[dict[str, Any]]:
    assert main(["cases", *words]) == 0
    return [json.loads(line) for line in capsysbinary.readouterr().out.splitlines()]


def test_parse_prints_one_object_a_script(cases: Path, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    skipped, script = rows(capsysbinary, "parse", str(cases), "--ignore-issues", "--format", "jsonl")
    assert list(script) == ["path", "skipped", "use_db", "doc_metacmp", "n", "commands", "error"]
    assert (skipped["path"], skipped["skipped"], skipped["n"]) == ("cases/a.test", True, 0)
    assert script["path"] == "cases/d/b.sql"
    assert script["error"] == "cases/d/b.sql:4: -- @sleep:x: 'x' is no 32-bit whole number"
    first, second = script["commands"]
    assert first == {
        "sql": "select 'é' as a;", "line": 2, "conn": 2, "user": None, "password": None, "use_db": "b", "ignore": False,
        "issue": None, "separator": "both", "pattern": False, "sortkeys": [], "ignore_columns": [], "regexes": [],
        "sleep": 0, "system": [], "wait": False, "wait_conn": 0, "wait_op": "commit", "metacmp": None,
        "wait_expect": False, "wait_expect_interval": 1, "wait_expect_timeout": 20,
    }  # fmt: skip
    assert (second["sql"], second["line"], second["conn"], second["issue"]) == ("select\n2;", 7, 0, "5")


def test_expectations_prints_one_object_a_script(cases: Path, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    skipped, script = rows(capsysbinary, "expectations", str(cases), "--format", "jsonl")
    assert list(script) == ["path", "skipped", "ok", "message", "result_file", "n", "commands", "error"]
    assert (skipped["ok"], skipped["message"], skipped["result_file"]) == (False, "Result file not found", None)
    first, second = script["commands"]
    assert (first["full_meta"], first["cols"], first["rows"]) == (True, [["a", 12, -1, 0]], [["é"]])
    assert (first["new_rowsep"], first["text_len"], second["rows"]) == (True, 18, [["2"]])  # 𝄀 counts twice


def test_a_result_file_of_another_state_is_a_row_and_no_failure(
    cases: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    (cases / "d/b.result").write_text("other")
    _, script = rows(capsysbinary, "expectations", str(cases), "--format", "jsonl")
    assert (script["ok"], script["n"], [row["kind"] for row in script["commands"]]) == (False, 2, ["none", "none"])
    assert script["message"].startswith("Command does not exist in result file: [cases/d/b.sql][2]:")


def test_a_header_that_cannot_be_read_is_an_error_of_its_row(
    cases: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    (cases / "d/b.result").write_text("select 'é' as a;\n➤ a[x,1,0]\nselect\n2;\n", encoding="utf-8")
    script = rows(capsysbinary, "expectations", str(cases), "--format", "jsonl")[1]
    assert "cases/d/b.sql:2: the header" in script["error"]


def test_text_is_for_people(cases: Path, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    assert main(["cases", "parse", str(cases)]) == 0
    assert b"cases/d/b.sql: 2 commands\n  cases/d/b.sql:4: -- @sleep:x" in capsysbinary.readouterr().out


def test_no_such_directory_is_bad_input(tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    assert main(["cases", "parse", str(tmp_path / "none")]) == 2
    assert main(["cases", "parse", str(tmp_path)]) == 2
    assert b"there is no script in" in capsysbinary.readouterr().err
