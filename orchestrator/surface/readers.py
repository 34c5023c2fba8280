"""The reader that a profile names: one of ours, or one that an installed package offers."""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import entry_points
from typing import Final

from orchestrator.domain.errors import BadProfileError
from orchestrator.surface.matrixone.reader import MatrixOneReader
from orchestrator.surface.model import Surface
from orchestrator.surface.reader import Parsed, Reader, Tree

#: Entry points of this group (name = ``package.module:Class``) are readers of other products.
GROUP: Final = "mo_testplan.surface"


class NoReader:
    """For a product whose code nobody reads: its surface is empty, cases come of the tree and its past alone."""

    def follows(self, path: str) -> bool:
        """No call is followed."""
        return False

    def read(self, tree: Tree, parsed: Parsed) -> Surface:
        """Nothing."""
        return Surface()


def reader_named(name: str) -> Reader:
    """The reader of a name (``bvt.surface`` of a profile): ``none``, ``matrixone``, or an entry point of `GROUP`.

    Raises:
        BadProfileError: there is none of this name, or it cannot be loaded.
    """
    own: dict[str, Callable[[], Reader]] = {"none": NoReader, "matrixone": MatrixOneReader}
    if name in own:
        return own[name]()
    offered = {one.name: one for one in entry_points(group=GROUP)}
    if name not in offered:
        known = ", ".join(sorted({*own, *offered}))
        raise BadProfileError(
            f"bvt.surface: there is no reader {name!r}", f"Name one of {known}, or install the package that offers it."
        )
    try:
        made: Reader = offered[name].load()()
    except Exception as error:
        words = f"bvt.surface: the reader {name!r} cannot be loaded: {error}"
        raise BadProfileError(words, f"Look at {offered[name].value}.") from error
    return made
