"""What analysers print."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.domain.run import FailureKind
from tests.unit.workers.support import go_module
from workers.suites.findings import Finding, VetReader, in_line


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    return go_module(tmp_path, {"a/a.go": "", "b/b.go": ""})


def read(tree: Path, text: str) -> tuple[list[Finding], list[str]]:
    reader = VetReader(tree)
    found = [finding for line in text.splitlines() for finding in reader.feed(line)]
    return found, reader.rest


def test_json_of_several_packages(tree: Path) -> None:
    text = f"""# example.com/m/a
{{}}
{{
\t"example.com/m/a": {{
\t\t"printf": [
\t\t\t{{
\t\t\t\t"posn": "{tree}/a/a.go:3:39",
\t\t\t\t"message": "wrong type"
\t\t\t}},
\t\t\t{{
\t\t\t\t"posn": "",
\t\t\t\t"message": "nowhere"
\t\t\t}}
\t\t],
\t\t"copylocks": {{
\t\t\t"error": "boom"
\t\t}}
\t}}
}}
"""
    found, rest = read(tree, text)
    assert found == [
        Finding("wrong type", FailureKind.FINDING, "a/a.go", 3, 39, "printf"),
        Finding("nowhere", FailureKind.FINDING, check="printf"),
    ]
    assert found[0].name == "a/a.go:3:39 printf"
    assert rest == ["example.com/m/a: copylocks failed: boom"]


def test_packages_that_do_not_compile(tree: Path) -> None:
    found, rest = read(tree, "# example.com/m/b\n# [example.com/m/b]\nvet: b/b.go:1:2: bad\ngo: warning\n")
    assert found == [Finding("bad", FailureKind.BUILD, "b/b.go", 1, 2, "example.com/m/b")]
    assert rest == ["go: warning"]


def test_damaged_json_is_said_and_survived(tree: Path) -> None:
    reader = VetReader(tree)
    found = [one for line in ("{", '"a": [', "}", "{}", "# x", "b/b.go:1:2: bad") for one in reader.feed(line)]
    assert [finding.line for finding in found] == [1]
    assert "unreadable JSON" in reader.lost
    cut = VetReader(tree)
    assert [*cut.feed("{"), *cut.feed('"a": {')] == []
    assert "without an end" in cut.lost


@pytest.mark.parametrize(
    ("line", "place"),
    [
        ("a/a.go:5:2: msg", ("a/a.go", 5, 2)),
        ("./a/a.go:5: msg", ("a/a.go", 5, None)),
        ("a/../a/a.go:5: msg", (None, None, None)),
        ("/usr/lib/x.go:5: msg", (None, None, None)),
    ],
)
def test_places_are_relative_to_the_tree(
    tree: Path, line: str, place: tuple[str | None, int | None, int | None]
) -> None:
    finding = in_line(line, tree)
    assert finding is not None
    assert (finding.file, finding.line, finding.column) == place
    assert finding.message.endswith("msg")


@pytest.mark.parametrize(
    "line", ["", "msg", "level=info:1: x", "12:30:01: started", "a/a.go", "a/a.go: msg", "http://h:80: x"]
)
def test_what_is_no_finding(tree: Path, line: str) -> None:
    assert in_line(line, tree) is None


def test_a_line_number_of_any_length_is_no_error(tree: Path) -> None:
    place = f"a/a.go:{'9' * 5000}:{'8' * 5000}"
    found, _ = read(tree, f'{{\n"m/a": {{"printf": [{{"posn": "{place}", "message": "bad"}}]}}\n}}\n')
    assert [(finding.file, finding.line, finding.column) for finding in found] == [("a/a.go", 999999999, 888888888)]
