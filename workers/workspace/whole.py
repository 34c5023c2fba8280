"""Whether a checkout has what a task needs.

A partial clone may lack contents (`git clone --filter`), and a test whose file is not there fails nowhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from orchestrator.domain.errors import WorkspaceError
from orchestrator.domain.plan import Suite, TestTask
from orchestrator.domain.profile import Profile
from workers.workspace.store import missing_from

#: Code, and what says how it is built: any of it may be used anywhere.
CODE = frozenset(
    (".go", ".py", ".c", ".cc", ".cpp", ".h", ".hpp", ".s", ".y", ".mod", ".sum", ".toml", ".cfg", ".ini", ".sh", ".mk")
)


def check(tree: Path, task: TestTask, profile: Profile) -> None:
    """See that the checkout ``tree`` has what ``task`` needs.

    :raises WorkspaceError: the repository of this host lacks some of it.
    """
    places = _places(task, profile)
    refuse([name for name in missing_from(tree) if _needed(PurePosixPath(name), task, places)])


def refuse(lost: Sequence[str]) -> None:
    """:raises WorkspaceError: something is ``lost``."""
    if lost:
        more = f" and {len(lost) - 1} more files" if len(lost) > 1 else ""
        raise WorkspaceError(
            f"the repository of this host lacks the contents of {lost[0]}{more}",
            "It is a partial clone: fetch what its commits hold (git fetch --refetch), or use a whole one.",
        )


def _places(task: TestTask, profile: Profile) -> Sequence[PurePosixPath]:
    """The folders of which the task needs all files."""
    if task.type is Suite.BVT:
        cases = PurePosixPath(profile.bvt.cases)
        return cases / (task.category or ""), cases.parent / "resources"
    package = (task.package or "").removesuffix("...").strip("./")
    return (PurePosixPath(package),) if package else ()


def _needed(path: PurePosixPath, task: TestTask, places: Sequence[PurePosixPath]) -> bool:
    code = task.type is not Suite.BVT and (path.suffix in CODE or path.name == "Makefile")
    return code or any(path.is_relative_to(place) for place in places)
