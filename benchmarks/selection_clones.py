"""Clones that hold less: for showing what a selection does not look at, and what it can do without."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from orchestrator.diff.git import Git, find_git

#: Who commits what is made here.
_NOBODY = {
    f"GIT_{who}_{what}": value
    for who in ("AUTHOR", "COMMITTER")
    for what, value in (("NAME", "T"), ("EMAIL", "t@example.com"))
}


def cut_clone(repository: Path, commit: str, folder: Path, largest: str = "") -> Git:
    """A bare repository in ``folder`` with a commit and its past, and nothing else.

    With ``largest`` (``100k``) it lacks all larger files, and does not know that it does, as a copy of the object
    store of a partial clone would.
    """
    folder.mkdir()
    subprocess.run(["git", "init", "-q", "--bare", str(folder)], check=True)
    words = ["--revs", "--stdout", "--missing=allow-any", "--delta-base-offset", "-q", "--threads=1"]
    words += [f"--filter=blob:limit={largest}"] if largest else []
    with subprocess.Popen(
        ["git", "pack-objects", *words], cwd=repository, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as source:
        assert source.stdin is not None
        source.stdin.write(commit.encode() + b"\n")
        source.stdin.close()
        index = ["git", "index-pack", "--stdin", "--threads=1"]
        subprocess.run(index, cwd=folder, stdin=source.stdout, stdout=subprocess.DEVNULL, check=True)
    if source.returncode:
        raise subprocess.CalledProcessError(source.returncode, "git pack-objects")
    subprocess.run(["git", "update-ref", "--no-deref", "HEAD", commit], cwd=folder, check=True)
    return find_git(folder)


def without_tests(found: Git, commit: str, tests: str) -> str:
    """A commit like another, which leaves the top directory ``tests`` (``test/``) as its parent has it."""
    time = _git(found, "log", "-1", "--format=%ct", commit)
    name = "\t" + tests.rstrip("/")
    after, before = (_git(found, "ls-tree", revision).splitlines() for revision in (commit, f"{commit}^"))
    kept = [line for line in after if not line.endswith(name)] + [line for line in before if line.endswith(name)]
    tree = _git(found, "mktree", "--missing", send="".join(f"{line}\n" for line in kept))
    dated = {f"GIT_{who}_DATE": f"{time} +0000" for who in ("AUTHOR", "COMMITTER")}
    return _git(found, "commit-tree", "-p", f"{commit}^", "-m", "without its tests", tree, **dated)


def _git(found: Git, *words: str, send: str = "", **environment: str) -> str:
    environment = {**os.environ, **_NOBODY, **environment}
    done = subprocess.run(
        [found.program, *words],
        cwd=found.git_dir,
        input=send,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()
