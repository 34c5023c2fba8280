"""Git without surprises: no configuration, attribute or hook of a user, host or repository changes what it answers.

Two steps keep it so. Names are looked up in the repository itself, with a scrubbed environment. Everything else runs in
an empty bare repository of our own (`Isolated`) that only borrows the other one's objects: it may be owned by another
user, be read-only, lack its ``config``, or be a partial clone, and nothing is ever fetched.
"""

from __future__ import annotations

import contextlib
import os
import resource
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from orchestrator.domain.errors import BadDiffError, ToolMissingError, UnknownRunError, WorkspaceError

#: git(1), "Environment Variables"; ``GIT_ALLOW_PROTOCOL`` stops lazy fetches of a git before 2.45.
_ENVIRONMENT = {
    "PATH": os.defpath,
    "LC_ALL": "C",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_ATTR_NOSYSTEM": "1",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_ALLOW_PROTOCOL": "none",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_CONFIG_COUNT": "1",
    "GIT_CONFIG_KEY_0": "safe.directory",
    "GIT_CONFIG_VALUE_0": "*",
}
#: Bytes that git may have in memory, and may answer.
_MOST_MEMORY, _MOST_OUTPUT = 2 << 30, 512 << 20
_TOO_MUCH = "Look for a commit that brings very many or very large files: a tree may name itself a billion times."
_SHA256 = "[core]\n\trepositoryformatversion = 1\n\tbare = true\n[extensions]\n\tobjectformat = sha256\n"
_SHA1 = "[core]\n\trepositoryformatversion = 0\n\tbare = true\n"


@dataclass(frozen=True, slots=True)
class Revisions:
    """Commit ids: both ends as named, and the merge base that the diff starts from."""

    base: str
    head: str
    merge_base: str


@dataclass(frozen=True, slots=True)
class Git:
    """The git program, bound to one git directory."""

    program: str
    git_dir: Path
    objects: Path | None = None

    @property
    def environment(self) -> dict[str, str]:
        """All that git gets to see of its surroundings."""
        borrowed = {"GIT_OBJECT_DIRECTORY": str(self.objects)} if self.objects else {}
        return {**_ENVIRONMENT, **borrowed, "GIT_DIR": str(self.git_dir)}

    def run(self, *arguments: str | bytes, send: bytes = b"") -> subprocess.CompletedProcess[bytes]:
        """Run one git command in its git directory; the caller looks at ``returncode``.

        A few small objects can stand for more files than any memory holds: git and its answer are bounded.

        Raises:
            WorkspaceError: the directory cannot be entered, the command line is too long for this host, or git needs
                more than it is given.
        """
        words = [self.program, *arguments]
        with tempfile.TemporaryFile() as asked, tempfile.TemporaryFile() as said:
            asked.write(send)
            asked.seek(0)
            try:
                process = subprocess.Popen(
                    words, stdin=asked, stdout=subprocess.PIPE, stderr=said, env=self.environment, cwd=self.git_dir
                )
            except OSError as error:
                raise WorkspaceError(f"git cannot be run in {self.git_dir}: {error.strerror}", _READABLE) from error
            with process:
                with contextlib.suppress(OSError, AttributeError):  # ended, bounded already; only Linux has this call
                    resource.prlimit(process.pid, resource.RLIMIT_DATA, (_MOST_MEMORY, _MOST_MEMORY))
                try:
                    answer = _read(process)
                except BaseException:
                    process.kill()
                    raise
            said.seek(0)
            told = said.read()
            if process.returncode and b"ut of memory" in told:
                raise WorkspaceError(f"git needs more than {_MOST_MEMORY >> 20} MB for this", _TOO_MUCH)
            return subprocess.CompletedProcess(words, process.returncode, answer, told)


def _read(process: subprocess.Popen[bytes]) -> bytes:
    """All that it says, unless that is too much."""
    assert process.stdout is not None  # noqa: S101 - a pipe; this is for the type checker
    parts, size = [], 0
    while part := process.stdout.read(1 << 20):
        parts.append(part)
        size += len(part)
        if size > _MOST_OUTPUT:
            raise WorkspaceError(f"git answers more than {_MOST_OUTPUT >> 20} MB", _TOO_MUCH)
    return b"".join(parts)


_READABLE = "Name a clone (bare or not) that this user may read: --repo, or MO_TESTPLAN_REPO of a service or a worker."


def find_git(directory: Path) -> Git:
    """Find the git directory of ``directory``: itself when bare, else the ``.git`` of it or of a folder above.

    Raises:
        ToolMissingError: there is no git on this host.
        WorkspaceError: there is no repository at or above ``directory``.
    """
    program = shutil.which("git")
    if program is None:
        raise ToolMissingError("git is not on the PATH", "Install git, or give the diff itself.")
    start = directory.absolute()
    for folder in (start, *start.parents):
        for candidate in (folder, _follow(folder / ".git")):
            if _is_git_dir(candidate):
                return Git(program, candidate)
    raise WorkspaceError(f"{directory} is no git repository, nor is it inside of one", _READABLE)


def _follow(dot_git: Path) -> Path:
    """Where a ``.git`` file (of a submodule or a linked worktree) points; a ``.git`` folder is its own answer."""
    try:
        text = dot_git.read_text(errors="surrogateescape") if dot_git.is_file() else ""
    except OSError:
        return dot_git
    return dot_git.parent / text.removeprefix("gitdir:").strip() if text.startswith("gitdir:") else dot_git


def _is_git_dir(path: Path) -> bool:
    """HEAD and objects, as a linked worktree finds them too; ``config`` is not needed."""
    try:
        return (path / "HEAD").is_file() and (_common(path) / "objects").is_dir()
    except OSError:
        return False


def _common(git_dir: Path) -> Path:
    """The git directory that holds the objects: another one for a linked worktree."""
    pointer = git_dir / "commondir"
    return git_dir / pointer.read_text(errors="surrogateescape").strip() if pointer.is_file() else git_dir


def resolve(git: Git, base: str, head: str) -> Revisions:
    """Turn two names into commits and find where they parted, as ``base...head`` does.

    Raises:
        UnknownRunError: a name means no commit of this repository.
        BadDiffError: the two have no common ancestor.
    """
    for name in (base, head):
        if not name or name.startswith(("-", "^")) or ".." in name or not name.isprintable():
            raise UnknownRunError(f"{name!r} is no revision", "Name a branch, a tag or a commit id.")
    done = git.run("rev-parse", f"{base}^{{commit}}...{head}^{{commit}}")
    if done.returncode:
        raise _unknown(git, base, head, done.stderr)
    second, first, *bases = done.stdout.decode().split()
    if not bases:
        raise BadDiffError(
            f"{base!r} and {head!r} have no common ancestor in this repository",
            "A shallow clone may lack it: `git fetch --unshallow`, or give the diff itself.",
        )
    return Revisions(first, second, bases[0].removeprefix("^"))


def _unknown(git: Git, base: str, head: str, stderr: bytes) -> Exception:
    for name in (base, head):
        if git.run("rev-parse", "--verify", "--quiet", f"{name}^{{commit}}").returncode == 1:
            return UnknownRunError(
                f"{name!r} is not a commit of {git.git_dir}",
                "Look with `git branch --all` or `git tag`; perhaps it must be fetched first.",
            )
    return failed("the revisions cannot be looked up", stderr)


def failed(what: str, stderr: bytes) -> WorkspaceError:
    """An error that quotes git's own last words."""
    words = stderr.decode(errors="replace").strip().splitlines()
    return WorkspaceError(f"{what}: {words[-1] if words else 'git gave no reason'}", "Check it with `git fsck`.")


@contextmanager
def isolated(git: Git, commit: str) -> Iterator[Git]:
    """Lend the objects of a repository to an empty one of our own, for as long as the context lasts."""
    with tempfile.TemporaryDirectory(prefix="mo-testplan-") as folder:
        own = Path(folder)
        (own / "refs").mkdir()
        (own / "HEAD").write_text("ref: refs/heads/none\n")
        (own / "config").write_text(_SHA256 if len(commit) == 64 else _SHA1)
        yield Git(git.program, own, (_common(git.git_dir) / "objects").resolve())


class Objects:
    """Reads objects, one after another, through a single ``git cat-file --batch``."""

    def __init__(self, git: Git) -> None:
        self._process = subprocess.Popen(
            [git.program, "cat-file", "--batch"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=git.environment,
            cwd=git.git_dir,
        )

    def __enter__(self) -> Objects:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if kind is not None:
            self._process.kill()
        self._process.communicate()

    def read(self, object_id: str) -> bytes | None:
        """The content of an object; ``None`` when the repository lacks it or cannot read it."""
        source, answers = self._process.stdin, self._process.stdout
        assert source is not None  # noqa: S101 - both are pipes; this is for the type checker
        assert answers is not None  # noqa: S101
        try:
            source.write(object_id.encode() + b"\n")
            source.flush()
        except BrokenPipeError:
            return None
        header = answers.readline().split()
        if len(header) != 3:
            return None
        return answers.read(int(header[2]) + 1)[:-1]


def missing(git: Git, object_ids: Sequence[str]) -> set[str]:
    """Those of the objects that the repository lacks."""
    asked = "\n".join(object_ids).encode() + b"\n"
    answers = git.run("cat-file", "--batch-check", send=asked).stdout.decode().splitlines()
    return {answer.split()[0] for answer in answers if answer.endswith(" missing")}
