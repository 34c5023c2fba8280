"""A small Go project in a git repository, and the real command line to test it with."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

PROFILE = """
name: mini
documentation: ["*.md"]
rules:
{rules}
unit_tests:
  flags: ["-count=1"]
  everything: ["..."]
  timeout: {timeout}
  setup_seconds: 1
  seconds_per_package: 1
  env: {{GOFLAGS: "-mod=mod", GOPROXY: "off", GOTOOLCHAIN: local}}
bvt:
  cases: cases
  setup_seconds: 1
  server: {{provider: dsn, dsn: "{dsn}", startup_timeout: 2}}
sca:
  setup_seconds: 1
  analysers: {analysers}
dispatch: {{shard_seconds: {shard_seconds}, lease: 3, workers: 2}}
"""

VET = '[{name: go-vet, command: [go, vet, -json, "{packages}"], format: go-vet-json, timeout: 60}]'


@dataclass
class Project:
    """A repository with a ``main`` branch and a ``pr`` branch that touches every package; and its profile."""

    root: Path
    environ: dict[str, str] = field(default_factory=dict)

    @property
    def repo(self) -> Path:
        """The clone."""
        return self.root / "repo"

    @property
    def profile(self) -> Path:
        """The profile file."""
        return self.root / "config" / "mini.yaml"

    def git(self, *words: str) -> str:
        """One git command in the clone."""
        identity = ["-c", "user.name=t", "-c", "user.email=t@example.com"]
        done = subprocess.run(["git", *identity, *words], cwd=self.repo, capture_output=True, text=True, check=True)
        return done.stdout.strip()

    def command(self, *words: str, **environ: str) -> subprocess.CompletedProcess[str]:
        """``mo-testplan WORDS`` to its end."""
        return subprocess.run(
            [sys.executable, "-m", "orchestrator", *words],
            env=self.environment(environ),
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )

    def run_json(self, *words: str, **environ: str) -> tuple[int, dict[str, Any]]:
        """A command that prints JSON: exit code and document."""
        done = self.command(*words, "--format", "json", **environ)
        assert "Traceback" not in done.stderr, done.stderr
        assert done.stdout.strip(), done.stderr
        return done.returncode, json.loads(done.stdout)

    def environment(self, more: Mapping[str, str] | None = None) -> dict[str, str]:
        """This process's environment with a state of its own."""
        state = {
            "MO_TESTPLAN_STATE": str(self.root / "state"),
            "MO_TESTPLAN_CONFIG_DIR": str(self.root / "config"),
            "MO_TESTPLAN_REPO": str(self.repo),
        }
        return {**os.environ, **state, **self.environ, **(more or {})}

    def change(self) -> list[str]:
        """The options of ``plan`` that name the change."""
        return ["--repo", str(self.repo), "--base", "main", "--head", "pr", "--profile", str(self.profile)]


def make_project(
    root: Path,
    packages: Mapping[str, str],
    *,
    cases: Mapping[str, str] | None = None,
    timeout: float = 60,
    dsn: str = "mysql://nobody@127.0.0.1:1",
    analysers: str = "[]",
    shard_seconds: float = 1,
) -> Project:
    """Write a project whose packages hold the given test bodies (``package → body of func TestIt``)."""
    project = Project(root)
    (root / "config").mkdir(parents=True)
    rules = [f"  - {{prefix: {name}/, unit_tests: [{name}]}}" for name in packages]
    rules += [
        f"  - {{prefix: cases/{Path(name).parts[0]}/, categories: [{Path(name).parts[0]}]}}" for name in cases or {}
    ]
    text = PROFILE.format(
        rules="\n".join(rules), timeout=timeout, dsn=dsn, analysers=analysers, shard_seconds=shard_seconds
    )
    project.profile.write_text(text)
    project.repo.mkdir()
    project.git("init", "-q", "-b", "main")
    _write(project.repo / "go.mod", "module example.com/mini\n\ngo 1.21\n")
    for name in packages:
        _write(project.repo / name / "it.go", f"package {name}\n\nfunc It() int {{ return 1 }}\n")
    project.git("add", "-A")
    project.git("commit", "-q", "-m", "start")
    project.git("checkout", "-q", "-b", "pr")
    for name, body in packages.items():
        _write(project.repo / name / "it.go", f"package {name}\n\nfunc It() int {{ return 2 }}\n")
        _write(project.repo / name / "it_test.go", _test_file(name, body))
    for name, script in (cases or {}).items():
        _write(project.repo / "cases" / name, script)
    project.git("add", "-A")
    project.git("commit", "-q", "-m", "change")
    return project


def _test_file(name: str, body: str) -> str:
    imports = "".join(
        f'\t"{package}"\n' for package in ("fmt", "os", "os/exec", "time") if f"{package.rpartition('/')[2]}." in body
    )
    indented = textwrap.indent(body.strip(), "\t")
    return f'package {name}\n\nimport (\n\t"testing"\n{imports})\n\nfunc TestIt(t *testing.T) {{\n{indented}\n}}\n'


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
