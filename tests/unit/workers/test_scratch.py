"""Removing a private directory."""

from __future__ import annotations

import os
import stat
import sys
from pathlib import Path

from workers.process.scratch import remove_tree


def test_removing_a_tree_never_changes_the_directory_that_holds_it(tmp_path: Path) -> None:
    holder = tmp_path / "holder"
    holder.mkdir()
    holder.chmod(0o1777)
    remove_tree(holder / "gone-already")
    assert stat.S_IMODE(holder.stat().st_mode) == 0o1777


def test_a_tree_deeper_than_the_stack_is_removed_and_what_its_links_lead_to_is_not(tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    kept.mkdir()
    top = tmp_path / "tree"
    top.mkdir()
    (top / "beside").mkdir()
    folder = os.open(top, os.O_RDONLY)
    for _ in range(sys.getrecursionlimit() + 100):
        os.mkdir("a", dir_fd=folder)
        os.symlink(kept, "link", dir_fd=folder)
        inner = os.open("a", os.O_RDONLY, dir_fd=folder)
        os.close(folder)
        folder = inner
    os.close(folder)
    remove_tree(top)
    assert not top.exists()
    assert kept.is_dir()
