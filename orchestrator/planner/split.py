"""Split: a category that is longer than a fair share of the work becomes parts, each some of its scripts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

from orchestrator.cases.discover import SCRIPT_SUFFIXES
from orchestrator.domain.plan import TestTask
from orchestrator.planner.estimate import STATEMENT
from orchestrator.planner.evidence import Context
from orchestrator.planner.measured import Measured
from orchestrator.planner.names import is_safe_path


class Group(NamedTuple):
    """Scripts that stay together, in path order, and the seconds they take."""

    files: tuple[str, ...]
    seconds: float


#: What a task can be split into; fewer than two groups: it cannot.
Groups = Callable[[TestTask], Sequence[Group]]


def nothing(_task: TestTask) -> Sequence[Group]:
    """The :data:`Groups` of a planner that sees no tree."""
    return ()


def groups_in(context: Context) -> Groups:
    """The :data:`Groups` of categories in the tree of ``context``.

    Categories of an order group and those with a shard to themselves stay whole; so do what ``bvt.together`` names and
    categories with a script whose name no plan may hold.
    """
    bvt, tree = context.profile.bvt, context.tree
    kept = {*bvt.exclusive, *bvt.together, *(name for group in bvt.order_groups for name in group)}

    def groups(task: TestTask) -> Sequence[Group]:
        category = task.category
        if tree is None or category is None or category in kept or task.skip:
            return ()
        if any(name.startswith(f"{category}#") for name in context.categories):  # as the id of a part begins
            return ()
        root = f"{bvt.cases.rstrip('/')}/{category}"
        files = [name for name in task.files or tree.files(root) if name.endswith(SCRIPT_SUFFIXES)]
        if not all(map(is_safe_path, files)):  # no part can name such a script: the whole has it without a name
            return ()
        statements = tree.count(STATEMENT, root, "**/*")
        weights = _weights([f"{root}/{name}" for name in files], statements, context.measured, task.est_duration)
        inside = [name.removeprefix(f"{category}/") + "/" for name in sorted(kept) if name.startswith(f"{category}/")]
        return _together(zip(files, weights, strict=True), inside)

    return groups


def cut(groups: Sequence[Group], count: int) -> list[Group]:
    """Neighbours joined to at most ``count`` groups of about the same length."""
    share = sum(group.seconds for group in groups) / count
    found: list[Group] = []
    before = 0.0
    for group in groups:
        middle = before + group.seconds / 2
        if found and (middle < share * len(found) or len(found) == count):
            found[-1] = join((found[-1], group))
        else:
            found.append(group)
        before += group.seconds
    return found


def join(groups: Iterable[Group]) -> Group:
    """Several groups as one."""
    groups = tuple(groups)
    return Group(tuple(file for group in groups for file in group.files), sum(group.seconds for group in groups))


def _weights(paths: Sequence[str], statements: Mapping[str, int], measured: Measured, total: float) -> Sequence[float]:
    """Seconds of each script: as measured, the unknown ones at the mean; else ``total`` shared out by statements."""
    known = [measured.seconds[path] for path in paths if path in measured.seconds]
    if known:
        typical = sum(known) / len(known)
        return [measured.seconds.get(path, typical) for path in paths]
    counts = [statements.get(path, 0) + 1 for path in paths]
    return [total * count / sum(counts) for count in counts]


def _together(scripts: Iterable[tuple[str, float]], directories: Sequence[str]) -> list[Group]:
    """One group a script, and one of all scripts below each of ``directories``."""
    found: dict[str, list[Group]] = {}
    for file, seconds in scripts:
        key = next((directory for directory in directories if file.startswith(directory)), file)
        found.setdefault(key, []).append(Group((file,), seconds))
    return [join(groups) for groups in found.values()]
