"""The tree at one commit of a repository, read with git and never checked out."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path

from orchestrator.diff.git import Objects, find_git, isolated, resolve
from orchestrator.diff.tree import RevisionTree
from orchestrator.domain.errors import UnknownRunError

#: What ``git grep -z -c`` says of a file: its name, which may hold anything but NUL, and a number.
_ROW = re.compile(r"([^\0]+)\0(\d+)\n")


class GitTree:
    """:class:`orchestrator.planner.evidence.Tree` over ``git ls-tree``; bare directories and work trees alike."""

    def __init__(self, repository: str | Path, revision: str) -> None:
        self._git = find_git(Path(repository))
        self._revision = revision

    def directories(self, path: str) -> frozenset[str]:
        """Names of the directories right below ``path``."""
        prefix = "" if path == "." else path.rstrip("/") + "/"
        below = (name[len(prefix) :] for name in self._all if name.startswith(prefix))
        return frozenset(name for name in below if "/" not in name)

    def has_directory(self, path: str) -> bool:
        """Whether ``path`` is a directory."""
        return path == "." or path in self._all

    def files(self, path: str) -> tuple[str, ...]:
        """All files below ``path``, relative to it, sorted."""
        prefix = "" if path == "." else path.rstrip("/") + "/"
        return tuple(sorted(name.removeprefix(prefix) for name in self._list(["-r"], [prefix] if prefix else None)))

    def count(self, expression: str, path: str, glob: str) -> Mapping[str, int]:
        """Lines matching ``expression`` in the files below ``path`` matching ``glob``; nothing where git cannot tell.

        Objects that a partial clone lacks are not downloaded for it: estimates are not worth a wait.
        """
        top = "" if path == "." else f"{path.rstrip('/')}/"
        place = f":(top,glob){_literal(top)}{glob}"
        options = ("-z", "-c", "-I", "-G", "--no-color")  # whatever the clone's configuration says
        done = self._git.run("grep", *options, "-e", expression, self._revision, "--", place)
        if done.returncode:
            return {}
        rows = _ROW.findall(done.stdout.decode("utf-8", "surrogateescape"))
        return {name.removeprefix(f"{self._revision}:"): int(number) for name, number in rows}

    def texts(self, suffix: str) -> Mapping[str, str]:
        """The contents of all files whose names end with ``suffix``; those that the clone lacks are left out."""
        commit = resolve(self._git, self._revision, self._revision).head
        found = {}
        with isolated(self._git, commit) as git, Objects(git) as objects:
            tree = RevisionTree(git, objects, commit)
            for path in tree.blobs:
                if path.endswith(suffix) and (content := tree.read(path)) is not None:
                    found[path] = content.decode("utf-8", "replace")
        return found

    @cached_property
    def _all(self) -> frozenset[str]:
        return frozenset(self._list(["-r", "-d"]))

    def _list(self, options: list[str], paths: list[str] | None = None) -> list[str]:
        words = ["--full-tree", "--name-only", "-z", *options, self._revision, "--", *(paths or [])]
        done = self._git.run("ls-tree", *words)
        if done.returncode:
            said = done.stderr.decode(errors="replace").strip()
            raise UnknownRunError(
                f"git cannot list {self._revision} of {self._git.git_dir}: {said}", "Check the revision, or fetch it."
            )
        return [name for name in done.stdout.decode("utf-8", "surrogateescape").split("\0") if name]


def _literal(path: str) -> str:
    """``path`` so that git's glob means it as it is."""
    return re.sub(r"([*?\[\\])", r"\\\1", path)
