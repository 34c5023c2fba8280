"""Removing a private directory."""

from __future__ import annotations

import stat
from pathlib import Path

from workers.process.scratch import remove_tree


def test_removing_a_tree_never_changes_the_directory_that_holds_it(tmp_path: Path) -> None:
    holder = tmp_path / "holder"
    holder.mkdir()
    holder.chmod(0o1777)
    remove_tree(holder / "gone-already")
    assert stat.S_IMODE(holder.stat().st_mode) == 0o1777
