"""The kit: scripts of our own that show each kind of statement once, to be cut from when a change asks for one."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Final

from orchestrator.generate.library import LibraryScript, read_script

#: How the paths of the kit begin.
KIT: Final = "kit/"


@cache
def kit() -> dict[str, LibraryScript]:
    """The kit's scripts by a path of their own."""
    folder = files("orchestrator.generate") / "kit"
    found = sorted(one.name for one in folder.iterdir() if one.name.endswith(".sql"))
    return {f"{KIT}{name}": read_script((folder / name).read_text(encoding="utf-8")) for name in found}
