from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.diff.source import from_file, from_text
from orchestrator.domain.change import ChangeKind, FileChange
from orchestrator.domain.errors import EXIT_USAGE, BadDiffError

ADDED, MODIFIED, DELETED, RENAMED = ChangeKind.ADDED, ChangeKind.MODIFIED, ChangeKind.DELETED, ChangeKind.RENAMED
HUNK = b"@@ -1 +1 @@\n-a\n+b\n"


def section(path: bytes, *lines: bytes, hunks: bytes = HUNK) -> bytes:
    """A git section of an unquoted path."""
    head = b"".join(line + b"\n" for line in (b"diff --git a/%s b/%s" % (path, path), *lines))
    return head + (b"--- a/%s\n+++ b/%s\n" % (path, path) + hunks if hunks else b"")


MAIL = (
    b"From 97f9b59 Mon Sep 17 00:00:00 2001\nFrom: A <a@example.org>\nSubject: [PATCH] x\n\n--- dashes in prose\n"
    b"---\n x.go | 2 +-\n 1 file changed\n\n" + section(b"x.go", b"index 1..2 100644") + b"-- \n2.39.5\n\n"
)

#: Name → (diff, what it lists: path, kind, added, deleted).
TABLE: dict[str, tuple[bytes, list[tuple[str, ChangeKind, int, int]]]] = {
    "ordinary": (section(b"p/x.go", b"index 1234567..89abcde 100644"), [("p/x.go", MODIFIED, 1, 1)]),
    "empty": (b"", []),
    "blank": (b"\n \r\n", []),
    "byte order mark": (b"\xef\xbb\xbf" + section(b"x.go"), [("x.go", MODIFIED, 1, 1)]),
    "binary file": (
        section(b"i.png", b"index 1234567..89abcde 100644", b"Binary files a/i.png and b/i.png differ", hunks=b""),
        [("i.png", MODIFIED, 0, 0)],
    ),
    "binary patch": (
        section(b"i.png", b"index 1..2 100644", b"GIT binary patch", b"literal 3", b"KcmZ", b"", hunks=b"")
        + section(b"x.go"),
        [("i.png", MODIFIED, 0, 0), ("x.go", MODIFIED, 1, 1)],
    ),
    "line ends are CRLF": (
        section(b"x y.go", b"index 1234567..89abcde 100644").replace(b"\n", b"\r\n"),
        [("x y.go", MODIFIED, 1, 1)],
    ),
    "contents are CRLF": (section(b"x.sql", hunks=b"@@ -1,2 +1 @@\n-a\r\n \r\n"), [("x.sql", MODIFIED, 0, 1)]),
    "odd line breaks inside lines": (
        section(b"x.go", hunks=b"@@ -1 +1 @@\n-a\x0c\x0bb\rc\n+b\xc2\x85\xe2\x80\xa8\n"),
        [("x.go", MODIFIED, 1, 1)],
    ),
    "Latin-1": (section(b"x.txt", hunks=b"@@ -1 +1 @@\n-caf\xe9\n+th\xe9\n"), [("x.txt", MODIFIED, 1, 1)]),
    "Latin-1 path": (
        b'diff --git "a/caf\\351.go" "b/caf\\351.go"\nold mode 100644\nnew mode 100755\n',
        [("caf\udce9.go", MODIFIED, 0, 0)],
    ),
    "mode only": (section(b"a b", b"old mode 100644", b"new mode 100755", hunks=b""), [("a b", MODIFIED, 0, 0)]),
    "pure rename": (
        b"diff --git a/o l/d.go b/n e/w.go\nsimilarity index 100%\nrename from o l/d.go\nrename to n e/w.go\n",
        [("n e/w.go", RENAMED, 0, 0)],
    ),
    "rename of quoted paths": (
        b'diff --git "a/\\344\\270\\255.go" "b/a\\nb.go"\nsimilarity index 90%\n'
        b'rename from "\\344\\270\\255.go"\nrename to "a\\nb.go"\nindex 1..2 100644\n'
        b'--- "a/\\344\\270\\255.go"\n+++ "b/a\\nb.go"\n' + HUNK,
        [("a\nb.go", RENAMED, 1, 1)],
    ),
    "rename without prefixes": (
        b"diff --git a/x.go b/y.go\nsimilarity index 100%\nrename from a/x.go\nrename to b/y.go\n",
        [("b/y.go", RENAMED, 0, 0)],
    ),
    "copy": (
        b"diff --git a/x.go b/y.go\nsimilarity index 100%\ncopy from x.go\ncopy to y.go\n",
        [("y.go", ADDED, 0, 0)],
    ),
    "added and empty": (
        section(b"e", b"new file mode 100644", b"index 0000000..e69de29", hunks=b""),
        [("e", ADDED, 0, 0)],
    ),
    "deleted": (
        b"diff --git a/x.go b/x.go\ndeleted file mode 100644\nindex 1234567..0000000\n--- a/x.go\n+++ /dev/null\n"
        b"@@ -1,2 +0,0 @@\n-a\n-b\n\\ No newline at end of file\n",
        [("x.go", DELETED, 0, 2)],
    ),
    "submodule": (
        section(b"sub", b"index 1..2 160000", hunks=b"@@ -1 +1 @@\n-Subproject commit 1\n+Subproject commit 2\n"),
        [("sub", MODIFIED, 1, 1)],
    ),
    "submodule as a log": (
        b"Submodule third/party 1234567..89abcde:\n  > a commit\n",
        [("third/party", MODIFIED, 0, 0)],
    ),
    "combined": (
        b"diff --cc p/x.go\nindex 1,2..3\n--- a/p/x.go\n+++ b/p/x.go\n@@@ -1,4 -1,2 +1,3 @@@ func F() {\n"
        b"  a\n +b\n- c\n--d\n++e\n",
        [("p/x.go", MODIFIED, 2, 2)],
    ),
    "no newline in the middle": (
        section(b"x", hunks=b"@@ -1 +1 @@\n-a\n\\ No newline at end of file\n+b\n\\ No newline at end of file\n")
        + section(b"y"),
        [("x", MODIFIED, 1, 1), ("y", MODIFIED, 1, 1)],
    ),
    "no prefixes": (
        b"diff --git b/x.go b/x.go\nindex 1..2 100644\n--- b/x.go\n+++ b/x.go\n" + HUNK,
        [("b/x.go", MODIFIED, 1, 1)],
    ),
    "added without prefixes": (
        b"diff --git b/x y.go b/x y.go\nnew file mode 100644\n--- /dev/null\n+++ b/x y.go\t\n@@ -0,0 +1 @@\n+a\n",
        [("b/x y.go", ADDED, 1, 0)],
    ),
    "mnemonic prefixes": (
        b"diff --git i/x.go w/x.go\nindex 1..2 100644\n--- i/x.go\n+++ w/x.go\n" + HUNK,
        [("x.go", MODIFIED, 1, 1)],
    ),
    "a modified file that was empty": (
        section(b"x", b"index 1..2 100644", hunks=b"@@ -0,0 +1 @@\n+a\n"),
        [("x", MODIFIED, 1, 0)],
    ),
    "two folders compared by git": (
        b"diff --git a/one/x.go b/two/x.go\nindex 1..2 100644\n--- a/one/x.go\n+++ b/two/x.go\n" + HUNK,
        [("two/x.go", MODIFIED, 1, 1)],
    ),
    "diff -u": (
        b"--- x.go.orig\t2024-01-01 00:00:00\n+++ x.go\t2024-01-02 00:00:00\n" + HUNK,
        [("x.go", MODIFIED, 1, 1)],
    ),
    "diff -ruN": (
        b"diff -ruN old/p/x.go new/p/x.go\n--- old/p/x.go\t1970-01-01 00:00:00.000000000 +0000\n"
        b"+++ new/p/x.go\t2024-01-02 00:00:00.000000000 +0000\n@@ -0,0 +1 @@\n+a\n"
        b"Binary files old/i.png and new/i.png differ\n",
        [("i.png", MODIFIED, 0, 0), ("p/x.go", ADDED, 1, 0)],
    ),
    "Subversion": (
        b"Index: x.go\n=====\n--- x.go\t(revision 1)\n+++ x.go\t(working copy)\n" + HUNK,
        [("x.go", MODIFIED, 1, 1)],
    ),
    "deleted lines that look like headers": (
        section(b"x.sql", hunks=b"@@ -1,2 +1,2 @@\n--- comment\n-a\n+++ b\n+diff --git a/q b/q\n"),
        [("x.sql", MODIFIED, 2, 2)],
    ),
    "format-patch": (MAIL, [("x.go", MODIFIED, 1, 1)]),
    "a series that adds and then changes": (
        section(b"x.go", b"new file mode 100644", hunks=b"@@ -0,0 +1 @@\n+a\n") + MAIL,
        [("x.go", ADDED, 2, 1)],
    ),
    "a file that became a link": (
        section(b"x", b"deleted file mode 100644") + section(b"x", b"new file mode 120000"),
        [("x", MODIFIED, 2, 2)],
    ),
    "blank context without its space": (section(b"x", hunks=b"@@ -1,2 +1,2 @@\n\n-a\n+b\n"), [("x", MODIFIED, 1, 1)]),
    "paths that leave the tree": (section(b"../../etc/x.go"), [("../../etc/x.go", MODIFIED, 1, 1)]),
}


@pytest.mark.parametrize("name", TABLE)
def test_every_file_is_listed_with_its_kind_and_counts(name: str) -> None:
    data, expected = TABLE[name]
    files = from_text(data).files
    assert [(file.path, file.change_kind, file.added, file.deleted) for file in files] == expected


DAMAGED = {
    "text": b"hello\nworld\n",
    "image": b"\x89PNG\r\n\x1a\n\0\0\0" + bytes(range(256)),
    "UTF-16": section(b"x.go").decode().encode("utf-16"),
    "coloured": b"\x1b[1mdiff --git a/x b/x\x1b[m\n",
    "context diff": b"*** a/x\n--- b/x\n***************\n*** 1 ****\n! a\n--- 1 ----\n! b\n",
    "statistics": b" x.go | 2 +-\n 1 file changed\n",
    "cut in a hunk": section(b"x.go", hunks=b"@@ -1,9 +1,9 @@\n a\n-b\n"),
    "cut before +++": b"diff --git a/x b/x\nindex 1..2 100644\n--- a/x\n",
    "cut before a hunk": b"diff --git a/x b/x\nindex 1..2 100644\n--- a/x\n+++ b/x\n",
    "cut before a plain hunk": b"--- a/x\n+++ b/x\n",
    "cut in the first line": b"diff --git a/pkg/x.go b/p k",
    "cut in the first line of a merge": b"diff --cc pkg/x.g",
    "hunk longer than said": section(b"x.go", hunks=b"@@ -1,2 +1,1 @@\n-a\n+b\n+c\n"),
    "hunk heading": section(b"x.go", hunks=b"@@ nonsense @@\n"),
    "a header without end": b'--- a/x\n+++ "' + b"\\" * 1_000_000 + b"\n" + HUNK,
    "huge numbers": section(b"x.go", hunks=b"@@ -1," + b"9" * 5000 + b" +1 @@\n"),
    "combined with a missing mark": b"diff --cc x\n--- a/x\n+++ b/x\n@@@ -1 +1 @@@\n+ a\n",
    "combined and cut": b"diff --cc x\n--- a/x\n+++ b/x\n@@@ -1 -1 +1 @@@\n",
}


@pytest.mark.parametrize("name", DAMAGED)
def test_what_is_no_whole_diff_is_refused_with_a_remedy(name: str) -> None:
    with pytest.raises(BadDiffError) as caught:
        from_text(DAMAGED[name])
    assert caught.value.exit_code == EXIT_USAGE
    assert caught.value.remedy


def test_a_wrong_encoding_is_named() -> None:
    with pytest.raises(BadDiffError, match="UTF-16"):
        from_text(DAMAGED["UTF-16"])


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "empty"),
        (section(b"../x.go"), "leads out of the tree"),
        (b"diff --git a/x.go b/x.go\nindex 1234567..89abcde 100644\n", "cut off"),
        (section(b"x.go") + b"+and one more\n", "line 7, after the last hunk of 'x.go'"),
        (section(b"x.go") + b"Only in new: y.go\n", "Only in new: y.go"),
    ],
)
def test_what_is_odd_is_told(data: bytes, words: str) -> None:
    assert any(words in warning for warning in from_text(data).warnings)


def test_all_parents_of_a_merge_may_be_named() -> None:
    data = b"diff --cc x.go\nindex 1,2..3\n--- a/y.go\n--- a/x.go\n+++ b/x.go\n@@@ -1 -1 +1,2 @@@\n  a\n++b\n"
    assert [(file.path, file.added) for file in from_text(data).files] == [("x.go", 1)]


def test_a_rename_that_contradicts_its_first_line_is_damage() -> None:
    with pytest.raises(BadDiffError, match="names no file"):
        from_text(b"diff --git a/x.go b/new.go\nsimilarity index 100%\nrename from x.go\nrename to new.g")


def test_an_ordinary_diff_has_no_warning() -> None:
    assert from_text(section(b"x.go", b"index 1..2 100644") + MAIL).warnings == ()


def test_details_of_a_rename_and_a_binary_are_kept() -> None:
    renamed = from_text(TABLE["rename of quoted paths"][0]).files[0]
    assert (renamed.old_path, renamed.package) == ("中.go", ".")
    assert from_text(TABLE["binary file"][0]).files[0].binary


def test_the_package_of_a_go_file_is_its_folder() -> None:
    files = from_text(section(b"pkg/sql/x_test.go") + section(b"x.go") + section(b"pkg/a.sql")).files
    assert [file.package for file in files] == [None, "pkg/sql", "."]


def test_files_come_in_path_order() -> None:
    assert [file.path for file in from_text(section(b"b") + section(b"a")).files] == ["a", "b"]


def test_functions_come_from_the_hunks() -> None:
    hunk = b"@@ -1,3 +1,3 @@ func (s *Set[K]) Add(k K) {\n \ta()\n-\tb()\n+\tc()\n }\n"
    assert from_text(section(b"x.go", hunks=hunk)).files[0].functions == ("Set.Add",)
    assert from_text(section(b"x.sql", hunks=hunk)).files[0].functions == ()


def test_a_link_has_no_functions() -> None:
    data = section(b"x.go", b"new file mode 120000", hunks=b"@@ -0,0 +1 @@\n+func F() {}\n")
    assert from_text(data).files == (FileChange("x.go", ADDED, package=".", added=1),)


def test_a_file_is_read_from_disk_and_from_standard_input(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "x.diff").write_bytes(MAIL)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(MAIL)))
    assert from_file(str(tmp_path / "x.diff")) == from_file("-") == from_text(MAIL)


def test_a_closed_standard_input_is_bad_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", None)
    with pytest.raises(BadDiffError, match="closed"):
        from_file("-")


@pytest.mark.parametrize("name", ["missing.diff", ".", "nul\0"])
def test_a_file_that_cannot_be_read_is_bad_input(name: str, tmp_path: Path) -> None:
    with pytest.raises(BadDiffError, match="cannot be read"):
        from_file(str(tmp_path / name))


#: Pieces whose combinations come close to a diff.
PIECES = st.sampled_from(
    [
        *[line + b"\n" for data, _ in TABLE.values() for line in data.split(b"\n")],
        b"@@ -1,2 +1,2 @@ func F() {\n",
        b"@@@ -1 -1 +1 @@@\n",
        b'diff --git "a/\\',
        b"\0\xff",
        b"\n",
    ]
)


@settings(max_examples=300)
@given(st.one_of(st.binary(max_size=300), st.lists(PIECES, max_size=25).map(b"".join)))
def test_no_bytes_raise_anything_but_a_bad_diff(data: bytes) -> None:
    try:
        summary = from_text(data)
    except BadDiffError:
        return
    assert summary == from_text(data)


@settings(max_examples=200)
@given(st.data())
def test_a_diff_cut_anywhere_is_read_or_refused(data: st.DataObject) -> None:
    whole = b"".join(part for part, _ in TABLE.values())
    try:
        files = from_text(whole[: data.draw(st.integers(0, len(whole)))]).files
    except BadDiffError:
        return
    assert {file.path for file in files} <= {file.path for file in from_text(whole).files}


def test_the_same_input_gives_the_same_answer_in_another_process(tmp_path: Path) -> None:
    path = tmp_path / "x.diff"
    path.write_bytes(b"".join(part for part, _ in TABLE.values()))
    program = "import sys; from orchestrator.diff.source import from_file; print(ascii(from_file(sys.argv[1])))"
    answers = {
        subprocess.run(
            [sys.executable, "-c", program, str(path)],
            env={"PYTHONHASHSEED": seed},
            cwd=Path(__file__).parents[3],
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(answers) == 1
    assert ascii(from_file(str(path))).encode() + b"\n" in answers


def test_a_series_of_patches_has_the_lines_of_all_of_them() -> None:
    patch = "diff --git a/a.go b/a.go\n--- a/a.go\n+++ b/a.go\n@@ -1 +1 @@ func {0}() {{\n-\told{0}()\n+\tnew{0}()\n"
    (file,) = from_text("".join(patch.format(name) for name in "ABC").encode()).files
    assert file.lines is not None
    assert file.lines.added == [b"\tnewA()", b"\tnewB()", b"\tnewC()"]
    assert file.lines.deleted == [b"\toldA()", b"\toldB()", b"\toldC()"]
    assert len(file.lines.headings) == 3
    assert (file.added, file.deleted) == (3, 3)
