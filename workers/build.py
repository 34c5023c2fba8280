"""The ``build`` step: once a run, its artifact for every shard.

The shard that comes first builds, in the sandbox, in the tree of its run; all shards of the host share that tree. The
outputs are packed into the artifact store, where the run's shards on other hosts that see the same store find them. The
ledger lets one build at a time be somebody's, under a lease: whoever dies in it is followed by another.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
import tarfile
import tempfile
import time
import uuid
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from orchestrator.domain.errors import BrokerError, CancelledError, InfrastructureError, MoTestplanError
from orchestrator.domain.profile import Build
from orchestrator.ledger.client import Ledger
from workers.packing import pack, unpack
from workers.process import Exit, Host, Reason
from workers.suites.execution import execution
from workers.toolchain import host_fault
from workers.workspace.locks import FileLock, build_lock
from workers.workspace.store import missing_from
from workers.workspace.whole import refuse

#: Seconds that a builder who is silent keeps others waiting, and between two signs of life.
LEASE, SIGN = 20.0, 4.0
#: Lines of a failed build that are told.
_TOLD = 40


class BuildFailedError(MoTestplanError):
    """The code of the pull request does not build: a verdict on it, not trouble of ours."""


@dataclass(frozen=True, slots=True)
class _Work:
    """What :class:`workers.suites.execution.Execution` needs to know."""

    workspace: Path
    log: Callable[[str], None]
    cancelled: Callable[[], bool]


class Builder:
    """The build steps of a host."""

    def __init__(self, ledger: Ledger, host: Host, artifacts: Path) -> None:
        self._ledger, self._host, self._artifacts = ledger, host, artifacts

    def ensure(self, build: Build, run: str, tree: Path, cancelled: Callable[[], bool]) -> None:
        """Return when what ``build`` makes is in ``tree``.

        :raises BuildFailedError: the build says that the code is wrong; the same for every shard of the run.
        :raises InfrastructureError: this host could not build it: a full disk, no memory, no modules.
        :raises CancelledError: while waiting, or the run is over.
        """
        home = tree.parent
        while not (home / "built").exists():
            with FileLock.attempt(build_lock(home), shared=False) as mine:
                if mine and not (home / "built").exists():
                    self._bring(build, run, tree, cancelled)
                    (home / "built").touch()
            if not mine:
                _pause(cancelled)

    def _bring(self, build: Build, run: str, tree: Path, cancelled: Callable[[], bool]) -> None:
        """Build it, or have what another host built."""
        store, owner = _store_id(self._artifacts), secrets.token_hex(8)
        folder = self._artifacts / run
        while True:
            answer, text = self._ledger.build(run, store, owner, LEASE)
            if answer == "gone":
                raise CancelledError("the run is over")
            if answer == "failed":
                raise BuildFailedError(text)
            if answer == "done":
                _unpack(_archive(folder, text), text, build.outputs, tree)
                return
            if answer == "mine":
                with _Signs(self._ledger, run, store, owner, cancelled) as sign:
                    self._make(build, tree, folder, sign)
                return
            _pause(cancelled)

    def _make(self, build: Build, tree: Path, folder: Path, sign: _Signs) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        said: deque[str] = deque(maxlen=_TOLD)
        with (folder / "build.txt").open("w", encoding="utf-8", errors="replace") as log:

            def line(text: str) -> None:
                said.append(text[:500])
                log.write(text + "\n")

            with execution(self._host, _Work(tree, line, sign), build.env) as made:
                unfetched = made.prefetch(("./...",))
                done = made.go(build.command, build.timeout, lambda _, text: line(text))
        if done.reason is Reason.CANCELLED:
            raise CancelledError("cancelled while building")
        if done.passed:
            sign.settle("done", _pack(tree, build.outputs, folder))
            return
        _blame_the_host(done, "\n".join(said), unfetched)
        refuse(missing_from(tree))  # it may have failed for want of them
        why = done.words if done.reason is Reason.EXITED else done.stopped(build.timeout)
        message = f"the build failed ({why}):\n" + "\n".join(said)
        sign.settle("failed", message)
        raise BuildFailedError(message)


def _blame_the_host(done: Exit, said: str, unfetched: InfrastructureError | None) -> None:
    """Raise when it is this host that could not build: that is no verdict on the code, and another one may."""
    if done.reason is not Reason.EXITED:
        return
    if done.signal is not None:
        raise InfrastructureError(f"the build was killed by signal {done.signal}", "Look for the kernel's OOM killer.")
    fault = host_fault(said)
    if fault is not None:
        raise unfetched or fault


class _Signs:
    """Asked ten times a second whether to stop, it says every few seconds that the builder lives."""

    def __init__(self, ledger: Ledger, run: str, store: str, owner: str, cancelled: Callable[[], bool]) -> None:
        self._ledger, self._run, self._store, self._owner = ledger, run, store, owner
        self._cancelled, self._next = cancelled, time.monotonic() + SIGN

    def __enter__(self) -> _Signs:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        """A builder that could not build lets the next one try at once; what was settled stays."""
        if error is not None:
            with contextlib.suppress(BrokerError):  # its lease ends by itself
                self._ledger.build(self._run, self._store, self._owner, LEASE, ("free", ""))

    def __call__(self) -> bool:
        if time.monotonic() >= self._next:
            self._next = time.monotonic() + SIGN
            with contextlib.suppress(BrokerError):  # the build goes on: at worst another host makes it, too
                self._ledger.build(self._run, self._store, self._owner, LEASE)
        return self._cancelled()

    def settle(self, state: str, text: str) -> None:
        """Say how it ended, waiting out a broker that is away.

        :raises BrokerError: it was away until nobody wanted the build any more.
        """
        while True:
            try:
                self._ledger.build(self._run, self._store, self._owner, LEASE, (state, text))
            except BrokerError:
                if self._cancelled():
                    raise
                time.sleep(1.0)
            else:
                return


def _pack(tree: Path, outputs: tuple[str, ...], folder: Path) -> str:
    """The outputs as one file, written in one step; its SHA-256."""
    with tempfile.TemporaryDirectory(dir=folder) as place:
        packed = Path(place, "build.tar")
        with packed.open("wb") as file:
            pack(tree, outputs, file)
            file.flush()
            os.fsync(file.fileno())
        digest = _digest(packed)
        packed.replace(_archive(folder, digest))
    return digest


def _archive(folder: Path, digest: str) -> Path:
    """Named by what is in it: a builder that lost its lease writes beside what the other one made, never over it."""
    return folder / f"build-{digest}.tar"


def _unpack(archive: Path, digest: str, outputs: tuple[str, ...], tree: Path) -> None:
    """Put the outputs where they were."""
    try:
        if _digest(archive) != digest:
            raise InfrastructureError(f"{archive} is not what was built", "Look at the disk of the artifact store.")
        unpack(archive, outputs, tree)
    except (OSError, ValueError, tarfile.TarError) as error:
        raise InfrastructureError(f"what was built cannot be had: {error}", "Look at the artifact store.") from error


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _store_id(artifacts: Path) -> str:
    """What this artifact store is called on every host that sees it: the contents of a file in it."""
    artifacts.mkdir(parents=True, exist_ok=True)
    name = artifacts / "store-id"
    try:
        with tempfile.TemporaryDirectory(dir=artifacts) as folder, contextlib.suppress(FileExistsError):
            made = Path(folder, name.name)
            made.write_text(uuid.uuid4().hex, encoding="ascii")
            os.link(made, name)  # the first one wins, whole
        return name.read_text(encoding="ascii")
    except OSError as error:
        raise InfrastructureError(f"the artifact store {artifacts} cannot be used: {error}", "Free space.") from error


def _pause(cancelled: Callable[[], bool]) -> None:
    if cancelled():
        raise CancelledError("cancelled while waiting for the build")
    time.sleep(0.1)
