"""``quarantine``: a list with owners and days."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from orchestrator.cli.main import main
from orchestrator.cli.quarantine import expiry
from orchestrator.domain.errors import UsageError

DAY = 86400.0


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MO_TESTPLAN_STATE", str(tmp_path))
    monkeypatch.delenv("MO_TESTPLAN_STORE_URL", raising=False)


def listed(capsys: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
    capsys.readouterr()
    assert main(["quarantine", "list", "--format", "json"]) == 0
    rows: list[dict[str, object]] = json.loads(capsys.readouterr().out)
    return rows


def test_a_test_is_put_on_the_list_changed_and_taken_off(capsys: pytest.CaptureFixture[str]) -> None:
    for days in ("3d", "14d"):
        assert main(["quarantine", "add", "TestA", "--owner", "li", "--until", days, "--reason", "issue 12"]) == 0
    (row,) = listed(capsys)
    assert (row["test"], row["owner"], row["reason"]) == ("TestA", "li", "issue 12")
    assert isinstance(row["until"], float)
    assert abs(row["until"] - time.time() - 14 * DAY) < 60
    assert main(["quarantine", "remove", "TestB"]) == 2
    assert "Did you mean 'TestA'?" in capsys.readouterr().err
    assert main(["quarantine", "remove", "TestA"]) == 0
    assert listed(capsys) == []


def test_a_profile_is_named_by_its_name_or_its_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "p.yaml").write_text("name: matrixone")
    words = ["--owner", "li", "--until", "3d", "--profile", str(tmp_path / "p.yaml")]
    assert main(["quarantine", "add", "TestA", *words]) == 0
    assert [row["test"] for row in listed(capsys)] == ["TestA"]
    (tmp_path / "p.yaml").unlink()
    assert main(["quarantine", "add", "TestB", *words]) == 2
    assert "cannot read" in capsys.readouterr().err
    assert main(["quarantine", "add", " ", "--owner", "li", "--until", "3d"]) == 2


def test_every_entry_has_an_owner_and_an_end(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as error:
        main(["quarantine", "add", "TestA", "--until", "3d"])
    assert error.value.code == 2
    for word in ("soon", "0d", "2020-01-01", "999d", "2026-13-01"):
        assert main(["quarantine", "add", "TestA", "--owner", "li", "--until", word]) == 2
    assert listed(capsys) == []


def test_a_day_is_meant_to_its_end_in_utc() -> None:
    now = 1_800_000_000.0  # 2027-01-15 08:00 UTC
    assert expiry("2027-01-15", now) == 1_800_000_000 - 8 * 3600 + DAY
    assert expiry("2d", now) == now + 2 * DAY
    with pytest.raises(UsageError, match="within a year"):
        expiry("2030-01-01", now)
