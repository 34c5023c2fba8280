"""Checkouts of a host: made once, used by many, removed when nobody does."""

from __future__ import annotations

import contextlib
import json
import os
import re
import time
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from orchestrator.domain.errors import CancelledError, WorkspaceError
from workers.process.scratch import remove_tree
from workers.workspace.git import LONG_NAME, SYMLINK, Entry, Mirror
from workers.workspace.locks import FileLock, build_lock

#: Written last: a checkout without it was cut short and is made anew.
MARKER = "complete.json"
#: Longest that making a checkout may take another process, in seconds.
PATIENCE = 1800.0
_RUN = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}\Z")


def _never() -> bool:
    return False


@dataclass(slots=True)
class Workspace:
    """A checkout in use; hand it back with :meth:`release` (a dying process does so too)."""

    #: The tree under test.
    path: Path
    commit: str
    #: Paths the repository has no contents for: they are not there.
    missing: tuple[str, ...]
    #: Symbolic links that would leave the tree: they are plain files holding their target's name.
    defused: tuple[str, ...]
    _lock: FileLock | None = field(default=None, repr=False)

    def release(self) -> None:
        """Say that it is not used any more; it stays for the run's other shards until pruned."""
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def close(self) -> None:
        """:meth:`release`, by the name that resources of a shard have."""
        self.release()


class Workspaces:
    """The checkouts of one repository below ``root``. Any number of processes may share ``root``."""

    def __init__(self, root: Path, source: Path) -> None:
        self._root = root.absolute()
        self._source = source.absolute()

    def checkout(
        self,
        commit: str,
        run: str,
        *,
        only: tuple[str, ...] = (),
        cancelled: Callable[[], bool] = _never,
    ) -> Workspace:
        """The tree of ``commit`` for ``run``, made when it is not there yet.

        ``only`` names files and directories to write; nothing named: all of it. Shards with different ``only`` get
        different trees.

        :raises WorkspaceError: no such commit, no such repository, a full disk.
        :raises CancelledError: while waiting for another process that makes it.
        """
        if not _RUN.match(run):
            raise WorkspaceError(f"{run[:80]!r} cannot name a workspace")
        mirror = Mirror.of(self._source, self._root, long_names=len(commit) == LONG_NAME)
        full = mirror.resolve(commit)
        home = self._root / "runs" / f"{run}@{full[:12]}{_suffix(only)}"
        end = time.monotonic() + PATIENCE
        while True:
            workspace = self._use(home, full)
            if workspace is not None:
                return workspace
            with FileLock.attempt(self._lock_of(home), shared=False) as mine:
                if mine and _read(home) is None:
                    self._make(mirror, full, home, only)
            if not mine:  # another process makes it; once it is there, that one may keep a shared lock for hours
                _pause(home, end, cancelled)

    def prune(self, *, max_age: float = 86400.0, keep: int = 8) -> int:
        """Remove checkouts nobody uses that are older than ``max_age`` seconds or not among the ``keep`` newest.

        Returns how many went. What a crash left behind goes too.
        """
        self._empty_trash()
        homes = sorted((self._root / "runs").glob("*@*"), key=_age)
        removed = 0
        for rank, home in enumerate(homes):
            if (_age(home) > max_age or rank >= keep) and self._remove(home):
                removed += 1
        self._empty_trash()
        return removed

    def _use(self, home: Path, commit: str) -> Workspace | None:
        """The finished checkout under a shared lock; ``None`` when there is none, or somebody is about to remove it."""
        if _read(home) is None:
            return None
        lock = FileLock.open(self._lock_of(home))
        found = _read(home) if lock.take(shared=True) else None
        if found is None:
            lock.close()
            return None
        with contextlib.suppress(OSError):
            os.utime(home / MARKER)
        return Workspace(home / "tree", commit, tuple(found["missing"]), tuple(found["defused"]), lock)

    def _make(self, mirror: Mirror, commit: str, home: Path, only: tuple[str, ...]) -> None:
        """Under the exclusive lock: write the tree, then the marker."""
        tree = home / "tree"
        try:
            if home.exists():
                self._discard(home)
            tree.mkdir(parents=True)
            entries = [entry for entry in mirror.entries(commit) if _wanted(entry.path, only)]
            lacking = mirror.missing(entries)
            mirror.write((entry for entry in entries if entry.oid not in lacking), tree)
            missing = [entry.path for entry in entries if entry.oid in lacking]
            defused = list(_defuse((entry for entry in entries if entry.mode == SYMLINK), tree))
            text = json.dumps({"commit": commit, "missing": sorted(missing), "defused": defused})
            half = home / (MARKER + ".half")
            half.write_text(text, encoding="utf-8")
            half.replace(home / MARKER)
        except OSError as error:
            raise WorkspaceError(f"no workspace can be made at {home}: {error}", "Free space on the worker.") from error

    def _remove(self, home: Path) -> bool:
        with FileLock.attempt(self._lock_of(home), shared=False) as mine:
            if mine:
                self._discard(home)
                for lock in (self._lock_of(home), build_lock(home)):
                    lock.unlink(missing_ok=True)
        return mine

    def _discard(self, home: Path) -> None:
        """Out of the way first, in one step; removing 8,000 files takes longer."""
        trash = self._root / "trash"
        trash.mkdir(parents=True, exist_ok=True)
        gone = trash / uuid.uuid4().hex
        with contextlib.suppress(FileNotFoundError):
            home.rename(gone)
            remove_tree(gone)

    def _empty_trash(self) -> None:
        for left in (self._root / "trash").glob("*"):
            remove_tree(left)

    def _lock_of(self, home: Path) -> Path:
        return self._root / "locks" / f"{home.name}.lock"


def _pause(home: Path, end: float, cancelled: Callable[[], bool]) -> None:
    if cancelled():
        raise CancelledError("cancelled while waiting for a workspace")
    if time.monotonic() > end:
        raise WorkspaceError(f"{home} was not ready within {PATIENCE:g} s", "See which process makes it, and end that.")
    time.sleep(0.05)


def missing_from(tree: Path) -> tuple[str, ...]:
    """What the checkout ``tree`` lacks, because the repository has no contents for it."""
    found = _read(tree.parent)
    return tuple(found["missing"]) if found else ()


def _read(home: Path) -> dict[str, list[str]] | None:
    try:
        found = json.loads((home / MARKER).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None


def _age(home: Path) -> float:
    """Seconds since it was last asked for."""
    for path in (home / MARKER, home):
        with contextlib.suppress(OSError):
            return time.time() - path.stat().st_mtime
    return 0.0


def _suffix(only: tuple[str, ...]) -> str:
    """Distinct for distinct selections, and stable between processes."""
    return f"-{uuid.uuid5(uuid.NAMESPACE_URL, chr(0).join(sorted(only))).hex[:8]}" if only else ""


def _wanted(path: str, only: tuple[str, ...]) -> bool:
    return not only or any(path == name or path.startswith(name.rstrip("/") + "/") for name in only)


def _leaves(link: Path, top: Path) -> bool:
    """Whether a link leads out of ``top``, or round in a circle."""
    try:
        with contextlib.suppress(FileNotFoundError, NotADirectoryError):
            link.stat()  # from Python 3.13 on, `resolve` finds nothing wrong with a circle
        return not link.resolve().is_relative_to(top)
    except (OSError, RuntimeError):
        return True


def _defuse(links: Iterable[Entry], tree: Path) -> Iterable[str]:
    """Turn links that leave the tree into files that hold their target, as git does where there are no links."""
    top = tree.resolve()
    for entry in links:
        link = tree / entry.path
        if not link.is_symlink():
            continue
        if _leaves(link, top):
            target = os.readlink(link)  # noqa: PTH115 - as it is written, not normalised
            link.unlink()
            link.write_bytes(os.fsencode(target))
            yield entry.path
