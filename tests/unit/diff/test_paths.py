from __future__ import annotations

import pytest

from orchestrator.diff.paths import file_line, git_names, is_outside, same_file, strip_pair, unquote


@pytest.mark.parametrize(
    ("quoted", "plain"),
    [
        (rb"a/x.go", b"a/x.go"),
        (rb'"a/\344\270\255.go"', "a/中.go".encode()),
        (rb'"a/t\tn\nq\"b\\e"', b'a/t\tn\nq"b\\e'),
        (rb'"a/\a\b\v\f\r\7"', b"a/\a\b\v\f\r\7"),
        (rb'"a/latin\351"', b"a/latin\xe9"),
        (b'"not closed', b'"not closed'),
    ],
)
def test_quotes_are_undone_as_git_made_them(quoted: bytes, plain: bytes) -> None:
    assert unquote(quoted) == plain


@pytest.mark.parametrize(
    ("line", "names"),
    [
        (b"a/x.go b/x.go", (b"a/x.go", b"b/x.go")),
        (b"a/x y.go b/x y.go", (b"a/x y.go", b"b/x y.go")),
        (b"a/x b/x b/x b/x", (b"a/x b/x", b"b/x b/x")),
        (b"x y.go x y.go", (b"x y.go", b"x y.go")),
        (b'"a/x\\ty" "b/x\\ty"', (b"a/x\ty", b"b/x\ty")),
        (b'"a/\\303\\251" b/e', ("a/é".encode(), b"b/e")),
        (b'a/e f "b/\\303\\251"', (b"a/e f", "b/é".encode())),
        (b"src/x.go dst/x.go", (b"src/x.go", b"dst/x.go")),
        (b"a/old.go b/new.go", (b"a/old.go", b"b/new.go")),
        (b"a/one file.go b/another one.go", None),
        (b"garbage", None),
        (b"a/" + b"x " * 100_000, None),
    ],
)
def test_the_first_line_is_split_into_its_two_names(line: bytes, names: tuple[bytes, bytes] | None) -> None:
    assert git_names(line) == names


@pytest.mark.parametrize(
    ("old", "new", "same"),
    [
        (b"a/p/x.go", b"b/p/x.go", b"p/x.go"),
        (b"b/p/x.go", b"a/p/x.go", b"p/x.go"),
        (b"i/x.go", b"w/x.go", b"x.go"),
        (b"b/x.go", b"b/x.go", b"b/x.go"),
        (b"old/x.go", b"new/x.go", b"x.go"),
        (b"a/x.go", b"b/y.go", None),
    ],
)
def test_both_names_of_one_file_lose_their_prefix(old: bytes, new: bytes, same: bytes | None) -> None:
    assert same_file(old, new) == same


def test_prefixes_come_off_a_file_that_has_one_side_only() -> None:
    assert strip_pair(b"/dev/null", b"b/x.go") == (b"/dev/null", b"x.go")
    assert strip_pair(b"a/x.go", b"/dev/null") == (b"x.go", b"/dev/null")
    assert strip_pair(b"x.go.orig", b"x.go") == (b"x.go.orig", b"x.go")


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (b"a/x y.go\t", (b"a/x y.go", False)),
        (b"/dev/null", (b"/dev/null", True)),
        (b"x\t1970-01-01 00:00:00.000000000 +0000", (b"x", True)),
        (b"x\t1969-12-31 19:00:00.000000000 -0500", (b"x", True)),
        (b"x\tThu Jan 01 00:00:00 1970 +0000", (b"x", True)),
        (b"x\t2024-05-05 10:00:00.000000000 +0800", (b"x", False)),
        (b"x.go\t(revision 12)", (b"x.go", False)),
        (b'"a/x\\ny"\t', (b"a/x\ny", False)),
    ],
)
def test_time_stamps_are_no_part_of_a_name(line: bytes, expected: tuple[bytes, bool]) -> None:
    assert file_line(line) == expected


def test_paths_that_leave_the_tree_are_known() -> None:
    assert [is_outside(path) for path in ("../x", "a/../../x", "/etc/x", "a..b/x", "a/x")] == [True] * 3 + [False] * 2
