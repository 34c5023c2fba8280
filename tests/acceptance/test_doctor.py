"""The doctor on hosts that lack something, and on one that lacks nothing."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from orchestrator.cli.local import LocalStack
from orchestrator.settings import settings_from, to_environment
from tests.require import require
from workers.servers.owned import free_port

ROOT = Path(__file__).resolve().parents[2]


def doctor(environ: dict[str, str], *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "orchestrator", "doctor", *words]
    clean = {name: value for name, value in os.environ.items() if not name.startswith("MO_TESTPLAN_")}
    return subprocess.run(
        command, env={**clean, **environ}, capture_output=True, text=True, timeout=60, check=False, cwd=ROOT
    )


def checks(done: subprocess.CompletedProcess[str]) -> dict[str, dict[str, Any]]:
    return {row["name"]: row for row in json.loads(done.stdout)}


@pytest.fixture
def nobody() -> str:
    """A port of this host that nobody listens on."""
    return str(free_port())


def test_a_bare_host_hears_what_is_missing_and_how_to_get_it(tmp_path: Path, nobody: str) -> None:
    environ = {
        "MO_TESTPLAN_REDIS_URL": f"redis://:hush@127.0.0.1:{nobody}/0",
        "MO_TESTPLAN_STATE": str(tmp_path),
        "MO_TESTPLAN_BVT_DSN": f"mysql://root:hush@127.0.0.1:{nobody}",
    }
    done = doctor(environ, "--format", "json")
    assert done.returncode == 3
    found = checks(done)
    for name in ("broker", "queues", "sql server", "repository"):
        assert not found[name]["ok"], name
        assert found[name]["required"], name
        assert found[name]["remedy"], name
    assert found["python"]["ok"]
    assert found["store"]["ok"]
    assert "hush" not in done.stdout + done.stderr
    words = doctor(environ).stdout
    assert "✗ broker" in words
    assert "→ Set MO_TESTPLAN_REPO" in words
    assert "✓ python" in words
    assert not any(tmp_path.iterdir()), "looking wrote something"


def test_without_go_the_doctor_names_the_package_that_brings_it(tmp_path: Path) -> None:
    (tmp_path / "go.py").write_text("")  # hides the package of that name
    environ = {"PATH": str(tmp_path), "PYTHONPATH": str(tmp_path), "MO_TESTPLAN_STATE": str(tmp_path)}
    found = checks(doctor(environ, "--local", "--profile", "demo", "--format", "json"))
    assert not found["go"]["ok"]
    assert "go.dev" in found["go"]["remedy"]
    assert not found["git"]["ok"]


def test_a_wrong_profile_is_a_finding_like_any_other(tmp_path: Path) -> None:
    profile = tmp_path / "mine.yaml"
    profile.write_text("name: mine\nruless: []\n")
    done = doctor({"MO_TESTPLAN_STATE": str(tmp_path)}, "--local", "--profile", str(profile), "--format", "json")
    assert done.returncode == 3
    found = checks(done)
    assert not found["profile"]["ok"]
    assert "rules" in found["profile"]["remedy"]


def test_a_host_that_has_all_of_it_is_healthy_and_every_queue_names_its_workers(tmp_path: Path) -> None:
    require("valkey", "embedded-sql", "go")
    subprocess.run(["git", "init", "--quiet", str(tmp_path / "clone")], check=True)
    settings = settings_from(
        {"MO_TESTPLAN_STATE": str(tmp_path / "state"), "MO_TESTPLAN_REPO": str(tmp_path / "clone")}
    )
    with LocalStack(settings, "demo") as stack:
        stack.wait_ready()
        done = doctor(to_environment(stack.settings), "--profile", "demo", "--format", "json")
    found = checks(done)
    assert done.returncode == 0, done.stdout + done.stderr
    for queue in ("ut", "bvt", "sca"):
        assert "local1@" in found[f"queue {queue}"]["found"]
    assert "control-" in found["queue control"]["found"]
    assert found["broker keeps runs"]["ok"]
    assert found["broker evicts nothing"]["ok"]


def test_a_queue_that_nobody_serves_is_missing(tmp_path: Path, valkey_url: str) -> None:
    environ = {"MO_TESTPLAN_REDIS_URL": valkey_url, "MO_TESTPLAN_STATE": str(tmp_path)}
    done = doctor(environ, "--profile", "demo", "--format", "json")
    assert done.returncode == 3
    found = checks(done)
    assert found["broker"]["ok"]
    assert not found["queue bvt"]["ok"]
    assert "mo-testplan worker --queues bvt" in found["queue bvt"]["remedy"]
    assert "mo-testplan control" in found["queue control"]["remedy"]
