"""Which failures of a full run a smaller plan would have missed, and which strategy would have found each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from orchestrator.domain.plan import Suite, TestPlan, TestTask


@dataclass(frozen=True, slots=True)
class Failure:
    """A test that failed: a task, or one file of it."""

    task: TestTask
    #: BVT: the script, relative to the category; ``None`` when it is not known which one.
    file: str | None = None

    def __str__(self) -> str:
        return f"{self.task.id}/{self.file}" if self.file else self.task.id


@dataclass(frozen=True, slots=True)
class Escape:
    """A failure, and the names of the plans that hold its test."""

    failure: Failure
    found_by: tuple[str, ...]


def judge(failures: Iterable[Failure], plans: Mapping[str, TestPlan]) -> list[Escape]:
    """Of each failure, which of ``plans`` (by name) would have run its test."""
    return [
        Escape(failure, tuple(name for name, plan in plans.items() if covers(plan, failure))) for failure in failures
    ]


def missed(escapes: Iterable[Escape], names: Iterable[str]) -> dict[str, int]:
    """How many failures each plan would have missed."""
    escapes = list(escapes)
    return {name: sum(name not in one.found_by for one in escapes) for name in names}


def covers(plan: TestPlan, failure: Failure) -> bool:
    """Whether a plan runs the test that failed."""
    same = [task for task in plan.tasks if task.type is failure.task.type and not task.skip]
    if any(_covers(task, failure) for task in same):
        return True
    scripts = {file for task in same if task.category == failure.task.category for file in task.files}
    return failure.file is None and bool(failure.task.files) and scripts.issuperset(failure.task.files)


def _covers(task: TestTask, failure: Failure) -> bool:
    wanted = failure.task
    if task.type is Suite.UNIT_TEST:
        return _inside(wanted.package or "", task.package or "")
    if task.type is Suite.SCA:
        return task.analyser == wanted.analyser
    if task.category != wanted.category:
        return False
    return not task.files or failure.file in task.files


def _inside(package: str, pattern: str) -> bool:
    """Whether a pattern (``pkg/a/...``, ``...``) holds a package or another pattern."""
    if pattern in ("...", package):
        return True
    above = pattern.removesuffix("/...")
    return pattern.endswith("/...") and (package == above or package.startswith(f"{above}/"))
