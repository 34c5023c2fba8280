"""``action.yml``: the scripts of its steps, as a runner starts them, with the real program and a real Redis."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as Xml

import pytest
import yaml

from orchestrator.ledger.client import Ledger
from tests.acceptance.project import Project, make_project

ROOT = Path(__file__).resolve().parents[2]
STEPS: dict[str, dict[str, Any]] = {
    step["name"]: step for step in yaml.safe_load((ROOT / "action.yml").read_text())["runs"]["steps"]
}


class Runner:
    """A job that has installed the program."""

    def __init__(self, folder: Path, url: str) -> None:
        self.folder, self.url = folder, url
        self.project: Project = make_project(folder / "project", {"a": "t.Fatal(1)"})
        program = folder / "mo-testplan" / "bin" / "mo-testplan"
        program.parent.mkdir(parents=True)
        program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m orchestrator "$@"\n')
        program.chmod(0o755)

    def step(self, name: str, **env: str) -> dict[str, str]:
        """Run a step's script; its outputs."""
        known = {"MO_TESTPLAN_REDIS_URL", *env}
        assert set(STEPS[name].get("env", {})) <= known, "the step reads what the test does not give"
        files = {"GITHUB_OUTPUT": self.folder / "output", "GITHUB_STEP_SUMMARY": self.folder / "summary.md"}
        files["GITHUB_OUTPUT"].write_text("")
        done = subprocess.run(
            ["bash", "-e", "-o", "pipefail", "-c", STEPS[name]["run"]],
            cwd=self.project.repo,
            env={
                **self.project.environment({"MO_TESTPLAN_REDIS_URL": self.url, "PYTHONPATH": str(ROOT)}),
                **{key: str(path) for key, path in files.items()},
                "RUNNER_TEMP": str(self.folder),
                **env,
            },
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        pairs = (line.partition("=") for line in files["GITHUB_OUTPUT"].read_text().splitlines())
        return {key: value for key, _, value in pairs}


@pytest.fixture
def runner(tmp_path: Path, valkey_url: str) -> Runner:
    Ledger(valkey_url).redis.flushall()
    return Runner(tmp_path, valkey_url)


def test_it_enqueues_tells_and_cancels(runner: Runner) -> None:
    profile = str(runner.project.profile)
    arguments = "--weight 2\n--head-branch topic\n"
    run = runner.step("Start", PROFILE=profile, BASE="main", HEAD="pr", PULL="5", ARGUMENTS=arguments)["run"]
    ledger = Ledger(runner.url)
    found = ledger.progress(run)
    assert found is not None
    assert found.pr_number == 5
    plan = ledger.plan(run)
    assert plan is not None
    assert json.loads(plan)["head_branch"] == "topic"
    runner.step("Cancel", RUN=run)
    told = runner.step("Tell", RUN=run)
    assert f"Run `{run}`" in (runner.folder / "summary.md").read_text()
    assert "why each test was chosen" in (runner.folder / "summary.md").read_text()
    (suite,) = Xml.parse(told["junit"]).iter("testsuite")  # noqa: S314 - our own program wrote it
    assert suite.get("name") == "ut:a/..."


def test_values_reach_the_scripts_as_data() -> None:
    assert not [name for name, step in STEPS.items() if "${{" in step.get("run", "")]
