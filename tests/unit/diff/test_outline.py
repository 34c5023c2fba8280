from __future__ import annotations

import pytest

from orchestrator.diff.hunks import Lines, read_hunks
from orchestrator.diff.outline import changed_in_hunks


def changed(text: str) -> set[str]:
    """Functions of hunks written without their line counts: ``@@ heading`` and the lines below it."""
    data = ""
    for part in text.split("@@ ")[1:]:
        heading, *lines = part.rstrip("\n").split("\n")
        old = sum(not line.startswith("+") for line in lines)
        new = sum(not line.startswith("-") for line in lines)
        data += f"@@ -10,{old} +10,{new} @@ {heading}\n" + "".join(f"{line}\n" for line in lines)
    return changed_in_hunks(read_hunks(Lines(data.encode()), keep=True))


def test_an_indented_change_belongs_to_the_function_of_the_heading() -> None:
    assert changed("@@ func F(a int) error {\n \tx()\n-\ty()\n+\tz()\n") == {"F"}


def test_a_heading_whose_function_has_ended_says_nothing() -> None:
    assert changed("@@ func F() {\n \n+// G does.\n func G() {\n \treturn\n") == set()
    assert changed("@@ func F() {\n }\n \n+var x = 1\n \n") == set()


def test_a_change_before_the_closing_brace_belongs_to_the_heading() -> None:
    assert changed("@@ func F() {\n \treturn\n+\n }\n \n") == {"F"}
    assert changed("@@ func F() {\n-\treturn\n }\n") == {"F"}


def test_a_function_that_begins_in_the_hunk_takes_over() -> None:
    assert changed("@@ func F() {\n }\n \n func G() {\n+\tx()\n }\n") == {"G"}


def test_added_and_deleted_functions_are_both_told() -> None:
    assert changed("@@ import (\n-func Old() {\n-\tx()\n-}\n+func New() {\n+\ty()\n+}\n") == {"Old", "New"}


def test_the_sides_are_followed_apart_after_a_rename() -> None:
    text = "@@ \n-func Old() {\n+func New() {\n \ta()\n \tb()\n@@ func Old() {\n \tc()\n+\td()\n \te()\n"
    assert changed(text) == {"Old", "New"}
    only_second = "@@ \n-func Old() {\n+func New() {\n \ta()\n@@ func Old() {\n \tc()\n+\td()\n@@ func H() {\n+\tx()\n"
    assert changed(only_second) == {"Old", "New", "H"}


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("func F() {", "F"),
        ("func F[T any](x T) {", "F"),
        ("func (s *Set[K, V]) Add(k K) {", "Set.Add"),
        ("func (Set) Len() int {", "Set.Len"),
        ("func (*Set) Len() int {", "Set.Len"),
        ("func (s Set) 长度() int {", "Set.长度"),
        ("func asm(x *int) int", "asm"),
    ],
)
def test_functions_are_named_with_the_bare_receiver(line: str, name: str) -> None:
    assert changed(f"@@ package p\n+{line}\n") == {name}


def test_a_type_is_no_function() -> None:
    assert changed("@@ type T struct {\n \ta int\n+\tb int\n }\n") == set()
    assert changed("@@ func F() {\n }\n \n var (\n+\tx = 1\n )\n") == set()
    assert changed("@@ func F() {\n }\n \n var f = func() {\n+\tx()\n }\n") == set()


def test_a_function_of_one_line_has_ended() -> None:
    assert changed("@@ func (s S) Len() int { return 1 } // n\n+\n+// about G\n \n") == set()
    assert changed("@@ func asm(x *int) int\n+\n") == set()


def test_a_signature_of_several_lines_is_part_of_the_function() -> None:
    assert changed("@@ func F(\n \ta int,\n+\tb int,\n ) error {\n \treturn nil\n") == {"F"}
    assert changed("@@ package p\n func F(\n \ta int,\n-) error {\n+) (int, error) {\n \treturn nil\n") == {"F"}


def test_a_brace_in_a_raw_string_does_not_end_the_function() -> None:
    assert changed("@@ package p\n func F() {\n \tx := `\n {\n }\n `\n+\ty(x)\n }\n") == {"F"}


def test_a_label_as_heading_keeps_the_open_function() -> None:
    assert changed("@@ func F() {\n \tx()\n \ty()\n@@ outer:\n \tz()\n+\tw()\n") == {"F"}


def test_a_block_comment_is_not_inside_of_a_function() -> None:
    assert changed("@@ func F() {\n }\n \n /*\n+\tindented words\n */\n func G() {\n") == set()


def test_a_heading_that_git_cut_off_is_open_or_unnamed() -> None:
    long = "func (builder *QueryBuilder) rewrite(node *plan.Node, condition *plan.Expr, {x}"
    assert changed(f"@@ {long[:80]}\n+\tx()\n") == {"QueryBuilder.rewrite"}
    assert changed(f"@@ func {'Very' * 30}\n+\tx()\n".replace("Very" * 30, ("Very" * 30)[:75])) == set()


def test_windows_line_ends_change_nothing() -> None:
    assert changed("@@ func F() {\r\n \tx()\r\n+\ty()\r\n }\r\n+\r\n") == {"F"}


def test_nothing_is_guessed_without_a_heading() -> None:
    assert changed("@@ \n \tx()\n+\ty()\n") == set()
