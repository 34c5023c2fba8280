from __future__ import annotations

import pytest

from orchestrator.cases.script import Command, Regex, Script, Wait, WaitExpect, parse_script


def parse(*lines: str, ignore_issues: bool = True) -> Script:
    return parse_script("\n".join(lines), "cases/dir.d/a.b.sql", ignore_issues=ignore_issues)


def texts(*lines: str) -> list[tuple[str, int]]:
    return [(command.sql, command.line) for command in parse(*lines).commands]


def only(*lines: str) -> Command:
    (command,) = parse(*lines).commands
    return command


def test_lines_are_trimmed_and_joined_and_the_last_one_names_the_command() -> None:
    assert texts("  select a,", "", "   b\t", " -- note", " # n", " // n", "  from t;  ") == [
        ("select a,\nb\nfrom t;", 7)
    ]


def test_a_command_knows_its_first_line() -> None:
    first, second = parse("", "select", "1;", "select 2;").commands
    assert (first.first_line, first.line, second.first_line, second.line) == (2, 3, 4, 4)


def test_several_statements_on_a_line_are_one_command_with_what_follows_the_last() -> None:
    assert texts("select 1; select 2", "select 3;") == [("select 1; select 2", 1), ("select 3;", 2)]


def test_a_delimiter_in_an_inline_comment_does_not_count() -> None:
    assert texts("select 1; -- one; two", "select 2 -- no end; here", ";") == [
        ("select 1; -- one; two", 1),
        ("select 2 -- no end; here\n;", 3),
    ]


def test_only_the_last_delimiter_of_a_line_is_looked_at() -> None:
    assert texts("select 1; select ';'", ";") == [("select 1; select ';'\n;", 2)]


def test_comment_lines_vanish_from_literals() -> None:
    assert texts("select 'x", "-- y;", "# z", "  w';") == [("select 'x\nw';", 4)]


def test_an_apostrophe_in_an_inline_comment_swallows_statements() -> None:
    assert texts("create table t (a int, -- it's a", "b int);", "select 1; -- o'k", "select 2;")[0][1] == 4


def test_hash_and_block_comments_are_text() -> None:
    assert texts("select 1 # c;", ";select 2;", "/* a; */") == [
        ("select 1 # c;", 1),
        (";select 2;", 2),
        ("/* a; */", 3),
    ]


def test_there_is_no_other_delimiter() -> None:
    assert texts("delimiter //", "select 1; end //") == [("delimiter //\nselect 1; end //", 2)]


def test_text_without_a_delimiter_at_the_end_is_dropped_with_its_directives() -> None:
    assert texts("select 1;", "-- @sortkey:1", "select 2") == [("select 1;", 1)]


def test_a_lone_cr_ends_a_line_and_a_line_separator_does_not() -> None:
    script = parse_script("select 1;\r\nselect\r2;\u2028x;", "a.sql")
    assert [(command.sql, command.line) for command in script.commands] == [("select 1;", 1), ("select\n2;\u2028x;", 3)]


def test_a_byte_order_mark_makes_the_first_comment_sql() -> None:
    assert texts("\ufeff-- @sortkey:1", "select 1;") == [("\ufeff-- @sortkey:1\nselect 1;", 2)]


def test_the_database_is_named_after_the_file_up_to_its_last_dot() -> None:
    assert parse("select 1;").use_db == "a.b"
    assert only("select 1;").use_db == "a.b"


def test_directives_attach_to_the_command_being_built_and_to_it_alone() -> None:
    first, second = parse("select a", "-- @sortkey:0", "-- @sortkey: 2 , 1,", "from t;", "select 2;").commands
    assert (first.sortkeys, second.sortkeys) == ((0, 2, 1), ())


def test_scalars_take_the_last_and_lists_accumulate() -> None:
    command = only(
        "-- @sleep:3", "-- @sleep:-4", "-- @system echo a  b", "-- @system", "-- @system ls", "-- @ignore:0, 2",
        "-- @ignore:", "-- @ignore:5", "-- @separator:table", "-- @separator: space", "-- @pattern yes",
        "-- @wait:2:COMMIT", "-- @wait:3:rollback:", '-- @regex("a,(b)", true)', "-- @regex( 'c' ,FALSE)",
        "-- @wait_expect ( 3 ,3 )", "select 1;",
    )  # fmt: skip
    assert command == Command(
        "select 1;", 17, 17, use_db="a.b", sleep=-4, system=("echo a  b", "ls"), ignore_columns=(0, 2, 5),
        separator=" space", pattern=True, wait=Wait(3, "rollback"), regexes=(Regex("a,(b)", True), Regex("c", False)),
        wait_expect=WaitExpect(3, 3),
    )  # fmt: skip


@pytest.mark.parametrize(
    "line",
    ["--@sortkey:0", "--  @sortkey:0", "# @sortkey:0", "--- @sortkey:0", "-- @Sortkey:0", "-- @sort_key:0",
     "-- @sortkey:0 @metacmp", "-- @ignore{", "-- @wait:2: commit", "-- @wait:2", "-- @wait:x:commit", "-- @case"],
)  # fmt: skip
def test_near_misses_are_plain_comments(line: str) -> None:
    script = parse(line, "select 1;")
    assert script.commands == (Command("select 1;", 2, 2, use_db="a.b"),)
    assert script.problems == ()


@pytest.mark.parametrize(
    "line",
    ["-- @sleep: 3", "-- @sleep:x", "-- @sortkey:", "-- @ignore:0,,1", "-- @wait:99999999999:commit",
     "-- @wait_expect", "-- @wait_expect(0,5)", "-- @wait_expect(6,5)", "-- @wait_expect(0.5,5)", "-- @wait_expect(1,2",
     "-- @regex", '-- @regex("a")', '-- @regex("a", yes)', '-- @regex("a",true);', '-- @regex("(",true)',
     "-- @regex(\"a',true)", '-- @regex(",true)', "-- @session:id=99999999999"],
)  # fmt: skip
def test_a_directive_that_cannot_be_read_is_named_and_left_out(line: str) -> None:
    script = parse("select 0;", line, "select 1;")
    assert [command.sql for command in script.commands] == ["select 0;", "select 1;"]
    (problem,) = script.problems
    assert (problem.path, problem.line, problem.directive) == ("cases/dir.d/a.b.sql", 2, line)
    assert str(problem).startswith(f"cases/dir.d/a.b.sql:2: {line}: ")


def sessions(*lines: str) -> list[tuple[int, str | None, str | None]]:
    return [(command.connection, command.user, command.password) for command in parse(*lines).commands]


def test_sessions_open_and_close() -> None:
    assert sessions("-- @session:id=2{", "a;", "-- @session}", "b;", "-- @session:", "c;", "-- @SESSION", "d;") == [
        (2, None, None), (0, None, None), (1, None, None), (0, None, None)
    ]  # fmt: skip


def test_a_session_governs_the_statement_it_stands_in() -> None:
    assert sessions("select a", "-- @session:id=4", "from t;") == [(4, None, None)]


def test_a_blank_before_the_brace_makes_it_session_one_and_such_a_closing_line_closes_nothing() -> None:
    assert sessions("-- @session:id=2 {", "a;", "-- @session }", "b;", "-- @session:}", "c;") == [(1, None, None)] * 3


def test_user_and_password_leak_into_the_next_session_until_one_is_closed() -> None:
    lines = ("-- @session:id=3&user=a:b:c&password=p q", "a;", "-- @session:id=5", "b;", "-- @session", "c;")
    assert sessions(*lines) == [
        (3, "a:b:c", "p q"), (5, "a:b:c", "p q"), (0, None, None)
    ]  # fmt: skip


def test_pieces_with_blanks_are_ignored_and_empty_ones_mean_the_default() -> None:
    assert sessions("-- @session:id=2& user=u&password = 9", "a;") == [(2, None, None)]
    assert sessions("-- @session:id=2&user=u", "a;", "-- @session:user=&id=", "b;") == [(2, "u", None), (1, None, None)]


def test_issue_marks_count_only_when_asked_for() -> None:
    lines = ("-- @bvt:issue#a b", "select 1;", "-- @BVT:issue", "select 2;", "-- @bvt:issue#", "select 3;")
    assert [(command.ignore, command.issue) for command in parse(*lines).commands] == [
        (True, "a b"), (False, None), (True, "")
    ]  # fmt: skip
    assert not any(command.ignore for command in parse(*lines, ignore_issues=False).commands)


def test_issue_marks_are_read_when_the_command_completes_and_do_not_nest() -> None:
    assert not only("-- @bvt:issue#1", "select", "-- @bvt:issue", "1;").ignore
    assert [
        command.issue for command in parse("-- @bvt:issue#1", "-- @bvt:issue#2", "a;", "-- @bvt:issue", "b;").commands
    ] == ["2", None]


def test_an_issue_end_with_more_text_ends_nothing() -> None:
    assert parse("-- @bvt:issue#1", "a;", "-- @bvt:issue x", "b;").commands[1].ignore


def test_skip_ends_the_file_and_keeps_what_was_complete() -> None:
    script = parse("select 1;", "select 2", "  -- @skip:issue#9", "select 3;")
    assert (script.skipped, [command.sql for command in script.commands]) == (True, ["select 1;"])


def test_metacmp_of_the_document_is_the_last_in_the_file_and_of_a_statement_its_own() -> None:
    script = parse(
        "--- @metacmp(false)",
        "-- @metacmp( FALSE )",
        "a;",
        "-- x @metacmp(no)",
        "# @metacmp(true)",
        "b;",
        "---- x (TRUE) @metacmp",
    )
    assert script.doc_metacmp is True
    assert [command.metacmp for command in script.commands] == [False, None]


def test_a_ten_megabyte_statement_is_one_command() -> None:
    line = "insert into t values ('it''s', 1),"
    text = "\n".join([line] * (10_000_000 // len(line)) + ["('x', 2);"])
    (command,) = parse_script(text, "a.sql").commands
    assert command.sql == text


def test_a_hundred_thousand_directives_are_of_one_command() -> None:
    command = only(*["-- @sortkey:1"] * 100_000, *["-- @system x"] * 100_000, "select 1;")
    assert (len(command.sortkeys), len(command.system)) == (100_000, 100_000)
