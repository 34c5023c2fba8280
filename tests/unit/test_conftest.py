"""What every test may rely on."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest


def test_what_a_user_has_set_up_for_git_is_not_for_tests(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".gitconfig").write_text("[commit]\n\tgpgsign = true\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    asked = ["git", "config", "--get", "commit.gpgsign"]
    assert subprocess.run(asked, cwd=tmp_path, capture_output=True, check=False).stdout == b""
