"""The files of one revision, by blob id: what a reader of many revisions needs to read only what differs."""

from __future__ import annotations

from collections.abc import Mapping

from orchestrator.diff.git import Git, Objects, failed
from orchestrator.diff.paths import decode


class RevisionTree:
    """All files of a commit; contents are read when asked for, through the `Objects` given."""

    def __init__(self, git: Git, objects: Objects, commit: str) -> None:
        """List the files; folders that this clone lacks make it fail.

        Raises:
            WorkspaceError: the commit or one of its trees is not in this clone.
        """
        done = git.run("ls-tree", "-r", "-z", "--full-tree", commit)
        if done.returncode:
            raise failed(f"the tree of {commit} cannot be listed", done.stderr)
        self._objects = objects
        self._blobs = dict(_entries(done.stdout))

    @property
    def blobs(self) -> Mapping[str, str]:
        """Path to blob id; submodules are left out."""
        return self._blobs

    def read(self, path: str) -> bytes | None:
        """The content of a file; ``None`` when there is none, or this clone lacks it."""
        blob = self._blobs.get(path)
        return self._objects.read(blob) if blob else None


def _entries(listing: bytes) -> list[tuple[str, str]]:
    found = []
    for line in listing.split(b"\0")[:-1]:
        meta, _, path = line.partition(b"\t")
        kind, blob = meta.split()[1:3]
        if kind == b"blob":
            found.append((decode(path), blob.decode()))
    return found
