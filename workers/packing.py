"""What a build made, as one file, and back into a tree.

Untrusted code may change both trees meanwhile: every folder is entered by descriptor and no link is followed.
"""

from __future__ import annotations

import contextlib
import os
import posixpath
import shutil
import stat
import tarfile
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath
from typing import IO

from orchestrator.domain.errors import InfrastructureError
from workers.nofollow import open_file, open_folder, open_inner


def pack(tree: Path, outputs: Iterable[str], file: IO[bytes]) -> None:
    """Write the ``outputs`` of ``tree`` as a tar file; pipes, sockets and devices are left out.

    :raises InfrastructureError: the build did not make one of them, or it is reached by a link.
    """
    with tarfile.open(fileobj=file, mode="w") as tar:
        for name in outputs:
            try:
                *way, last = _parts(name)
                folder = open_folder(tree, *way)
                try:
                    _add(tar, name, last, folder)
                finally:
                    os.close(folder)
            except (OSError, ValueError) as error:
                raise InfrastructureError(
                    f"the build did not make {name} ({error})", "Correct build.outputs of the profile, or the build."
                ) from error


def unpack(archive: Path, outputs: Iterable[str], tree: Path) -> None:
    """Put the ``outputs`` in ``archive`` where they were, in place of what is there.

    They are unpacked where only the worker may enter, and moved; nothing that would leave the tree is written
    (:pep:`706`).

    :raises OSError, ValueError, tarfile.TarError: it cannot be read, or lacks one; the disk is full.
    """
    with tempfile.TemporaryDirectory(dir=tree.parent) as place:
        with tarfile.open(archive) as tar:
            if hasattr(tarfile, "data_filter"):
                tar.extractall(place, plain(tar), filter="data")
            else:  # Python before 3.11.4
                tar.extractall(place, plain(tar))  # noqa: S202 - looked at
        for name in outputs:
            *way, last = _parts(name)
            folder = _made_folder(tree, way)
            try:
                _remove(last, folder)
                os.rename(Path(place, name), last, dst_dir_fd=folder)
            finally:
                os.close(folder)


def plain(tar: tarfile.TarFile) -> Iterator[tarfile.TarInfo]:
    """The members of an archive, of which none leaves the folder it is unpacked in, or is more than :func:`pack` packs.

    :raises ValueError: one would.
    """
    links: set[PurePosixPath] = set()
    for member in tar:
        path = PurePosixPath(*_parts(member.name))
        target = posixpath.normpath(path.parent / member.linkname) if member.issym() else ""
        if links.intersection((path, *path.parents)) or target.startswith(("../", "/")) or target == "..":
            raise ValueError(f"{member.name} leads out of the archive")
        if not (member.isreg() or member.isdir() or member.issym()):
            raise ValueError(f"{member.name} is no file, folder or link")
        links |= {path} if member.issym() else set()
        member.mode &= 0o755
        member.uid, member.gid, member.uname, member.gname = os.getuid(), os.getgid(), "", ""
        yield member


def _parts(name: str) -> tuple[str, ...]:
    parts = PurePosixPath(name).parts
    if not parts or ".." in parts or name.startswith("/"):
        raise ValueError("it is no path below the tree")
    return parts


def _add(tar: tarfile.TarFile, name: str, last: str, folder: int) -> None:
    """The entry ``last`` of ``folder``, and all in it, as ``name``."""
    found = os.stat(last, dir_fd=folder, follow_symlinks=False)
    info = tarfile.TarInfo(name)
    info.mode = stat.S_IMODE(found.st_mode)
    if stat.S_ISLNK(found.st_mode):
        info.type, info.linkname = tarfile.SYMTYPE, os.readlink(last, dir_fd=folder)
        tar.addfile(info)
    elif stat.S_ISDIR(found.st_mode):
        info.type = tarfile.DIRTYPE
        inner = open_inner(last, folder)
        try:
            tar.addfile(info)
            for entry in sorted(os.listdir(inner)):  # noqa: PTH208 - a descriptor
                _add(tar, f"{name}/{entry}", entry, inner)
        finally:
            os.close(inner)
    elif stat.S_ISREG(found.st_mode):
        with os.fdopen(open_file(last, folder), "rb") as file:
            info = tar.gettarinfo(arcname=name, fileobj=file)
            tar.addfile(info, file if info.isreg() else None)


def _made_folder(tree: Path, way: Iterable[str]) -> int:
    """A descriptor of a folder of ``tree``, made where it is not there."""
    folder = open_folder(tree)
    for name in way:
        outer = folder
        try:
            with contextlib.suppress(FileExistsError):
                os.mkdir(name, dir_fd=outer)
            folder = open_inner(name, outer)
        finally:
            os.close(outer)
    return folder


def _remove(name: str, folder: int) -> None:
    with contextlib.suppress(FileNotFoundError):
        if stat.S_ISDIR(os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode):
            shutil.rmtree(name, dir_fd=folder)
        else:
            os.unlink(name, dir_fd=folder)
