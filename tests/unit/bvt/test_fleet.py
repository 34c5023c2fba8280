from __future__ import annotations

import io
import threading
from contextlib import nullcontext
from pathlib import Path
from typing import cast

import pytest

from orchestrator.domain.errors import BadCaseError
from workers.bvt.cli import find_cases, main
from workers.bvt.fleet import Fleet, Listeners, units_of
from workers.bvt.report.motester import MoTesterReport
from workers.bvt.report.text import Text
from workers.bvt.results import ScriptResult
from workers.bvt.runner import Case, Runner


def tree(tmp_path: Path, sizes: dict[str, int]) -> Path:
    for name, size in sizes.items():
        path = tmp_path / "cases" / f"{name}.sql"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x" * size)
    return tmp_path / "cases"


def test_one_server_keeps_the_order_of_the_tree(tmp_path: Path) -> None:
    cases = find_cases(str(tree(tmp_path, {"b": 1, "a/z": 9, "a/B": 1, "A": 5})))
    assert [[case.path for case in unit] for unit in units_of(cases, [], 1)] == [
        ["cases/a/B.sql", "cases/a/z.sql", "cases/A.sql", "cases/b.sql"]
    ]


def test_several_servers_get_the_longest_first_and_order_groups_whole(tmp_path: Path) -> None:
    cases = find_cases(str(tree(tmp_path, {"long/a": 9, "first/a": 3, "second/a": 3, "second/b": 2, "short/a": 1})))
    units = units_of(cases, [["second", "first"]], 2)
    assert [[case.path for case in unit] for unit in units] == [
        ["cases/long/a.sql"],
        ["cases/second/a.sql", "cases/second/b.sql", "cases/first/a.sql"],
        ["cases/short/a.sql"],
    ]


def test_include_exclude_and_only_choose_scripts(tmp_path: Path) -> None:
    root = str(tree(tmp_path, {"join/a": 1, "join/b": 1, "dml/a": 1}))
    assert [case.path for case in find_cases(root, include=["dml,b.sql"])] == ["cases/dml/a.sql", "cases/join/b.sql"]
    assert [case.path for case in find_cases(root, exclude=["join"])] == ["cases/dml/a.sql"]
    assert [case.path for case in find_cases(root, only=["join/b.sql"])] == ["cases/join/b.sql"]
    with pytest.raises(BadCaseError, match="no script to run"):
        find_cases(root, include=["nothing"])


def test_a_link_is_a_script_by_its_own_name_wherever_it_leads(tmp_path: Path) -> None:
    root = tree(tmp_path, {"a": 1})
    (tmp_path / "elsewhere.sql").touch()
    (root / "b.sql").symlink_to(tmp_path / "elsewhere.sql")
    (root / "c.sql").symlink_to("a.sql")
    (root / "d.sql").symlink_to("nowhere")
    cases = find_cases(str(root))
    assert [case.path for case in cases] == [f"cases/{name}.sql" for name in "abcd"]
    assert len(units_of(cases, [], 2)) == 4


@pytest.mark.parametrize(
    "words",
    [
        *(("--rate", "101"), ("--rate", "-1"), ("--max-rows", "0"), ("--max-rows", "x")),
        *(("--statement-timeout", text) for text in ("nan", "-1", "0", "x")),
        *(("--script-timeout", "nan"), ("--wait-time", "0")),
    ],
)
def test_a_bound_that_bounds_nothing_is_refused(words: tuple[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["cases", *words])
    assert f"argument {words[0]}: {words[1]!r} is no " in capsys.readouterr().err


def test_a_server_that_is_not_there_is_no_success(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = str(tree(tmp_path, {"a": 1, "b": 1}))
    assert main([root, "--dsn", "mysql://a:b@127.0.0.1:1"]) == 3
    said = capsys.readouterr()
    assert said.out == "2 scripts: 0 pass, 0 failed, 0 ignored, 0 abnormal; 2 did not run to their end\n"
    assert "no connection to 127.0.0.1:1" in said.err


def test_a_script_that_was_asked_for_and_is_not_there_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = str(tree(tmp_path, {"a": 1, "b/c": 1}))
    assert main([root, "--only", "b/c.sql", "--only", "./a.sql", "--only", "typo.sql", "--out", "x"]) == 2
    [said, *_] = capsys.readouterr().err.splitlines()
    assert said == f"--only typo.sql: there is no such script to run in {root}"


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--server", "embedded", "--dsn", "mysql://u:p@h"), "name two servers"),
        (("--server", "mariadb", "--launch", "x"), "name two servers"),
        (("--out", "x"), "say where genrs writes"),
        (("--in-place",), "say where genrs writes"),
        (("--method", "genrs"), "genrs must know where to write"),
    ],
)
def test_options_that_contradict_each_other_are_said(
    tmp_path: Path, words: tuple[str, ...], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(tree(tmp_path, {"a": 1})), *words]) == 2
    assert says in capsys.readouterr().err


def test_a_report_is_written_whatever_becomes_of_stdout(tmp_path: Path) -> None:
    class Gone(io.StringIO):
        def write(self, text: str) -> int:
            raise BrokenPipeError

    with pytest.raises(BrokenPipeError):
        Listeners([Text(Gone()), MoTesterReport(tmp_path)]).close([ScriptResult("cases/a.sql")])
    assert "[cases/a.sql]" in (tmp_path / "report.txt").read_text()


def test_an_error_of_ours_is_not_taken_for_the_end_of_the_queue(tmp_path: Path) -> None:
    def execute(runner: Runner, case: Case) -> ScriptResult:
        raise IndexError("list index out of range")

    cases = find_cases(str(tree(tmp_path, {"a": 1, "b": 1})))
    with pytest.raises(IndexError):
        Fleet([cast("Runner", nullcontext())], threading.Event(), execute).run([cases])
