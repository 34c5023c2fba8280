from __future__ import annotations

import os
from pathlib import Path

import pytest

from orchestrator.cases.discover import find_result, find_scripts, read_text, result_paths, selected
from orchestrator.domain.errors import BadCaseError


def tree(root: Path, *names: str) -> Path:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    return root


def test_directories_come_first_and_upper_case_before_lower(tmp_path: Path) -> None:
    tree(
        tmp_path,
        "b.sql",
        "B.test",
        "z/y.sql",
        "Z/a.sql",
        "z/x/w.sql",
        "n.SQL",
        "r.result",
        ".h.sql",
        "\uffee.sql",
        "😀.sql",
    )
    found = [path.relative_to(tmp_path).as_posix() for path in find_scripts(tmp_path)]
    assert found == ["Z/a.sql", "z/x/w.sql", "z/y.sql", ".h.sql", "B.test", "b.sql", "😀.sql", "\uffee.sql"]


def test_one_script_is_found_by_its_name(tmp_path: Path) -> None:
    tree(tmp_path, "a.sql", "a.txt")
    assert list(find_scripts(tmp_path / "a.sql")) == [tmp_path / "a.sql"]
    assert list(find_scripts(tmp_path / "a.txt")) == []


def test_a_link_back_up_is_no_endless_walk(tmp_path: Path) -> None:
    tree(tmp_path, "d/a.sql")
    (tmp_path / "d/up").symlink_to(tmp_path)
    assert [path.name for path in find_scripts(tmp_path)] == ["a.sql"]


def test_what_does_not_exist_is_said(tmp_path: Path) -> None:
    with pytest.raises(BadCaseError, match="does not exist"):
        list(find_scripts(tmp_path / "none"))
    with pytest.raises(BadCaseError, match="cannot be read"):
        read_text(tmp_path / "none.sql")


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.sql")
    with pytest.raises(BadCaseError, match="named pipe"):
        read_text(tmp_path / "a.sql")


def test_a_result_file_whose_name_would_be_too_long_is_not_there(tmp_path: Path) -> None:
    tree(tmp_path, f"{'x' * 250}.sql")
    assert find_result(f"{'x' * 250}.sql", tmp_path) is None


def test_include_is_a_substring_of_the_whole_path_and_puts_exclude_out() -> None:
    assert selected("cases/x/b.sql", ["a"], [])
    assert selected("cases/x/b.sql", ["x/b"], ["x"])
    assert not selected("cases/x/b.sql", ["y"], [])
    assert not selected("cases/x/b.sql", [], ["x"])


def test_every_dot_with_letters_becomes_result() -> None:
    assert result_paths("cases/v1.x/a.b.sql") == ("cases/v1.result/a.result.result", "result/v1.result/a.result.result")
    assert result_paths("v1.0.test")[0] == "v1.0.result"


def test_the_result_lies_beside_the_script_or_under_result(tmp_path: Path) -> None:
    tree(tmp_path, "result/b.result", "cases/a.result", "result/a.result")
    assert find_result("cases/a.sql", tmp_path) == "cases/a.result"
    assert find_result("cases/b.sql", tmp_path) == "result/b.result"
    assert find_result("cases/c.sql", tmp_path) is None


def test_damaged_bytes_are_replaced_and_a_mark_is_kept(tmp_path: Path) -> None:
    (tmp_path / "a.sql").write_bytes(b"\xef\xbb\xbfa\xff\xed\xa0\x80\r\n")
    assert read_text(tmp_path / "a.sql") == "\ufeffa\ufffd\ufffd\r\n"
