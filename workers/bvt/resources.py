"""Where ``$resources`` is, and what lies about there from earlier runs."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import BinaryIO

FLAG = "$resources"
#: What a full run of MatrixOne's cases writes below the resources (run.yml of mo-tester).
OUTFILES = ("json/export_1.csv", "json/export_2.csv", "into_outfile", "into_outfile_2")


def resources_of(root: str) -> str:
    """The directory for the case path ``root``: ``cases`` in it becomes ``resources``, cut after the first of these."""
    path = str(Path(root).absolute())
    if "cases" not in path:
        return "./resources"
    replaced = path.replace("cases", "resources")
    return replaced[: replaced.index("resources") + len("resources")]


def remove_outfiles(resources: str) -> None:
    """Delete what SELECT INTO OUTFILE left; a directory that holds .gitignore is emptied save for that.

    The tree may be of a pull request: a link is deleted itself, and nothing is that lies behind one.
    """
    root = Path(resources).resolve()
    for name in OUTFILES:
        path = root / name
        if path.parent.resolve() != path.parent:
            continue
        if path.is_dir() and not path.is_symlink() and (path / ".gitignore").exists():
            for inside in path.iterdir():
                if inside.name != ".gitignore":
                    _remove(inside)
        elif path.is_symlink() or path.exists():
            _remove(path)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink()


class LocalFiles:
    """Opens what LOAD DATA LOCAL INFILE asks for: a server could ask for any file, so only one its statement names."""

    def __init__(self, sql: str) -> None:
        self._sql = sql

    def __call__(self, name: str) -> BinaryIO:
        """Open ``name``. Raises OSError."""
        if name not in self._sql:
            raise PermissionError("the server asks for a file that the statement does not name")
        return Path(name).open("rb")
