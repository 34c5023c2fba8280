"""Cases for a change of a clone: made once for the commits it is of, anew when they move."""

from __future__ import annotations

import dataclasses
import subprocess
from pathlib import Path

import pytest

from orchestrator.domain.profile import Profile
from orchestrator.service.change import Change
from orchestrator.service.generation import Generation
from tests.unit.surface.product import FILES


def git(folder: Path, *words: str) -> str:
    who = ["-c", "user.name=t", "-c", "user.email=t@example.com"]
    return subprocess.run(["git", *who, *words], cwd=folder, check=True, capture_output=True, text=True).stdout.strip()


def commit(folder: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", "c")


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    git(tmp_path, "init", "-qb", "main")
    commit(tmp_path, dict(FILES))
    commit(tmp_path, {"README.md": "one\n"})
    git(tmp_path, "update-ref", "refs/pull/7/head", "HEAD")
    git(tmp_path, "reset", "-q", "--hard", "HEAD~1")
    return tmp_path


def test_a_pull_request_that_was_pushed_to_is_read_again(clone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    profile = Profile(name="demo", repository=str(clone))
    generation = Generation(dataclasses.replace(profile, bvt=dataclasses.replace(profile.bvt, surface="matrixone")))
    first = generation.make(Change(pull=7), budget=5)
    assert generation.make(Change(pull=7), budget=5) is first, "pages of one generation"
    source = FILES["pkg/sql/plan/function/function_id.go"]
    git(clone, "checkout", "-q", "refs/pull/7/head")
    commit(clone, {"pkg/sql/plan/function/function_id.go": source.replace('"upper"', '"lower"')})
    git(clone, "update-ref", "refs/pull/7/head", "HEAD")
    second = generation.make(Change(pull=7), budget=5)
    assert second is not first
    assert second.gaps != first.gaps
