"""The tree at one commit of a repository, read with git and never checked out."""

from __future__ import annotations

import subprocess
from functools import cached_property
from pathlib import Path

from orchestrator.domain.errors import ToolMissingError, UnknownRunError


def git_dir(repository: str | Path) -> str:
    """The git directory of a clone given by its work tree, or of a bare one given by itself."""
    inside = Path(repository) / ".git"
    return str(inside if inside.exists() else repository)


class GitTree:
    """:class:`orchestrator.planner.evidence.Tree` over ``git ls-tree``; bare directories and work trees alike."""

    def __init__(self, repository: str | Path, revision: str) -> None:
        self._git_dir = git_dir(repository)
        self._revision = revision

    def directories(self, path: str) -> frozenset[str]:
        """Names of the directories right below ``path``."""
        prefix = "" if path in ("", ".") else path.rstrip("/") + "/"
        below = (name[len(prefix) :] for name in self._all if name.startswith(prefix))
        return frozenset(name for name in below if name and "/" not in name)

    def has_directory(self, path: str) -> bool:
        """Whether ``path`` is a directory."""
        return path == "." or path in self._all

    def files(self, path: str) -> tuple[str, ...]:
        """All files below ``path``, relative to it, sorted."""
        prefix = path.rstrip("/") + "/"
        names = self._ls("-r", "--name-only", "-z", self._revision, "--", prefix)
        return tuple(sorted(name.removeprefix(prefix) for name in names))

    @cached_property
    def _all(self) -> frozenset[str]:
        return frozenset(self._ls("-r", "-d", "--name-only", "-z", self._revision))

    def _ls(self, *words: str) -> list[str]:
        command = ["git", "--no-replace-objects", f"--git-dir={self._git_dir}", "ls-tree", "--full-tree", *words]
        try:
            done = subprocess.run(command, capture_output=True, check=False, stdin=subprocess.DEVNULL)
        except FileNotFoundError:
            raise ToolMissingError("git is not on the PATH", "Install git.") from None
        if done.returncode:
            said = done.stderr.decode(errors="replace").strip()
            raise UnknownRunError(
                f"git cannot list {self._revision} of {self._git_dir}: {said}", "Check the revision, or fetch it."
            )
        return [name for name in done.stdout.decode("utf-8", "surrogateescape").split("\0") if name]
