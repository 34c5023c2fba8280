"""git on a repository that is not ours: read its objects, believe nothing else of it."""

from __future__ import annotations

import hashlib
import os
import re
import signal
import subprocess
import tempfile
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from orchestrator.domain.errors import ToolMissingError, WorkspaceError

#: No configuration, hook, filter, prompt, replacement or download comes between the objects and us.
SCRUBBED = {
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_ATTR_NOSYSTEM": "1",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_LFS_SKIP_SMUDGE": "1",
    "LC_ALL": "C",
    "HOME": "/nonexistent",
}
SYMLINK, SUBMODULE = "120000", "160000"
#: The configuration of a repository whose objects are named by SHA-256 (git-init(1), ``--object-format``).
_LONG_NAMES = "[core]\n\trepositoryformatversion = 1\n[extensions]\n\tobjectformat = sha256\n"
#: Digits of a commit's name there.
LONG_NAME = 64
#: What is no name of a file in a tree: git does not check it out, and says so where nobody reads it.
_NO_NAMES = frozenset(("", ".", "..", ".git"))
#: Names that only other systems take for ``.git``, as ``git~1``, are names like any other.
_NAMES_OF_THIS_SYSTEM = ("-c", "core.protectNTFS=false", "-c", "core.protectHFS=false")
#: Bytes that git may answer, some two million files, and seconds it may take.
_MOST_OUTPUT, _SECONDS = 256 << 20, 900.0
#: What ``git update-index`` says of a path that it passes over; its exit code is that of success.
_PASSED_OVER = re.compile(rb"^Ignoring path (.*)", re.MULTILINE)
_COMMIT = re.compile(r"[0-9a-f]{7,64}\Z")


@dataclass(frozen=True, slots=True)
class Entry:
    """A file of a tree."""

    mode: str
    oid: str
    path: str


@dataclass(frozen=True, slots=True)
class Mirror:
    """A private git directory over the objects of ``source``."""

    directory: Path
    source: Path

    @classmethod
    def of(cls, source: Path, root: Path, *, long_names: bool = False) -> Mirror:
        """The mirror of the git directory or working clone ``source`` below ``root``; made when it is not there.

        ``long_names``: its objects are named by SHA-256 (64 digits).

        :raises WorkspaceError: ``source`` is no repository.
        """
        objects = object_store(source)
        key = hashlib.sha256(os.fsencode(objects)).hexdigest()[:16]
        directory = root / "mirrors" / (f"{key}-sha256" if long_names else key)
        if not (directory / "HEAD").is_file():
            _make(directory, objects, _LONG_NAMES if long_names else "")
        return cls(directory, source)

    def resolve(self, commit: str) -> str:
        """The full name of ``commit`` (hexadecimal, at least seven digits).

        :raises WorkspaceError: it is not in the repository, or is no commit's name.
        """
        if not _COMMIT.match(commit):
            raise WorkspaceError(f"{commit[:80]!r} is no commit: a workspace is made of a full or short commit name")
        done = self._git("rev-parse", "--verify", "--quiet", "--end-of-options", f"{commit}^{{commit}}", check=False)
        if done.returncode:
            raise WorkspaceError(
                f"commit {commit} is not in {self.source}", "Fetch it into the repository that the workers read."
            )
        return done.stdout.decode("ascii").strip()

    def entries(self, commit: str) -> list[Entry]:
        """All files of ``commit``, submodules left out.

        :raises WorkspaceError: a tree object is missing, or a path would leave the tree.
        """
        out = self._git("ls-tree", "-r", "-z", "--full-tree", commit).stdout
        found = []
        for record in filter(None, out.split(b"\0")):
            meta, _, name = record.partition(b"\t")
            mode, _, oid = meta.decode("ascii").split(" ")
            path = os.fsdecode(name)
            if any(part.lower() in _NO_NAMES for part in path.split("/")):
                raise WorkspaceError(f"commit {commit} holds the path {path!r}, which no checkout can have")
            if mode != SUBMODULE:
                found.append(Entry(mode, oid, path))
        return found

    def missing(self, entries: Iterable[Entry]) -> frozenset[str]:
        """The objects of ``entries`` that the repository lacks (a partial clone without its large files)."""
        wanted = "\n".join({entry.oid for entry in entries}).encode("ascii") + b"\n"
        out = self._git("cat-file", "--batch-check", stdin=wanted).stdout.decode("ascii")
        return frozenset(line.split(" ")[0] for line in out.splitlines() if line.endswith(" missing"))

    def write(self, entries: Iterable[Entry], folder: Path) -> None:
        """Write ``entries`` as files into the empty ``folder``.

        :raises WorkspaceError: the disk is full, an object is damaged, …
        """
        lines = b"".join(
            f"{entry.mode} {entry.oid} 0\t".encode("ascii") + os.fsencode(entry.path) + b"\0" for entry in entries
        )
        with tempfile.TemporaryDirectory(dir=self.directory, prefix="index-") as private:
            index = {"GIT_INDEX_FILE": str(Path(private, "index"))}
            done = self._git("update-index", "-z", "--index-info", stdin=lines, env=index)
            if lost := _PASSED_OVER.search(done.stderr):  # a link called .gitmodules, which git takes for an attack
                raise WorkspaceError(f"git does not check this commit out in full: not {os.fsdecode(lost[1])!r}")
            self._git("checkout-index", "--all", "--force", "--quiet", f"--prefix={folder}/", env=index, cwd=folder)

    def _git(
        self,
        *words: str,
        stdin: bytes = b"",
        env: dict[str, str] | None = None,
        cwd: Path | None = None,
        check: bool = True,
    ) -> subprocess.CompletedProcess[bytes]:
        place = (f"--git-dir={self.directory}", *(["--work-tree=."] if cwd else []))
        argv = ["git", *_NAMES_OF_THIS_SYSTEM, *place, *words]
        environment = {**SCRUBBED, "PATH": os.defpath + ":/usr/local/bin", **(env or {})}
        try:
            done = _bounded(argv, stdin, environment, cwd or self.directory)
        except FileNotFoundError as error:
            raise ToolMissingError("git is not on this host", "Install git on the worker.") from error
        except OSError as error:
            raise WorkspaceError(f"git {words[0]} did not end: {error}") from error
        if check and done.returncode:
            said = done.stderr.decode("utf-8", errors="replace").strip().splitlines()
            raise WorkspaceError(
                f"git {words[0]} failed: {said[-1] if said else done.returncode}",
                "Look for a full disk, or a repository that is damaged or lacks trees.",
            )
        return done


def _bounded(argv: list[str], stdin: bytes, env: dict[str, str], cwd: Path) -> subprocess.CompletedProcess[bytes]:
    """Run git to its end. A few small objects can stand for a billion files: who names that many is ended.

    :raises WorkspaceError: it was, or it took too long.
    """
    with tempfile.TemporaryFile() as asked, tempfile.TemporaryFile() as said:
        asked.write(stdin)
        asked.seek(0)
        with subprocess.Popen(argv, stdin=asked, stdout=subprocess.PIPE, stderr=said, env=env, cwd=cwd) as process:
            assert process.stdout is not None  # noqa: S101 - a pipe; this is for the type checker
            clock = threading.Timer(_SECONDS, process.kill)
            clock.start()
            out, whole = bytearray(), False
            try:
                while len(out) < _MOST_OUTPUT and (part := process.stdout.read(1 << 20)):
                    out += part
                whole = len(out) < _MOST_OUTPUT
            finally:
                clock.cancel()
                if not whole:
                    process.kill()
        if process.returncode == -signal.SIGKILL:
            raise WorkspaceError(
                f"git was ended after {len(out) >> 20} MB and at most {_SECONDS:g} s",
                "Look at the size of the tree under test.",
            )
        said.seek(0)
        return subprocess.CompletedProcess(argv, process.returncode, bytes(out), said.read())


def object_store(source: Path) -> Path:
    """The ``objects`` directory behind a bare repository, a clone, or a linked worktree.

    :raises WorkspaceError: there is none.
    """
    git = source / ".git"
    for directory in (source, git, _linked(git)):
        if directory is None:
            continue
        common = directory / "commondir"
        top = directory / common.read_text(encoding="utf-8").strip() if common.is_file() else directory
        if (top / "objects").is_dir() and (top / "HEAD").is_file():
            return (top / "objects").resolve()
    raise WorkspaceError(
        f"{source} is no git repository", "Name a clone or a bare git directory as the profile's repository."
    )


def _linked(file: Path) -> Path | None:
    """What a ``.git`` file of a linked worktree points to."""
    if not file.is_file():
        return None
    word, _, path = file.read_text(encoding="utf-8", errors="replace").strip().partition(": ")
    return (file.parent / path).resolve() if word == "gitdir" else None


def _make(directory: Path, objects: Path, config: str = "") -> None:
    """Lay out the smallest git directory there is; several processes may do so at once."""
    try:
        (directory / "objects" / "info").mkdir(parents=True, exist_ok=True)
        (directory / "refs").mkdir(exist_ok=True)
        quoted = str(objects)
        if "\n" in quoted or quoted.startswith('"'):
            raise WorkspaceError(f"git cannot be told of the path {quoted!r}", "Move the repository.")
        _put(directory / "objects" / "info" / "alternates", quoted + "\n")
        _put(directory / "config", config)
        _put(directory / "HEAD", "ref: refs/heads/none\n")  # last: its presence says the rest is there
    except OSError as error:
        raise WorkspaceError(f"no mirror can be made at {directory}: {error}", "Free space on the worker.") from error


def _put(path: Path, text: str) -> None:
    """Write a file in one step; a disk that is full leaves nothing of it."""
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        written = Path(folder, path.name)
        written.write_text(text, encoding="utf-8")
        written.replace(path)
