from __future__ import annotations

import io
import json
from pathlib import Path
from xml.etree import ElementTree as ET

from workers.bvt.compare import VerdictKind
from workers.bvt.report.jsonl import JsonDocument, JsonLines
from workers.bvt.report.junit import JUnit
from workers.bvt.report.motester import MoTesterReport
from workers.bvt.report.page import Page
from workers.bvt.report.text import Text
from workers.bvt.results import CommandResult, Listener, ScriptResult, shortened, success_rate

PASSED = CommandResult("cases/a.sql", 1, "select\n1;", VerdictKind.PASS, 0.25)
FAILED = CommandResult(
    "cases/a.sql", 3, "select <2>;", VerdictKind.FAILED, 0.5, "a cell differs", "a\n1", "➤ a[4,1,0]  \U0001d100\n\x002"
)
ERROR = CommandResult("cases/a.sql", 4, "bad;", VerdictKind.FAILED, 0, "texts differ", "Some error", "Another error")
IGNORED = CommandResult("cases/a.sql", 5, "select 3;", VerdictKind.IGNORED, reason="42")
ABNORMAL = CommandResult("cases/b.sql", 1, "select 4;", VerdictKind.ABNORMAL, 0, "no answer in 9 s")
STRICT = CommandResult(
    "cases/b.sql", 2, "select 5;", VerdictKind.PASS, 0, "", "a\n5", "a\n6", findings=("5 is expected, and there is 6",)
)


def scripts() -> list[ScriptResult]:
    first, second = ScriptResult("cases/a.sql", 1.5, 4), ScriptResult("cases/b.sql", 2.9, 2)
    for result in (PASSED, FAILED, ERROR, IGNORED):
        first.add(result)
    for result in (ABNORMAL, STRICT):
        second.add(result)
    return [first, second, ScriptResult("cases/c.sql", 0.0, 0, skipped=True)]


def tell(listener: Listener) -> None:
    first, second, third = scripts()
    for result in (PASSED, FAILED, ERROR, IGNORED):
        listener.command(result)
    listener.script(first)
    for result in (ABNORMAL, STRICT):
        listener.command(result)
    listener.script(second)
    listener.script(third)
    listener.close([first, second, third])


def test_json_lines_hold_one_object_a_command_with_more_where_it_did_not_pass() -> None:
    out = io.StringIO()
    tell(JsonLines(out))
    rows = [json.loads(line) for line in out.getvalue().splitlines()]
    assert rows[0] == {"path": "cases/a.sql", "line": 1, "verdict": "PASS", "strict": None, "seconds": 0.25}
    assert rows[1]["expected"] == "a\n1"
    assert rows[3]["verdict"] == "IGNORED"
    assert rows[5]["strict"] == "FAILED"
    assert rows[5]["findings"] == ["5 is expected, and there is 6"]
    document = io.StringIO()
    tell(JsonDocument(document))
    whole = json.loads(document.getvalue())
    assert whole["commands"] == rows
    assert [script["total"] for script in whole["scripts"]] == [4, 2, 0]
    assert whole["success_rate"] == 40


def test_the_three_files_read_letter_by_letter_as_mo_tester_writes_them(tmp_path: Path) -> None:
    tell(MoTesterReport(tmp_path))
    assert (tmp_path / "report.txt").read_text() == (
        "[SUMMARY] COST : 3s, TOTAL :6, SUCCESS : 2, FAILED :2, IGNORED :1, ABNORAML :1, SUCCESS RATE : 40%\n"
        "[cases/a.sql] COST : 1.5s, TOTAL :4, SUCCESS :1, FAILED :2, IGNORED :1, ABNORAML :0, SUCCESS RATE : 33%\n"
        "[cases/b.sql] COST : 2.9s, TOTAL :2, SUCCESS :1, FAILED :0, IGNORED :0, ABNORAML :1, SUCCESS RATE : 50%\n"
        "[cases/c.sql] COST : 0.0s, TOTAL :0, SUCCESS :0, FAILED :0, IGNORED :0, ABNORAML :0, SUCCESS RATE : 0%\n"
    )
    assert (tmp_path / "success.txt").read_text() == "[cases/a.sql]:select 1;\n[cases/b.sql]:select 5;\n"
    errors = (tmp_path / "error.txt").read_text()
    assert errors.startswith(
        "[ERROR]\n[SCRIPT   FILE]: cases/a.sql\n[ROW    NUMBER]: 3\n[SQL STATEMENT]: select <2>;\n"
        "[EXPECT RESULT]:\n➤ a[12,0,0]  \U0001d100\n1\n[ACTUAL RESULT]:\n"
    )
    assert "[EXPECT RESULT]:\n➤ Some error[12,0,0]\n[ACTUAL RESULT]:\nAnother error\n\n" in errors
    assert errors.endswith("[EXPECT RESULT]:\nnull\n[ACTUAL RESULT]:\nno answer in 9 s\n\n")


def test_junit_is_well_formed_whatever_the_values_hold() -> None:
    out = io.StringIO()
    tell(JUnit(out))
    suites = ET.fromstring(out.getvalue())  # noqa: S314 - our own document
    assert [suite.get("name") for suite in suites] == ["cases/a.sql", "cases/b.sql", "cases/c.sql"]
    assert [suite.get("failures") for suite in suites] == ["2", "0", "0"]
    assert suites.find("testsuite/testcase/failure") is not None
    assert suites.find("testsuite/testcase/error") is not None
    assert suites.find("testsuite/testcase/skipped") is not None


def test_what_nobody_expected_or_gave_is_called_nothing_in_junit() -> None:
    out = io.StringIO()
    tell(JUnit(out))
    assert "--- expected\n(nothing)\n--- actual\n(nothing)" in out.getvalue()


def test_the_page_shows_differences_side_by_side_and_escapes_them(tmp_path: Path) -> None:
    tell(Page(tmp_path / "index.html"))
    page = (tmp_path / "index.html").read_text()
    assert "select &lt;2&gt;;" in page
    assert "<2>" not in page
    assert '<td class="old"><pre>a</pre></td><td class="new">' in page
    assert "http" not in page


def test_text_names_failures_and_what_only_strict_finds() -> None:
    out = io.StringIO()
    tell(Text(out))
    text = out.getvalue()
    assert "FAILED cases/a.sql:3: select <2>;" in text
    assert "ABNORMAL cases/b.sql:1: select 4;\n  no answer in 9 s\n" in text
    assert "STRICT cases/b.sql:2" in text
    assert text.endswith("2 pass, 2 failed, 1 ignored, 1 abnormal, 1 passed that strict fails; success rate 40%\n")


def test_a_run_that_did_not_end_has_no_rate(tmp_path: Path) -> None:
    text, document, junit, page = io.StringIO(), io.StringIO(), io.StringIO(), tmp_path / "index.html"
    left = [ScriptResult(f"cases/{name}.sql", ended=False) for name in "de"]
    for listener in (Text(text), JsonDocument(document), JUnit(junit), Page(page), MoTesterReport(tmp_path)):
        for script in scripts()[:2]:
            listener.script(script)
        listener.close([*scripts()[:2], *left])
    assert text.getvalue().endswith(
        "\n4 scripts: 2 pass, 2 failed, 1 ignored, 1 abnormal, 1 passed that strict fails; 2 did not run to their end\n"
    )
    assert "<p>4 scripts, 2 did not run to their end</p>" in page.read_text()
    whole = json.loads(document.getvalue())
    assert whole["success_rate"] is None
    assert [script["ended"] for script in whole["scripts"]] == [True, True, False, False]
    suites = ET.fromstring(junit.getvalue())  # noqa: S314 - our own document
    assert [suite.get("errors") for suite in suites] == ["0", "1", "1", "1"]
    assert len((tmp_path / "report.txt").read_text().splitlines()) == 3


def test_the_rate_rounds_down_and_nothing_to_run_is_a_success() -> None:
    assert success_rate(scripts()) == 40
    assert success_rate([]) == 100


def test_long_texts_are_cut_and_say_so() -> None:
    assert shortened("x" * 30, 10) == "x" * 10 + "… (20 more characters)"
    assert shortened("x", 10) == "x"


def test_nothing_that_a_terminal_would_obey_is_printed() -> None:
    out = io.StringIO()
    bad = "\x1b]52;c;c2g=\x07\x9b2J\u202e\ud800"
    result = CommandResult(
        f"cases/{bad}.sql", 1, f"select '{bad}';", VerdictKind.FAILED, 0, bad, f"a\n\t{bad}", "é ¦ 1"
    )
    script = ScriptResult(result.path, notes=[bad])
    text = Text(out)
    text.command(result)
    text.script(script)
    text.close([script])
    said = out.getvalue()
    assert all(char.isprintable() or char in "\n\t" for char in said)
    assert "\\x1b]52" in said
    assert "    \t\\x1b" in said
    assert "é ¦ 1" in said
