"""Small real repositories, made by git itself."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

_ENVIRONMENT = {
    "GIT_AUTHOR_NAME": "a",
    "GIT_AUTHOR_EMAIL": "a@example.org",
    "GIT_COMMITTER_NAME": "c",
    "GIT_COMMITTER_EMAIL": "c@example.org",
    "GIT_AUTHOR_DATE": "1700000000 +0800",
    "GIT_COMMITTER_DATE": "1700000000 +0800",
}


class Repo:
    """A repository with a work tree."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.git("init", "-q", "-b", "main")

    def git(self, *arguments: str) -> bytes:
        """Run git as somebody without configuration; the output."""
        environment = {**os.environ, **_ENVIRONMENT}
        done = subprocess.run(
            ["git", *arguments],
            cwd=self.folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout

    def write(self, path: str | bytes, content: str | bytes) -> None:
        """Write a file, folders included."""
        target = os.path.join(os.fsencode(self.folder), os.fsencode(path))  # noqa: PTH118 - the path may be bytes
        os.makedirs(os.path.dirname(target), exist_ok=True)  # noqa: PTH103, PTH120
        with open(target, "wb") as file:  # noqa: PTH123
            file.write(content if isinstance(content, bytes) else content.encode())

    def commit(self) -> str:
        """Commit everything; the commit's id."""
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", "change")
        return self.git("rev-parse", "HEAD").decode().strip()

    def bomb(self) -> str:
        """A commit on top of HEAD whose ten small trees, each ten times in the next, stand for 10^10 files."""
        blob = self.git("hash-object", "-w", "--stdin").decode().strip()
        kind, below = "100644 blob", blob
        for _ in range(10):
            rows = "".join(f"{kind} {below}\tn{number}\n" for number in range(10))
            done = subprocess.run(
                ["git", "mktree"], cwd=self.folder, input=rows.encode(), capture_output=True, check=True
            )
            kind, below = "040000 tree", done.stdout.decode().strip()
        return self.git("commit-tree", "-p", "HEAD", "-m", "bomb", below).decode().strip()

    def object_file(self, revision: str) -> Path:
        """Where the loose object of a revision lies."""
        name = self.git("rev-parse", revision).decode().strip()
        return self.folder / ".git" / "objects" / name[:2] / name[2:]
