from __future__ import annotations

import pytest

from orchestrator.cases.expectation import (
    Column,
    MismatchError,
    ResultSet,
    read_expectation,
    render_set,
    split_expectations,
)
from orchestrator.cases.script import parse_script
from orchestrator.domain.errors import BadCaseError

FULL = "➤ a[4,32,0]  ¦  b[12,-1,0]  𝄀\n1  ¦  x\ny  𝄀\n2  ¦  null"


def split(script: str, result: str) -> list[str | None]:
    return [expectation.text for expectation in split_expectations(parse_script(script, "s.sql"), result)]


def test_an_expectation_reaches_to_the_next_command() -> None:
    assert split("a;\nb;\nc;", "a;\nx\t1\n2\nb;\nc;\nlast\n") == ["x\t1\n2", None, "last"]


def test_one_blank_line_is_nothing() -> None:
    assert split("a;\nb;", "a;\n\nb;\n") == [None, None]


def test_only_the_very_last_line_end_is_dropped() -> None:
    assert split("a;", "a;\nx\n") == ["x"]
    assert split("a;", "a;\r\nx\r\n\r\n") == ["x\n"]


def test_the_next_command_is_found_in_mid_line() -> None:
    assert split("a;\nb;", "a;\nsee b; here\nb;\nx") == ["see", " here\nb;\nx"[1:]]


def test_regex_lines_are_no_part_of_the_expectation() -> None:
    assert split("a;", 'a;\n -- @regex("x",true)\nt\n-- @regex("y",true)') == ["t"]
    assert split("a;", 'a;\n-- @regex("x",true)') == [None]


def test_expectations_know_their_line() -> None:
    script = parse_script("a\nb;\nc;\nd;", "s.sql")
    found = split_expectations(script, "a\nb;\n1\n2\nc;\nd;\n3")
    assert [expectation.line for expectation in found] == [3, 6, 7]


@pytest.mark.parametrize(
    ("script", "result", "message"),
    [
        ("a;", "b;", "Command does not exist in result file: [s.sql][1]:a;"),
        ("a;", "\na;", "Command does not exist in result file: [s.sql][1]:a;"),
        ("a;\nb;", "a;\nx", "Next command does not exist in result file: [s.sql][2]:b;"),
        ("a; b;\nb;", "a; b;", "Command does not exist in result file: [s.sql][2]:b;"),
    ],
)
def test_a_result_file_of_another_script_is_refused(script: str, result: str, message: str) -> None:
    with pytest.raises(MismatchError) as caught:
        split(script, result)
    assert caught.value.message == message


def test_the_full_form_gives_types_and_keeps_line_feeds() -> None:
    found = read_expectation(FULL, "both")
    assert found.columns == (Column("a", 4, 32, 0), Column("b", 12, -1, 0))
    assert list(map(list, found.rows)) == [["1", "x\ny"], ["2", "null"]]
    assert (found.full_meta, found.new_rowsep) == (True, True)
    assert render_set(found) == FULL


def test_the_legacy_form_is_split_at_tabs_and_at_four_blanks() -> None:
    found = read_expectation("a\tb\n1    2\n        3\n4", "both")
    assert [column.label for column in found.columns] == ["a", "b"]
    assert list(map(list, found.rows)) == [["1", "2"], ["", ""], ["4", ""]]
    assert (found.full_meta, found.new_rowsep) == (False, False)


@pytest.mark.parametrize(
    ("separator", "labels"),
    [("table", ["a    b", "c"]), ("space", ["a", "b\tc"]), (" both", ["a    b\tc"]), ("both", ["a", "b", "c"])],
)
def test_the_separator_says_what_splits(separator: str, labels: list[str]) -> None:
    assert [column.label for column in read_expectation("a    b\tc", separator).columns] == labels


def test_the_intermediate_form_has_plain_labels_and_new_separators() -> None:
    found = read_expectation("a[4,32,0]  ¦  b  𝄀\n1\t  ¦  2", "both")
    assert found.columns == (Column("a[4,32,0]"), Column("b"))
    assert list(map(list, found.rows)) == [["1\t", "2"]]


def test_a_full_header_without_rows_is_still_split_at_four_blanks() -> None:
    assert [column.label for column in read_expectation("➤ a    b[4,32,0]", "both").columns] == ["a", "b"]


@pytest.mark.parametrize(
    ("header", "column"),
    [("x[0][4,32,0]", Column("x[0]", 4, 32, 0)), ("a[4,1]", Column("a")), ("[4,32,0]", Column("[4,32,0]")),
     ("a[ 4 ,+1,-1]", Column("a", 4, 1, -1)), ("a]", Column("a]"))],
)  # fmt: skip
def test_types_stand_in_the_last_brackets(header: str, column: Column) -> None:
    assert read_expectation(f"➤ {header}", "table").columns == (column,)


def test_a_type_that_is_no_number_is_named() -> None:
    with pytest.raises(BadCaseError, match=r"a\[x,1,0\].*'x'"):
        read_expectation("➤ a[x,1,0]", "both")


def test_null_and_unlimited_precision_are_written_as_the_driver_does() -> None:
    assert render_set(ResultSet((Column("a", 12, 715827882),), [[None]])) == "➤ a[12,-1,0]  𝄀\nnull"
