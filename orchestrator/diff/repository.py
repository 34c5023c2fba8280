"""A change read from a repository: the diff between two revisions, and its functions from the real files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from orchestrator.diff.functions import touched
from orchestrator.diff.git import Git, Objects, Revisions, failed, find_git, isolated, missing, resolve
from orchestrator.diff.outline import changed_in_hunks
from orchestrator.diff.paths import decode
from orchestrator.diff.unified import FileDiff, parse
from orchestrator.domain.change import ChangeKind

#: What the diff is made with; everything else is git's default, because no configuration is read.
DIFF = ("diff", "-M", "--full-index", "--no-color", "--no-ext-diff", "--no-textconv")


class RepositoryChange(NamedTuple):
    """All that a repository says of a change."""

    revisions: Revisions
    #: ISO 8601 in UTC; ``None`` when the commit bears no time that can be read.
    head_time: str | None
    #: The files of the diff, each with its changed functions.
    files: list[tuple[FileDiff, set[str]]]
    warnings: list[str]


def read_repository(directory: Path, base: str, head: str, exclude: Sequence[str] = ()) -> RepositoryChange:
    """Read the change from the merge base of ``base`` and ``head`` to ``head``, without the paths below ``exclude``.

    Raises:
        UnknownRunError: a revision is not known.
        WorkspaceError: ``directory`` is no repository, or it lacks the trees of the commits.
    """
    found = find_git(directory)
    revisions = resolve(found, base, head)
    warnings: list[str] = []
    with isolated(found, revisions.head) as git:
        diffs = _diff(git, revisions, warnings, [path.encode() for path in exclude])
        with Objects(git) as objects:
            files = [(file, _functions(objects, file, warnings)) for file in diffs]
            time = _commit_time(objects.read(revisions.head) or b"")
    return RepositoryChange(revisions, time, files, warnings)


def _diff(git: Git, revisions: Revisions, warnings: list[str], exclude: list[bytes]) -> list[FileDiff]:
    ends = (revisions.merge_base, revisions.head)
    excluded = [b":(exclude,top,literal)" + path for path in exclude]
    done = git.run(*DIFF, *ends, "--", *([b":(top)", *excluded] if excluded else []))
    unread: list[FileDiff] = []
    if done.returncode:
        unread = [
            file
            for file in _without_content(git, ends, done.stderr)
            if not file.path.startswith(tuple(exclude) or b"\0")
        ]
        left_out = [b":(exclude,top,literal)" + path for file in unread for path in (file.path, file.old_path) if path]
        done = git.run(*DIFF, *ends, "--", ":(top)", *excluded, *left_out)
        if done.returncode:
            raise failed("the diff cannot be made", done.stderr)
        warnings += [f"{decode(file.path)!r} is not in this clone: its lines are unknown" for file in unread]
    if b"rename detection was skipped" in done.stderr:
        warnings.append("too many files to look for renames: some show as deleted and added")
    return [*parse(done.stdout, warnings), *unread]


class _Entry(NamedTuple):
    #: Old and new blob; empty for a submodule.
    ids: tuple[str, str]
    status: str
    path: bytes


def _without_content(git: Git, ends: tuple[str, str], stderr: bytes) -> Iterator[FileDiff]:
    """The changed files whose content the clone lacks, by their tree entries alone."""
    done = git.run("diff-tree", "-r", "--no-renames", "--raw", "-z", "--no-abbrev", *ends)
    if done.returncode:
        raise failed("the clone lacks a folder of these commits", done.stderr)
    fields = done.stdout.split(b"\0")[:-1]
    entries = [_entry(line, path) for line, path in zip(fields[::2], fields[1::2], strict=True)]
    lacking = missing(git, [name for entry in entries for name in entry.ids if name.strip("0")])
    hit = [entry for entry in entries if lacking.intersection(entry.ids)]
    if not hit:
        raise failed("the diff cannot be made", stderr)
    yield from _pair_renames(hit)


def _entry(line: bytes, path: bytes) -> _Entry:
    old_mode, new_mode, old_id, new_id, status = line.lstrip(b":").decode().split()
    # A submodule's id is a commit of another repository: it is never here, and nobody needs it.
    ids = ("" if old_mode == "160000" else old_id, "" if new_mode == "160000" else new_id)
    return _Entry(ids, status, path)


def _pair_renames(entries: Sequence[_Entry]) -> Iterator[FileDiff]:
    """A file that went with the content that another came with was renamed; git sees that without reading either."""
    gone = {entry.ids[0]: entry for entry in entries if entry.status == "D"}
    for entry in entries:
        if entry.status == "A" and (source := gone.pop(entry.ids[1], None)):
            yield FileDiff(entry.path, ChangeKind.RENAMED, old_path=source.path)
        elif entry.status != "D":
            yield FileDiff(entry.path, ChangeKind.ADDED if entry.status == "A" else ChangeKind.MODIFIED)
    yield from (FileDiff(entry.path, ChangeKind.DELETED) for entry in gone.values())


def _functions(objects: Objects, file: FileDiff, warnings: list[str]) -> set[str]:
    """Changed functions from the real files, or from the hunks when one of them is not in this clone."""
    names: set[str] = set()
    changes = [hunk.changed_lines() for hunk in file.hunks]
    for object_id, lines in (
        (file.old_id, [line for deleted, _ in changes for line in deleted]),
        (file.new_id, [line for _, added in changes for line in added]),
    ):
        source = objects.read(object_id) if lines else b""
        if source is None:
            warnings.append(f"{decode(file.path)!r} is not in this clone: its functions are read from the diff")
            return changed_in_hunks(file.hunks)
        names |= touched(source, lines)
    return names


def _commit_time(commit: bytes) -> str | None:
    for line in commit.partition(b"\n\n")[0].splitlines():
        if line.startswith(b"committer "):
            try:
                seconds = int(line.split()[-2])
                return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
            except (ValueError, IndexError, OverflowError, OSError):
                return None
    return None
