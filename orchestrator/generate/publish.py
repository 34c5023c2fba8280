"""Writes the files: into a folder, never over another; on request as a commit on a branch of a clone."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

from orchestrator.diff.git import find_git
from orchestrator.domain.errors import UsageError, WorkspaceError

#: Who commits may be said by the environment.
_WHO = frozenset(f"GIT_{role}_{what}" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL", "DATE"))


def write_files(root: Path, files: Mapping[str, str]) -> list[Path]:
    """Write each text at its path below ``root``; all or none.

    Raises:
        UsageError: a file is there already, or cannot be written.
    """
    targets = {Path(root, path): text for path, text in files.items()}
    taken = next((path for path in targets if path.exists()), None)
    if taken is not None:
        raise UsageError(f"{taken} is there already", "Name another folder with -o, or move it away.")
    written: list[Path] = []
    try:
        for path, text in targets.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("x", encoding="utf-8", newline="") as file:
                written.append(path)
                file.write(text)
    except OSError as error:
        for path in written:
            path.unlink(missing_ok=True)
        raise UsageError(
            f"{error.filename or root} cannot be written: {error.strerror}", "Name another folder with -o."
        ) from error
    return written


def check_branch(clone: Path, branch: str) -> None:
    """Look whether `commit_branch` could make a branch.

    Raises:
        UsageError: it exists, or git takes no such name.
        WorkspaceError: there is no clone.
    """
    find_git(clone)
    if not _git(clone, "check-ref-format", "--branch", branch, check=False):
        raise UsageError(f"{branch!r} is no name of a branch", "Name another one with --branch.")
    if _git(clone, "rev-parse", "--verify", "--quiet", f"refs/heads/{branch}", check=False):
        raise UsageError(f"the branch {branch!r} exists", "Name another one with --branch.")


def commit_branch(clone: Path, branch: str, base: str, files: Mapping[str, str], message: str) -> str:
    """Commit the files on a new branch of a clone, at ``base``; its work tree and index stay as they are.

    Raises:
        UsageError: the branch exists, or a file is in its tree already.
        WorkspaceError: git refuses.
    """
    check_branch(clone, branch)
    index = clone / f".mo-testplan-index-{os.getpid()}"
    environment = {"GIT_INDEX_FILE": str(index.absolute())}
    try:
        _git(clone, "read-tree", base, environment=environment)
        for path, text in files.items():
            if _git(clone, "ls-files", "--cached", "--", path, environment=environment, check=False):
                raise UsageError(f"{path} is in {base} already", "Generate with another --seed, or rename it.")
            blob = _git(clone, "hash-object", "-w", "--stdin", send=text)
            _git(clone, "update-index", "--add", "--cacheinfo", f"100644,{blob},{path}", environment=environment)
        tree = _git(clone, "write-tree", environment=environment)
        commit = _git(clone, "commit-tree", tree, "-p", base, "-m", message)
        _git(clone, "update-ref", f"refs/heads/{branch}", commit, "")
    finally:
        index.unlink(missing_ok=True)
    return commit


def _git(
    clone: Path, *words: str, environment: Mapping[str, str] | None = None, send: str = "", check: bool = True
) -> str:
    # In a hook of git, GIT_DIR and others say which repository is meant: not this one.
    mine = {name: value for name, value in os.environ.items() if not name.startswith("GIT_") or name in _WHO}
    own = {**mine, **(environment or {}), "GIT_TERMINAL_PROMPT": "0"}
    author = {
        "GIT_AUTHOR_NAME": "mo-testplan",
        "GIT_AUTHOR_EMAIL": "mo-testplan@localhost",
        "GIT_COMMITTER_NAME": "mo-testplan",
        "GIT_COMMITTER_EMAIL": "mo-testplan@localhost",
    }
    done = subprocess.run(
        ["git", "-C", str(clone), *words],
        input=send,
        capture_output=True,
        text=True,
        check=False,
        env={**author, **own},
    )
    if done.returncode and check:
        raise WorkspaceError(
            f"git {words[0]} failed: {done.stderr.strip()[-200:]}", "Look at the clone with `git fsck`."
        )
    return done.stdout.strip()
