"""What history must know of a revision's code beside its files: who imports whom, and what SQL reaches what."""

from __future__ import annotations

from dataclasses import dataclass, field

from orchestrator.diff.git import Git, Objects
from orchestrator.diff.tree import RevisionTree
from orchestrator.history.imports import Graph, read_imports
from orchestrator.surface.reach import Reach, reach_of
from orchestrator.surface.reader import Surfaces
from orchestrator.surface.readers import reader_named


@dataclass(frozen=True, slots=True)
class Code:
    """The code of one revision."""

    imports: Graph = field(default_factory=dict)
    #: Empty for a product whose registries no reader knows.
    reach: Reach = field(default_factory=Reach)


class CodeReader:
    """Reads revisions one after another; a file that did not change is outlined once."""

    def __init__(self, git: Git, objects: Objects, surface: str) -> None:
        """``surface`` names the reader (``bvt.surface`` of a profile).

        Raises:
            BadProfileError: there is no such reader.
        """
        self._git, self._objects = git, objects
        self._surfaces = Surfaces(reader_named(surface))

    def __call__(self, revision: str) -> Code:
        """The code of a revision.

        Raises:
            WorkspaceError: the clone lacks the revision's tree.
        """
        surface = self._surfaces.at(RevisionTree(self._git, self._objects, revision))
        return Code(read_imports(self._git, self._objects, revision), reach_of(surface))
