"""Files are read again when they change, and only then."""

from __future__ import annotations

import os
from pathlib import Path
from unittest.mock import Mock

import pytest

from orchestrator.cli import kept
from orchestrator.cli.kept import KeptProfiles
from orchestrator.domain.errors import BadProfileError
from orchestrator.settings import Settings, check_profile


def write(folder: Path, name: str, text: str) -> None:
    """A file that is as old as all others."""
    path = folder / f"{name}.yaml"
    path.write_text(text)
    os.utime(path, (0, 0))


def test_a_profile_is_checked_once_until_a_file_it_is_made_of_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checked = Mock(wraps=check_profile)
    monkeypatch.setattr(kept, "check_profile", checked)
    write(tmp_path, "base", "{name: base, dispatch: {lease: 7}}")
    write(tmp_path, "over", "{extends: base, name: over}")
    profiles = KeptProfiles(Settings(config_dir=str(tmp_path)))
    assert [profiles("over").dispatch.lease for _ in range(3)] == [7, 7, 7]
    assert profiles("base").name == "base"
    assert checked.call_count == 2
    write(tmp_path, "base", "{name: base, dispatch: {lease: 8}}")
    assert [profiles("over").dispatch.lease for _ in range(2)] == [8, 8]
    assert checked.call_count == 3
    write(tmp_path, "over", "{extends: base, name: over, dispatch: {lease: 9}}")
    assert profiles("over").dispatch.lease == 9


def test_one_that_became_wrong_is_an_error_until_it_is_mended(tmp_path: Path) -> None:
    profiles = KeptProfiles(Settings(config_dir=str(tmp_path)))
    write(tmp_path, "p", "name: p")
    assert profiles("p").name == "p"
    write(tmp_path, "p", "nmae: p")
    for _ in range(2):
        with pytest.raises(BadProfileError, match="nmae"):
            profiles("p")
    (tmp_path / "p.yaml").unlink()
    with pytest.raises(BadProfileError, match="cannot read"):
        profiles("p")
    write(tmp_path, "p", "name: p")
    assert profiles("p").name == "p"
