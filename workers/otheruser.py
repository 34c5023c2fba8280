"""Untrusted code under a uid of its own, for hosts where ``bubblewrap`` does not work.

The worker is root and gives every run that it has on its disk a uid of a range that nobody else uses: the kernel then
keeps a test from the worker's files, memory, environment and processes, and from those of other runs. The first uid of
the range is the *keeper's*: it fetches Go modules, which the others read. What a sandbox has besides is missing here: a
test sees what everybody on the host may read, reaches the network, and writes to ``/tmp`` (``docs/operations.md``).
"""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar
from urllib.parse import urlsplit, urlunsplit

import redis

from orchestrator.domain.errors import InfrastructureError, ToolMissingError, UsageError
from orchestrator.ledger.connection import connect
from workers.nofollow import open_folder
from workers.process.table import busy_uids
from workers.sandbox import View
from workers.workspace.locks import FileLock

#: Uids below belong to people and services.
_LEAST = 1000
#: Uids a range must have: the keeper's, and one for every run that may be kept on the disk.
_FEWEST = 16
_PATIENCE = 30.0
_HARDLINKS = Path("/proc/sys/fs/protected_hardlinks")


@dataclass(frozen=True, slots=True)
class OtherUser:
    """A range of uids (each with the gid of the same number) and the program that changes to one."""

    program: str
    first: int
    last: int
    name: ClassVar[str] = "another uid"
    #: Tests keep the ``TMPDIR`` they are given.
    tmp: ClassVar[str | None] = None
    one_owner: ClassVar[bool] = False

    def wrap(self, argv: Iterable[str], view: View) -> tuple[str, ...]:
        """``argv`` under the uid of its run, to whom its files are given.

        :raises InfrastructureError: every uid is taken, or the uid cannot reach what it needs.
        """
        run = self._uid_of(view.private[0] if view.private else view.cwd)
        uid = self.first if view.fetches else run
        for directory in view.private:
            _let_in(directory, run)
        for path in dict.fromkeys((view.cwd, *view.readable)):
            if view.private and path.is_relative_to(view.private[0]):  # the tree: who fetches reads it as of the group
                self._give(path, run)
        for path in view.writable:
            self._give(path, uid)
        for path in (view.cwd, *view.readable, *view.writable):
            _check_reach(path, uid, run)
        groups = ("--groups", str(run)) if view.fetches else ("--clear-groups",)
        words = [self.program, "--reuid", str(uid), "--regid", str(uid), *groups, "--no-new-privs"]
        words += ["--inh-caps=-all", "--bounding-set=-all", "--"]
        if view.fetches:  # the worker's own umask lets nobody read
            words += ["/bin/sh", "-c", 'umask 022; exec "$@"', "sh"]
        return (*words, *argv)

    def check(self, *paths: Path) -> None:
        """Raise InfrastructureError when tests could not reach ``paths``."""
        for path in paths:
            _check_reach(path, self.first, self.first)

    def _uid_of(self, home: Path) -> int:
        """The uid of a run, which its directory remembers as its group; a free one for a new run."""
        end = time.monotonic() + _PATIENCE
        while time.monotonic() < end:
            with FileLock.attempt(home.parent.parent / "locks" / "uids.lock", shared=False) as mine:
                if not mine:
                    time.sleep(0.02)
                    continue
                known = home.stat().st_gid
                if self.first < known <= self.last:
                    return known
                taken = {*_groups(home.parent), *busy_uids()}  # a run is gone, and something of it may still live
                free = next((uid for uid in range(self.first + 1, self.last + 1) if uid not in taken), None)
                if free is None:
                    break
                _let_in(home, free)
                return free
        raise InfrastructureError(
            f"every uid from {self.first + 1} to {self.last} belongs to a run or a process on this host",
            "Name more of them in MO_TESTPLAN_SANDBOX, remove old runs from the workspaces, or end those processes.",
        )

    def _give(self, top: Path, uid: int) -> None:
        """Make ``uid`` the owner of a directory and all in it. What is there may be hostile, and busy.

        Nothing is followed; only what is the worker's own or the range's changes hands, and no file with a second name:
        that one may be elsewhere.

        :raises InfrastructureError: ``top`` is a link now, or gone.
        """
        ours = os.geteuid()

        def change(name: str, directory: int) -> None:
            with contextlib.suppress(FileNotFoundError):
                found = os.stat(name, dir_fd=directory, follow_symlinks=False)
                one_name = found.st_nlink == 1 or stat.S_ISDIR(found.st_mode)
                known = found.st_uid == ours or self.first <= found.st_uid <= self.last
                if found.st_uid != uid and known and one_name:
                    os.chown(name, uid, uid, dir_fd=directory, follow_symlinks=False)

        try:
            opened = open_folder(top)
        except OSError as error:
            raise InfrastructureError(f"{top} cannot be given to a test: {error}", "See what replaced it.") from error
        try:
            for _, folders, files, directory in os.fwalk(".", dir_fd=opened, follow_symlinks=False):
                for name in (*folders, *files):
                    change(name, directory)
            if os.fstat(opened).st_uid != uid:
                os.fchown(opened, uid, uid)
            os.fchmod(opened, 0o755 if uid == self.first else 0o750)
        finally:
            os.close(opened)


def _groups(folder: Path) -> Iterator[int]:
    for path in folder.iterdir():
        with contextlib.suppress(FileNotFoundError):  # it was pruned meanwhile
            yield path.lstat().st_gid


def other_user(text: str, path: str | None = None) -> OtherUser:
    """The range ``text`` (``70000-70099``) on this host; programs are looked for in ``path``.

    :raises UsageError: it is none, or too small.
    :raises InfrastructureError: this process may not change its uid.
    """
    first, _, last = text.partition("-")
    if not (first.isdecimal() and last.isdecimal() and _LEAST <= int(first) <= int(last) - _FEWEST):
        raise UsageError(
            f"MO_TESTPLAN_SANDBOX=uid:{text} names no range of uids",
            f"Write at least {_FEWEST + 1} that nobody else uses: uid:70000-70099.",
        )
    if os.geteuid() != 0:
        raise InfrastructureError(
            "this worker is not root, so it cannot run tests under another uid",
            "Start it as root, or unset MO_TESTPLAN_SANDBOX and install bubblewrap.",
        )
    if not _links_are_guarded():
        raise InfrastructureError(
            "on this host a test could give files of others a second name, and have them handed over",
            "Forbid it: sysctl fs.protected_hardlinks=1.",
        )
    program = shutil.which("setpriv", path=path)
    if program is None:
        raise ToolMissingError("setpriv is not on this host", "Install util-linux.")
    return OtherUser(program, int(first), int(last))


def _links_are_guarded() -> bool:
    """Whether only who may read and write a file can link it (``proc_sys_fs(5)``); False where nobody says so."""
    with contextlib.suppress(OSError):
        return _HARDLINKS.read_text(encoding="ascii").strip() != "0"
    return False


def redis_is_open(url: str) -> bool:
    """Whether whoever reaches the Redis of ``url`` may use it: a test under another uid shares the host's network."""
    parts = urlsplit(url)
    if parts.hostname is None:
        place = Path(parts.path)
        with contextlib.suppress(OSError):
            return bool(place.stat().st_mode & 0o002) and all(one.stat().st_mode & 0o001 for one in place.parents)
        return False
    nobody = parts._replace(netloc=parts.netloc.rpartition("@")[2])
    try:
        with contextlib.closing(connect(urlunsplit(nobody), retries=0, timeout=3.0)) as client:
            return bool(client.ping())
    except redis.RedisError:
        return False


def _let_in(directory: Path, gid: int) -> None:
    """Its group may pass through, nobody else may; it stays the worker's own."""
    found = directory.stat()
    if found.st_gid != gid or stat.S_IMODE(found.st_mode) != 0o710:
        os.chown(directory, os.geteuid(), gid)
        directory.chmod(0o710)


def _check_reach(path: Path, uid: int, gid: int) -> None:
    """Raise when a directory above ``path`` keeps the uid out."""
    for parent in path.resolve().parents:
        found = parent.stat()
        mode = stat.S_IMODE(found.st_mode)
        bit = 0o100 if found.st_uid == uid else 0o010 if found.st_gid in (uid, gid) else 0o001
        if not mode & bit:
            raise InfrastructureError(
                f"tests run as uid {uid}, which may not enter {parent}, and need {path}",
                "Programs, MO_TESTPLAN_STATE and GOMODCACHE must be where everybody may pass, e.g. in /opt and /srv.",
            )
