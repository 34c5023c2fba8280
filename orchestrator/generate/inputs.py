"""All that a generation is made from, read from a repository: the change, the tree of cases, the past, the surface."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from orchestrator.diff.git import Git, Objects, failed, find_git, isolated, resolve
from orchestrator.diff.paths import decode
from orchestrator.diff.repository import read_repository
from orchestrator.diff.source import from_text, read_diff
from orchestrator.diff.tree import RevisionTree
from orchestrator.diff.unified import FileDiff, parse
from orchestrator.generate.history import Past, PastChange
from orchestrator.generate.library import Library, LibraryScript, exercised_by, is_script, read_script, tokens_of
from orchestrator.surface.model import ChangedFile, Surface, Target
from orchestrator.surface.reader import Reader, Surfaces
from orchestrator.surface.targets import targets

#: Past changes with cases that are looked at, newest first.
_MOST_PAST = 1000
#: A past change with fewer new statements says nothing, one with more was an import.
_LEAST, _MOST = 3, 3000


@dataclass(frozen=True, slots=True)
class Inputs:
    """What a change is generated for. Paths of scripts are relative to the tree of cases."""

    title: str
    changes: tuple[ChangedFile, ...]
    surface: Surface
    targets: tuple[Target, ...]
    library: Library
    past: Past
    warnings: tuple[str, ...] = ()


class RepositoryInputs:
    """Reads inputs for many changes of one repository; what two of them share is read once."""

    def __init__(self, directory: Path, cases: str, reader: Reader) -> None:
        """``cases`` is the folder of the scripts in the repository, without a slash at its end."""
        self._directory = directory
        self._cases = f"{cases}/"
        self._surfaces = Surfaces(reader)
        self._scripts: dict[tuple[str, str], LibraryScript] = {}
        self._past: dict[str, PastChange | None] = {}
        self._tokens: dict[str, list[tuple[str, ...]]] = {}

    def read(self, base: str, head: str, title: str | None, exclude: Sequence[str] = ()) -> Inputs:
        """The inputs for ``base`` to ``head``; nothing below ``exclude`` of the head is read.

        Without a title it is the first line of the head's message.

        Raises:
            WorkspaceError, UnknownRunError: the repository or a revision cannot be read.
        """
        change = read_repository(self._directory, base, head, exclude)
        with isolated(find_git(self._directory), change.revisions.head) as git, Objects(git) as objects:
            changes = tuple(changed_file(file, functions) for file, functions in change.files)
            said = title if title is not None else _title(objects.read(change.revisions.head) or b"")
            ends = (change.revisions.merge_base, change.revisions.head)
            return self._inputs(git, objects, ends, said, changes, change.warnings)

    def read_diff(self, name: str, base: str, title: str) -> Inputs:
        """The inputs for a diff (a file, or ``-``) against ``base``; the surface is that of ``base``.

        Raises:
            BadDiffError, WorkspaceError, UnknownRunError: the diff, the repository or the revision cannot be read.
        """
        changes, warnings = _changes_of_diff(name)
        found = find_git(self._directory)
        revision = resolve(found, base, base).head
        with isolated(found, revision) as git, Objects(git) as objects:
            return self._inputs(git, objects, (revision, revision), title, changes, warnings)

    def library(self, revision: str) -> Library:
        """The scripts of a revision, and nothing else of it.

        Raises:
            WorkspaceError, UnknownRunError: the repository or the revision cannot be read.
        """
        found = find_git(self._directory)
        commit = resolve(found, revision, revision).head
        with isolated(found, commit) as git, Objects(git) as objects:
            return self._library(git, objects, commit)

    def _inputs(  # noqa: PLR0913 - all that is known of the change
        self,
        git: Git,
        objects: Objects,
        ends: tuple[str, str],
        title: str,
        changes: tuple[ChangedFile, ...],
        warnings: Sequence[str],
    ) -> Inputs:
        base, head = ends
        surface = self._surfaces.at(RevisionTree(git, objects, head))
        library = self._library(git, objects, base)
        past = self._history(git, objects, base)
        return Inputs(title, changes, surface, tuple(targets(surface, changes)), library, past, tuple(warnings))

    def _library(self, git: Git, objects: Objects, commit: str) -> Library:
        found = {}
        blobs = RevisionTree(git, objects, commit).blobs
        for path, blob in blobs.items():
            if path.startswith(self._cases) and is_script(path):
                result = blobs.get(f"{path.rpartition('.')[0]}.result", "")
                found[path.removeprefix(self._cases)] = self._script(objects, blob, result)
        return Library(found)

    def _script(self, objects: Objects, blob: str, result: str) -> LibraryScript:
        if (blob, result) not in self._scripts:
            text = (objects.read(blob) or b"").decode("utf-8", "replace")
            expected = (objects.read(result) or b"").decode("utf-8", "replace") if result else None
            self._scripts[blob, result] = read_script(text, expected)
        return self._scripts[blob, result]

    def _history(self, git: Git, objects: Objects, commit: str) -> Past:
        patterns = [f":(top,glob){self._cases}**/*{suffix}" for suffix in (".sql", ".test")]
        done = git.run(
            "log", "--first-parent", "-n", str(_MOST_PAST), "--format=%H%x09%P%x09%s", commit, "--", *patterns
        )
        if done.returncode:
            raise failed("the history of the cases cannot be read", done.stderr)
        found = []
        for line in done.stdout.decode("utf-8", "replace").splitlines():
            name, parents, title = line.split("\t", 2)
            if name not in self._past:
                self._past[name] = self._past_change(git, objects, name, parents, title) if parents else None
            one = self._past[name]
            if one is not None:
                found.append(one)
        return Past(reversed(found))

    def _past_change(self, git: Git, objects: Objects, name: str, parents: str, title: str) -> PastChange | None:
        done = git.run("diff-tree", "-r", "--no-abbrev", "--no-renames", "-z", parents.split(maxsplit=1)[0], name)
        fields = done.stdout.decode("utf-8", "replace").split("\0")[:-1]
        paths: list[str] = []
        came: list[str] = []
        gone: list[str] = []
        for entry, path in zip(fields[::2], fields[1::2], strict=True):
            old, new, status = entry.split()[2:]
            if path.startswith(self._cases) and is_script(path):
                came += [] if status == "D" else [new]
                gone += [] if status == "A" else [old]
            elif not path.startswith(self._cases):
                paths.append(path)
        if not came:
            return None
        before = {one for blob in gone for one in self._tokens_of(objects, blob)}
        added = [one for blob in came for one in self._tokens_of(objects, blob) if one not in before]
        if not _LEAST <= len(added) <= _MOST:
            return None
        exercised = frozenset(aspect for one in set(added) for aspect in exercised_by(one))
        return PastChange(name, title, tuple(paths), exercised)

    def _tokens_of(self, objects: Objects, blob: str) -> list[tuple[str, ...]]:
        """The statements of a version of a script, which the next change of it is held against."""
        if blob not in self._tokens:
            self._tokens[blob] = tokens_of((objects.read(blob) or b"").decode("utf-8", "replace"))
        return self._tokens[blob]


def inputs_of_diff(name: str, title: str) -> Inputs:
    """The inputs that a bare diff gives: no tree, no past, and nothing known of the product.

    Raises:
        BadDiffError: the file cannot be read, is no diff, or is damaged.
    """
    changes, warnings = _changes_of_diff(name)
    said = "without a repository the product's functions, cases and history are unknown: only the kit is cut from"
    return Inputs(title, changes, Surface(), (), Library({}), Past(()), (*warnings, said))


def _changes_of_diff(name: str) -> tuple[tuple[ChangedFile, ...], list[str]]:
    """The files of a diff, and warnings; `from_file` says what is wrong with one that cannot be read."""
    data = read_diff(name)
    summary = from_text(data)
    functions = {file.path: set(file.functions) for file in summary.files}
    files = parse(data, [])
    return tuple(changed_file(one, functions.get(decode(one.path), set())) for one in files), list(summary.warnings)


def _title(commit: bytes) -> str:
    return commit.partition(b"\n\n")[2].partition(b"\n")[0].decode("utf-8", "replace")


def changed_file(file: FileDiff, functions: set[str]) -> ChangedFile:
    """A file of a diff as the surface takes it."""
    sides: Mapping[bytes, list[str]] = {b"+": [], b"-": []}
    for hunk in file.hunks:
        for line in hunk.lines:
            if line[:1] in sides:
                sides[line[:1]].append(line[1:].decode("utf-8", "replace"))
    path = file.path.decode("utf-8", "replace")
    return ChangedFile(path, tuple(sorted(functions)), tuple(sides[b"+"]), tuple(sides[b"-"]))
