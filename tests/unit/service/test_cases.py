"""The case tree of a clone without a work tree: unpacked once for each state of the base branch."""

from __future__ import annotations

import dataclasses
import shutil
import subprocess
from pathlib import Path

import pytest

from orchestrator.domain.profile import Profile
from orchestrator.service.cases import CaseLibrary


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "source"
    (folder / "cases" / "first").mkdir(parents=True)
    git(folder, "init", "-qb", "main")
    return folder


def git(folder: Path, *words: str) -> None:
    who = ["-c", "user.name=t", "-c", "user.email=t@example.com"]
    subprocess.run(["git", *who, *words], cwd=folder, check=True, capture_output=True)


def commit(folder: Path, text: str) -> None:
    (folder / "cases" / "first" / "one.sql").write_text(text)
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", "c")


def library(source: Path, state: Path) -> CaseLibrary:
    profile = Profile(name="demo", repository=str(source / ".git"), base_branch="main")
    return CaseLibrary(dataclasses.replace(profile, bvt=dataclasses.replace(profile.bvt, cases="cases")), state)


def test_trees_of_long_ago_do_not_fill_the_disk(source: Path, tmp_path: Path) -> None:
    cases = library(source, tmp_path / "state")
    for number in range(6):
        commit(source, f"select {number};\n")
        assert cases.read("first/one.sql").script == f"select {number};\n"
    assert len(list((tmp_path / "state" / "cases" / "demo").iterdir())) == 3


def test_who_comes_second_to_unpack_reads_what_the_first_did(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rename = Path.rename

    def beaten(scratch: Path, place: Path) -> Path:
        shutil.copytree(scratch, place)
        return rename(scratch, place)

    commit(source, "select 1;\n")
    monkeypatch.setattr(Path, "rename", beaten)
    assert library(source, tmp_path / "state").read("first/one.sql").script == "select 1;\n"
