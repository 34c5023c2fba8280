"""What the tests of workers share: a job that remembers, and tiny Go modules."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from orchestrator.domain.plan import Priority, Suite, TestTask
from orchestrator.domain.profile import Profile
from orchestrator.domain.run import CaseResult, CaseStatus
from workers.process import Host
from workers.suites.base import Closable, Job, ShardResources

HOST = Host(environment=dict(os.environ))


class NoResources:
    """A shard that shares nothing."""

    def get(self, name: str, make: Callable[[], Closable]) -> Closable:
        raise AssertionError(name)

    def drop(self, name: str) -> None:
        """Nothing is kept."""


@dataclass
class Record:
    """What a suite told while it ran."""

    cases: list[CaseResult] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)

    def named(self, name: str) -> CaseResult:
        found = [case for case in self.cases if case.name == name]
        assert len(found) == 1, [case.name for case in self.cases]
        return found[0]

    def names(self, status: CaseStatus) -> list[str]:
        return [case.name for case in self.cases if case.status is status]


def task(
    kind: Suite, *, package: str | None = None, analyser: str | None = None, files: tuple[str, ...] = ()
) -> TestTask:
    return TestTask("t", kind, Priority.HIGH, (), package=package, analyser=analyser, files=files)


def make_job(
    what: TestTask,
    profile: Profile,
    workspace: Path,
    record: Record,
    cancelled: Callable[[], bool] = lambda: False,
    *,
    artifacts: Path | None = None,
    resources: ShardResources | None = None,
) -> Job:
    return Job(
        run="r1",
        task=what,
        attempt=1,
        profile=profile,
        workspace=workspace,
        artifacts=artifacts or workspace.parent,
        emit=record.cases.append,
        log=record.lines.append,
        cancelled=cancelled,
        resources=resources or NoResources(),
    )


def go_module(folder: Path, files: dict[str, str]) -> Path:
    """A module ``example.com/m`` with ``files`` by path; a file without a package clause gets its folder's name."""
    files = {"go.mod": "module example.com/m\n\ngo 1.24\n", **files}
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        clause = f"package {path.parent.name}\n" if name.endswith(".go") and not text.startswith("package") else ""
        path.write_text(clause + text, encoding="utf-8")
    return folder
