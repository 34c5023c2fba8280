from __future__ import annotations

from pathlib import Path

import pytest

from workers.bvt.resources import LocalFiles, remove_outfiles, resources_of


def test_resources_lie_beside_the_cases() -> None:
    assert resources_of("/mo/test/distributed/cases/join/a.sql") == "/mo/test/distributed/resources"
    assert resources_of("/cases/mo/cases/x") == "/resources"
    assert resources_of("/mo/sql/x") == "./resources"


def test_outfiles_of_an_earlier_run_are_removed_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "json").mkdir()
    (tmp_path / "into_outfile" / "deep").mkdir(parents=True)
    kept = [tmp_path / "json" / "other.csv", tmp_path / "into_outfile" / ".gitignore"]
    gone = [tmp_path / "json" / "export_1.csv", tmp_path / "into_outfile" / "a.csv"]
    for file in (*kept, *gone):
        file.write_text("x")
    remove_outfiles(str(tmp_path))
    assert all(file.exists() for file in kept)
    assert not any(file.exists() for file in gone)


def test_nothing_behind_a_link_of_the_tree_is_removed(tmp_path: Path) -> None:
    elsewhere, resources = tmp_path / "home", tmp_path / "resources"
    resources.mkdir()
    elsewhere.mkdir()
    kept = [elsewhere / name for name in (".gitignore", "work.txt", "export_1.csv")]
    for file in kept:
        file.write_text("x")
    (resources / "into_outfile").symlink_to(elsewhere)
    (resources / "into_outfile_2").symlink_to("nowhere")
    (resources / "json").symlink_to(elsewhere)
    remove_outfiles(str(resources))
    assert all(file.exists() for file in kept)
    assert [path.name for path in resources.iterdir()] == ["json"]


def test_a_server_gets_only_files_that_the_statement_names(tmp_path: Path) -> None:
    wanted = tmp_path / "data.csv"
    wanted.write_text("1,2\n")
    files = LocalFiles(f"load data local infile '{wanted}' into table t")
    with files(str(wanted)) as file:
        assert file.read() == b"1,2\n"
    with pytest.raises(PermissionError):
        files("/etc/passwd")
