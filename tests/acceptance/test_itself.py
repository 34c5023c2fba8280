"""A Python project like this one, and this project's own profile: planned and run by itself."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from orchestrator.domain.change import ChangeKind, DiffSummary, FileChange
from orchestrator.planner.pipeline import build_plan
from orchestrator.settings import check_profile, settings_from
from tests.acceptance.project import Project
from tests.require import require

ROOT = Path(__file__).resolve().parents[2]
PROFILE = """
name: snake
documentation: ["*.md"]
rules:
  - {prefix: shop/, unit_tests: [tests/unit]}
  - {prefix: tests/unit/, unit_tests: [tests/unit]}
  - {prefix: tests/slow/, unit_tests: [tests/slow]}
unit_tests:
  format: pytest
  command: ["{python}", -m, pytest]
  everything: [tests/...]
  timeout: 60
  setup_seconds: 1
  seconds_per_package: 1
sca:
  files: ["*.py"]
  setup_seconds: 1
  analysers: [{name: ruff, command: [ruff, check, --output-format, concise, --isolated, .], timeout: 60, seconds: 1}]
dispatch: {shard_seconds: 1, workers: 2, confirm_failures: false}
"""


def _snake(folder: Path) -> Project:
    project = Project(folder)
    project.profile.parent.mkdir(parents=True)
    project.profile.write_text(PROFILE)
    files = {
        "shop/__init__.py": "PRICE = 1\n",
        "tests/__init__.py": "",
        "tests/unit/__init__.py": "",
        "tests/unit/test_price.py": "from shop import PRICE\n\n\ndef test_price() -> None:\n    assert PRICE == 1\n",
        "tests/slow/__init__.py": "",
        "tests/slow/test_slow.py": "def test_slow() -> None:\n    assert False, 'never planned'\n",
    }
    for name, text in files.items():
        (project.repo / name).parent.mkdir(parents=True, exist_ok=True)
        (project.repo / name).write_text(text)
    project.git("init", "-q", "-b", "main")
    project.git("add", "-A")
    project.git("commit", "-q", "-m", "start")
    project.git("checkout", "-q", "-b", "pr")
    return project


def _change(project: Project, text: str) -> tuple[int, dict[str, object]]:
    (project.repo / "shop" / "__init__.py").write_text(text)
    project.git("commit", "-q", "-a", "-m", "change")
    environ = {"PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin"}
    code, summary = project.run_json("run", *project.change(), "--local", "--no-sandbox", **environ)
    states = {str(task["task"]): task["state"] for task in summary["tasks"]}
    assert set(states) == {"ut:tests/unit", "sca:ruff"}
    return code, states


def test_a_python_change_is_planned_and_run_with_the_verdict_pytest_gives(tmp_path: Path) -> None:
    require("valkey")
    project = _snake(tmp_path)
    assert _change(project, "PRICE = 1  # the same\n") == (0, {"ut:tests/unit": "passed", "sca:ruff": "passed"})
    assert _change(project, "import os\n\nPRICE = 2\n") == (1, {"ut:tests/unit": "failed", "sca:ruff": "failed"})


def test_every_source_of_this_project_has_tests_in_its_own_profile() -> None:
    profile = check_profile(str(ROOT / "config" / "mo-testplan.yaml"), settings_from({}))
    done = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False)
    names = done.stdout.split() or [str(p.relative_to(ROOT)) for p in ROOT.glob("orchestrator/**/*.py")]
    sources = [name for name in names if name.startswith(("orchestrator/", "workers/")) and name.endswith(".py")]
    assert len(sources) > 200
    for name in sources:
        change = DiffSummary((FileChange(name, ChangeKind.MODIFIED),))
        assert any(task.package for task in build_plan(change, profile).tasks), name


def test_the_tests_its_rules_name_exist() -> None:
    profile = check_profile(str(ROOT / "config" / "mo-testplan.yaml"), settings_from({}))
    named = {test for rule in profile.rules for test in rule.unit_tests}
    assert [test for test in sorted(named) if not (ROOT / test).exists()] == []
