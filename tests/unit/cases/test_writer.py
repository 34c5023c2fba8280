from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.cases.expectation import Expectation, split_expectations
from orchestrator.cases.script import Command, Regex, Script, Wait, WaitExpect, parse_script
from orchestrator.cases.writer import write_expectations, write_script
from orchestrator.domain.errors import BadCaseError

_LINES = st.sampled_from(
    ["select 1;", "select 'a", "b';", "select 2; -- x", "from t", "", "# note", "-- @session:id=2&user=u &password=p{",
     "-- @session}", "-- @session:id=3", "-- @sortkey:1,0", "-- @ignore:2", "-- @bvt:issue#7", "-- @bvt:issue",
     '-- @regex("a,b", true)', "-- @regex('\"', false)", "-- @wait:1:rollback", "-- @wait_expect(1,2)", "-- @sleep:-1",
     "-- @system ls  x", "-- @pattern", "-- @separator:table", "-- @metacmp(false)", "--- @metacmp(true)",
     "-- @skip:issue#1", "-- @sleep:x"]
)  # fmt: skip


@given(st.lists(_LINES, max_size=25))
def test_what_is_written_parses_to_what_was_parsed(lines: list[str]) -> None:
    script = parse_script("\n".join(lines), "cases/a.sql", ignore_issues=True)
    again = parse_script(write_script(script), "cases/a.sql", ignore_issues=True)
    assert again == dataclasses.replace(script, problems=())


def test_commands_made_by_hand_are_written_with_all_their_directives() -> None:
    command = Command(
        "select a\nfrom t;", 0, 0, 2, None, "p", "a", True, "", "space", True, (1,), (0,), (Regex("x", False),), 3,
        ("ls",), Wait(1, "commit"), False, WaitExpect(1, 9),
    )  # fmt: skip
    (again,) = parse_script(write_script(Script("a.sql", (command,))), "a.sql", ignore_issues=True).commands
    assert again._replace(line=0, first_line=0) == command


@pytest.mark.parametrize(
    "sql", ["select 1", "select 1;\nselect 2;", "-- x;", " select 1;", "select 1\n\n;", "select 1\n# x\n;", ""]
)
def test_a_command_that_would_read_back_otherwise_is_refused(sql: str) -> None:
    with pytest.raises(BadCaseError, match="does not parse back"):
        write_script(Script("a.sql", (Command(sql, 1, 1, use_db="a"), Command("select 9;", 2, 2, use_db="a"))))


def test_a_directive_that_smuggles_in_another_line_is_refused() -> None:
    with pytest.raises(BadCaseError):
        write_script(Script("a.sql", (Command("select 1;", 1, 1, use_db="a", system=("ls\ndrop table t;",)),)))


_TEXTS = st.one_of(st.none(), st.text("ab\t\n¦𝄀 ;", min_size=1).filter(lambda text: "b;" not in text))


@given(st.lists(_TEXTS, min_size=1, max_size=6))
def test_expectations_read_back_the_same_or_are_refused(texts: list[str | None]) -> None:
    script = parse_script("\n".join(f"select {number};" for number in range(len(texts))), "a.sql")
    expectations = [Expectation(text) for text in texts]
    try:
        written = write_expectations(script, expectations)
    except BadCaseError:
        assert any(text is not None and (text == "\n" or not text.strip("\n")) for text in texts)
    else:
        assert list(split_expectations(script, written)) == expectations


def test_a_result_that_holds_the_next_command_is_refused() -> None:
    script = parse_script("select 1;\nselect 2;", "a.sql")
    with pytest.raises(BadCaseError, match=r"a\.sql:1: the result cannot be written"):
        write_expectations(script, [Expectation("see select 2; here"), Expectation(None)])
