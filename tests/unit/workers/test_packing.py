"""Build outputs as one file and back, in trees that untrusted code changes meanwhile."""

from __future__ import annotations

import io
import os
import tarfile
from pathlib import Path

import pytest

from orchestrator.domain.errors import InfrastructureError
from workers.packing import pack, plain, unpack


def made(folder: Path) -> Path:
    (folder / "cgo" / "bin").mkdir(parents=True)
    (folder / "cgo" / "bin" / "server").write_text("made")
    (folder / "cgo" / "bin" / "server").chmod(0o755)
    (folder / "cgo" / "bin" / "link").symlink_to("server")
    os.mkfifo(folder / "cgo" / "bin" / "pipe")
    return folder


def packed(tree: Path, *outputs: str) -> bytes:
    file = io.BytesIO()
    pack(tree, outputs, file)
    return file.getvalue()


def test_what_is_packed_is_found_again_in_place_of_what_was_there(tmp_path: Path) -> None:
    tree, archive, outside = tmp_path / "there" / "tree", tmp_path / "archive", tmp_path / "outside"
    archive.write_bytes(packed(made(tmp_path / "here"), "cgo/bin"))
    outside.mkdir()
    (tree / "cgo").mkdir(parents=True)
    (tree / "cgo" / "bin").symlink_to(outside)  # it would lead out
    unpack(archive, ("cgo/bin",), tree)
    unpack(archive, ("cgo/bin",), tree)
    server = tree / "cgo" / "bin" / "server"
    assert (server.read_text(), os.access(server, os.X_OK)) == ("made", True)
    assert sorted(path.name for path in server.parent.iterdir()) == ["link", "server"]
    assert [path.name for path in (tmp_path / "there").iterdir()] == ["tree"]
    assert list(outside.iterdir()) == []


def test_a_link_on_the_way_leads_neither_in_nor_out(tmp_path: Path) -> None:
    made(tmp_path / "outside")
    archive, tree = tmp_path / "archive", tmp_path / "tree"
    archive.write_bytes(packed(tmp_path / "outside", "cgo/bin"))
    tree.mkdir()
    (tree / "cgo").symlink_to(tmp_path / "outside" / "cgo")
    with pytest.raises(InfrastructureError, match="did not make cgo/bin"):
        packed(tree, "cgo/bin")
    with pytest.raises(OSError, match="cgo"):
        unpack(archive, ("cgo/bin",), tree)
    for name in ("../outside", "/etc", ".", "cgo/none"):
        with pytest.raises(InfrastructureError, match="did not make"):
            packed(tree, name)


def test_a_folder_that_is_swapped_for_a_link_meanwhile_gives_nothing_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tree, secret = made(tmp_path / "tree"), tmp_path / "secret"
    secret.mkdir()
    (secret / "key").write_text("hunter2")
    add = tarfile.TarFile.addfile

    def swap(tar: tarfile.TarFile, info: tarfile.TarInfo, file: io.BytesIO | None = None) -> None:
        add(tar, info, file)
        if info.isdir() and not (tree / "cgo" / "bin").is_symlink():
            (tree / "cgo" / "bin").rename(tree / "moved")
            (tree / "cgo" / "bin").symlink_to(secret)

    monkeypatch.setattr(tarfile.TarFile, "addfile", swap)
    data = packed(tree, "cgo/bin")
    assert b"hunter2" not in data
    assert b"made" in data


@pytest.mark.parametrize(
    ("name", "kind", "link"),
    [
        ("../out", tarfile.REGTYPE, ""),
        ("/out", tarfile.REGTYPE, ""),
        ("a/../../out", tarfile.REGTYPE, ""),
        ("a", tarfile.SYMTYPE, "/etc"),
        ("a/b", tarfile.SYMTYPE, "../.."),
        ("a/b", tarfile.SYMTYPE, "../../out"),
        ("in/out", tarfile.REGTYPE, ""),
        ("a", tarfile.LNKTYPE, "in"),
        ("a", tarfile.FIFOTYPE, ""),
        ("a", tarfile.CHRTYPE, ""),
    ],
)
def test_an_archive_that_leads_out_is_not_unpacked(tmp_path: Path, name: str, kind: bytes, link: str) -> None:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as tar:
        first, second = tarfile.TarInfo("in"), tarfile.TarInfo(name)
        first.type, first.linkname, second.type, second.linkname = tarfile.SYMTYPE, ".", kind, link
        tar.addfile(first)
        tar.addfile(second)
    archive, tree = tmp_path / "archive", tmp_path / "there" / "tree"
    archive.write_bytes(file.getvalue())
    tree.mkdir(parents=True)
    with pytest.raises(ValueError, match=r"leads out|is no file|no path below"):
        unpack(archive, ("in",), tree)
    assert {path.name for path in tmp_path.rglob("*")} == {"archive", "there", "tree"}


def test_no_member_is_written_through_a_link_of_its_own_name(tmp_path: Path) -> None:
    """By its words, the second link stays inside; by way of the first, it leads out."""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as tar:
        for name, link in (("a/b/s", "../.."), ("k", "a/b/s/../evil"), ("k", "")):
            member = tarfile.TarInfo(name)
            member.type, member.linkname = (tarfile.SYMTYPE if link else tarfile.REGTYPE), link
            tar.addfile(member)
    file.seek(0)
    with tarfile.open(fileobj=file) as tar, pytest.raises(ValueError, match="k leads out"):
        list(plain(tar))
