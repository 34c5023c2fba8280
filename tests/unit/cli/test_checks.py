"""Checks that need nothing but this process."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from orchestrator.cli import checks, checks_services
from orchestrator.cli.checks import Check, Host
from orchestrator.cli.doctor import healthy, text
from orchestrator.settings import settings_from


def host(tmp_path: Path, profile: str = "demo", **environ: str) -> Host:
    variables = {f"MO_TESTPLAN_{name.upper()}": value for name, value in environ.items()}
    return Host(settings_from({"MO_TESTPLAN_STATE": str(tmp_path / "state"), **variables}), profile)


def test_only_what_is_required_makes_a_host_ill() -> None:
    fine = Check(name="a", ok=True, found="here")
    advice = Check(name="b", ok=False, found="not here", remedy="get b", required=False)
    need = Check(name="c", ok=False, found="not here", remedy="get c")
    assert healthy([fine, advice])
    assert not healthy([fine, need])


def test_every_missing_thing_has_its_remedy_below_it() -> None:
    found = [
        Check(name="a", ok=True, found="here", remedy="get a"),
        Check(name="bb", ok=False, found="not here", remedy="get b", required=False),
        Check(name="c", ok=False, found="nor here", remedy="get c"),
    ]
    assert text(found, "demo").splitlines() == [
        "✓ a   here",
        "! bb  not here",
        "      → get b",
        "✗ c   nor here",
        "      → get c",
        "",
        "1 missing for profile demo.",
    ]


@pytest.mark.parametrize(
    ("says", "ok", "told"),
    [
        ("git version 2.27.1", False, "2.27.1 at "),
        ("git version 2.28.0", True, "2.28.0 at "),
        ("git version 2.9.5 (Apple Git-73)", False, "2.9.5"),
        ("git version 10.0.rc1", True, "10.0"),
        ("git version of-my-own", True, "of-my-own"),
        ("", False, "does not run"),
    ],
)
def test_a_git_that_is_too_old_is_told_before_the_demo_fails_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, says: str, ok: bool, told: str
) -> None:
    program = tmp_path / "git"
    program.write_text(f"#!/bin/sh\necho '{says}'\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    check = checks.git(host(tmp_path))
    assert (check.ok, told in check.found) == (ok, True)
    assert check.remedy


def test_a_store_below_a_file_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    check = checks_services.store(host(tmp_path, store_url=f"sqlite:///{tmp_path}/file/history.sqlite"))
    assert not check.ok
    assert check.remedy


def test_a_store_that_is_not_there_yet_can_be_written_and_is_not_made(tmp_path: Path) -> None:
    assert checks_services.store(host(tmp_path)).ok
    assert not (tmp_path / "state").exists()


def test_an_unreachable_database_does_not_show_its_password(tmp_path: Path) -> None:
    check = checks_services.store(host(tmp_path, store_url="nonsense://me:hush@nowhere/db"))
    assert not check.ok
    assert "hush" not in check.found


@pytest.mark.parametrize(
    ("url", "found"),
    [
        ("postgres://me:hush@127.0.0.1:1/db", "postgresql+psycopg://me:***@127.0.0.1:1/db cannot be used"),
        ("postgresql://me:hush@host:port/db", "the address of the store is not a URL"),
        ("postgresql://me:hush@[::1/db", "the store"),
    ],
)
def test_every_address_of_a_store_is_looked_at_as_the_history_does(tmp_path: Path, url: str, found: str) -> None:
    check = checks_services.store(host(tmp_path, store_url=url))
    assert not check.ok
    assert found in check.found
    assert "hush" not in check.found
    assert check.remedy


def test_addresses_are_shown_without_accounts() -> None:
    assert checks_services.hidden("mysql://root:h@sh@10.0.0.1:6001") == "mysql://10.0.0.1:6001"
    assert checks_services.hidden("mysql://10.0.0.1:6001") == "mysql://10.0.0.1:6001"


@pytest.mark.parametrize(("policy", "ok"), [("noeviction", True), ("allkeys-lru", False)])
def test_a_broker_that_throws_keys_away_is_no_broker(policy: str, ok: bool) -> None:
    check = checks_services.eviction({"maxmemory_policy": policy})
    assert check.ok is ok
    assert check.required


def test_a_broker_without_append_only_file_is_advised_against() -> None:
    check = checks_services.append_only({"aof_enabled": 0})
    assert not check.ok
    assert not check.required
    assert "appendonly" in check.remedy


def test_too_small_a_disk_is_needed_or_only_wanted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for free, ok, required in ((100 << 20, False, True), (5 << 30, False, False), (50 << 30, True, True)):
        monkeypatch.setattr(shutil, "disk_usage", lambda _, free=free: type("Usage", (), {"free": free}))
        check = checks.disk(host(tmp_path))
        assert (check.ok, check.required) == (ok, required)


def test_analysers_are_looked_for_but_for_go_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    names = {check.name: check.ok for check in checks.analysers(host(tmp_path, "matrixone"))}
    assert names == {"analyser golangci-lint": False, "analyser error-constructors": False}


def test_a_folder_without_git_is_no_repository(tmp_path: Path) -> None:
    check = checks.repository(host(tmp_path, repo=str(tmp_path)))
    assert not check.ok
    assert "MO_TESTPLAN_REPO" in check.remedy


def test_a_profile_without_a_server_address_lacks_its_server(tmp_path: Path) -> None:
    profile = tmp_path / "p.yaml"
    profile.write_text("name: p\nbvt: {server: {provider: dsn}}\n")
    check = checks_services.sql_server(host(tmp_path, str(profile)))
    assert not check.ok
    assert "MO_TESTPLAN_BVT_DSN" in check.remedy
