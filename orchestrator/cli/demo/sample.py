"""The example project as a git repository: a ``main`` branch, and a pull request that grows a commit at a time."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from orchestrator.domain.errors import InfrastructureError, ToolMissingError

#: Where the example lies, in the sources and in an installed package alike.
EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "shop"
BASE, HEAD = "main", "cap-discounts"

#: Same author and same minute every time, so that commit ids, and with them plan ids, are the same everywhere.
_WHO = {
    f"GIT_{role}_{field}": value
    for role in ("AUTHOR", "COMMITTER")
    for field, value in (("NAME", "Shop"), ("EMAIL", "shop@example.com"))
}
_MINUTE = "2026-01-05T09:{:02}:00+00:00"


class SampleRepository:
    """A clone at ``path`` as a pull request's author would have it. Each method makes one commit on the branch."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._commits = 0
        program = shutil.which("git")
        if program is None:
            raise ToolMissingError("git is not on the PATH", "Install git.")
        self._git = program

    def create(self) -> str:
        """Copy the example and commit it as ``main``; the commit's id."""
        if not EXAMPLE.is_dir():
            raise InfrastructureError(f"the example is not at {EXAMPLE}", "Install the package again.")
        shutil.copytree(EXAMPLE, self.path, ignore=shutil.ignore_patterns("pr", ".*"))
        self._run("init", "--quiet", "--template=", f"--initial-branch={BASE}")
        return self._commit("A small shop")

    def open_pull_request(self) -> str:
        """The change that breaks one function; the commit's id."""
        self._run("checkout", "--quiet", "-b", HEAD)
        self._apply("break.patch")
        return self._commit("Cap discounts at 100 %")

    def number(self, pull: int) -> None:
        """Let the branch as it stands be the pull request of that number."""
        self._run("update-ref", f"refs/pull/{pull}/head", HEAD)

    def fix(self) -> str:
        """The change that repairs it; the commit's id."""
        self._apply("fix.patch")
        return self._commit("Round half a cent up again")

    def hunks(self, commit: str, file: str) -> list[str]:
        """The lines that ``commit`` takes out of and puts into a file, signs included."""
        text = self._run("show", "--format=", "--unified=0", "--no-color", "--no-ext-diff", commit, "--", file)
        lines = [line for line in text.splitlines() if line.startswith(("+", "-"))]
        return [line for line in lines if not line.startswith(("+++", "---"))]

    def _apply(self, patch: str) -> None:
        self._run("apply", "--whitespace=nowarn", str(EXAMPLE / "pr" / patch))

    def _commit(self, subject: str) -> str:
        self._run("add", "--all")
        self._run("commit", "--quiet", "--no-verify", "-m", subject)
        self._commits += 1
        return self._run("rev-parse", "HEAD").strip()

    def _run(self, *words: str) -> str:
        """Git without anything of the user's: configuration, hooks, attributes, signatures."""
        date = _MINUTE.format(self._commits)
        environment = {
            "PATH": os.environ.get("PATH", os.defpath),
            "LC_ALL": "C",
            "HOME": os.devnull,
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_ATTR_NOSYSTEM": "1",
            "GIT_AUTHOR_DATE": date,
            "GIT_COMMITTER_DATE": date,
            **_WHO,
        }
        settings = ["-c", "core.autocrlf=false", "-c", "core.fileMode=false", "-c", "gc.auto=0"]
        done = subprocess.run(
            [self._git, *settings, *words],
            cwd=self.path,
            env=environment,
            capture_output=True,
            text=True,
            encoding="utf-8",
            errors="replace",
            check=False,
        )
        if done.returncode:
            said = (done.stderr or done.stdout).strip()
            raise InfrastructureError(f"git {words[0]} failed in {self.path}: {said}", "Is this git 2.28 or newer?")
        return done.stdout
