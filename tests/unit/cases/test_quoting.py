from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.cases.javatext import trim
from orchestrator.cases.quoting import scan_line
from tests.unit.cases.reference import completes

COMPLETE = (True, "")


@pytest.mark.parametrize(
    "line",
    ["select 'a';", "select 'a''b;';", "select '\\';';", "select '--;';", "select f('a\\'');", "select 1; -- it's;"],
)
def test_a_delimiter_outside_quotes_completes(line: str) -> None:
    assert scan_line(line, "") == COMPLETE


@pytest.mark.parametrize(
    ("line", "quote"),
    [
        ("select 1; select ';'", ""),  # the last delimiter counts, and it is quoted
        ("select 'a;", "'"),
        ("select \"it's;", '"'),
        ("a int, -- it's;", "'"),  # a comment's quote swallows what follows
        ("select 'a\\'' as x;", "'"),  # both quotes are hidden
        ("insert into t values ('a\\'',", ""),  # ... but only the first before a comma that ends the line
        ("select 'a\\'', 'b;';", "'"),
        ("select `a'b`;", "'"),
        ("select 1 -- ;", ""),
    ],
)
def test_these_leave_the_statement_open(line: str, quote: str) -> None:
    assert scan_line(line, "") == (False, quote)


def test_a_literal_goes_on_over_lines() -> None:
    assert scan_line("b; c", "'") == (False, "'")
    assert scan_line("b';", "'") == COMPLETE


@given(st.lists(st.text("'\\\";,)- a\u3000\u2028", min_size=1, max_size=9), max_size=4))
def test_the_regular_expressions_agree_with_reading_by_character(raw: list[str]) -> None:
    before, quote = "", ""
    for line in filter(None, map(trim, raw)):
        complete, quote_after = scan_line(line, quote)
        assert complete == completes(before, line)
        if complete:
            break
        before, quote = f"{before}{line}\n", quote_after


def test_ten_megabytes_on_one_line_are_no_trouble() -> None:
    line = "insert into t values " + "('it''s \\'' x', \"y\")," * 450_000
    assert scan_line(line, "") == (False, "")
    assert scan_line(f"{line}(1);", "") == COMPLETE
    assert scan_line(f"{line}(1); -- {line}", "") == COMPLETE
