"""Changes, profiles and plans for tests."""

from __future__ import annotations

from collections.abc import Mapping

from orchestrator.domain.change import ChangeKind, DiffSummary, FileChange
from orchestrator.domain.plan import TestPlan
from orchestrator.domain.profile import Analyser, Bvt, Dispatch, Profile, Rule, Sca, UnitTests
from orchestrator.planner.pipeline import build_plan

PROFILE = Profile(
    name="toy",
    documentation=("*.md", "docs/**", "!cases/*/**"),
    rules=(
        Rule(prefix="pkg/plan/", unit_tests=("pkg/plan",), categories=("join", "cte"), priority="high"),
        Rule(prefix="pkg/plan/deep/", unit_tests=("pkg/plan/deep",), categories=("join",), priority="critical"),
        Rule(prefix="pkg/text/", unit_tests=("pkg/text", "pkg/plan/deep"), categories=("text", "gone")),
    ),
    unit_tests=UnitTests(everything=("...",), package_seconds={"...": 900.0, "pkg/plan/...": 40.0}),
    bvt=Bvt(
        cases="cases",
        categories={"join": 1000, "cte": 100, "text": 500, "first": 10, "second": 10, "last": 10},
        order_groups=(("first", "second", "last"),),
    ),
    sca=Sca(analysers=(Analyser(name="vet", command=("vet",)), Analyser(name="lint", command=("lint",)))),
    dispatch=Dispatch(shard_seconds=120.0, workers=2),
)


def make_file(path: str, kind: str = "modified", old: str | None = None) -> FileChange:
    package = (path.rpartition("/")[0] or ".") if path.endswith(".go") else None
    return FileChange(path, ChangeKind(kind), package=package, added=2, deleted=1, old_path=old)


def make_change(*files: str | FileChange, head_time: str | None = None, head: str | None = None) -> DiffSummary:
    made = tuple(make_file(file) if isinstance(file, str) else file for file in files)
    return DiffSummary(files=made, head_time=head_time, head_commit=head)


def make_plan(*files: str | FileChange, strategies: tuple[str, ...] = ("rules", "safety")) -> TestPlan:
    return build_plan(make_change(*files), PROFILE, strategies=strategies)


class FakeTree:
    """A tree in memory, from its files."""

    def __init__(self, *files: str, sources: Mapping[str, str] | None = None) -> None:
        self._sources = sources or {}
        self._files = files = (*files, *self._sources)
        self._dirs = {file.rsplit("/", n)[0] for file in files for n in range(1, file.count("/") + 1)}

    def directories(self, path: str) -> frozenset[str]:
        below = (name.removeprefix(path + "/") for name in self._dirs if name.startswith(path + "/"))
        return frozenset(name for name in below if "/" not in name)

    def has_directory(self, path: str) -> bool:
        return path == "." or path in self._dirs

    def texts(self, suffix: str) -> dict[str, str]:
        return {path: text for path, text in self._sources.items() if path.endswith(suffix)}

    def count(self, expression: str, path: str, glob: str) -> dict[str, int]:
        return {}

    def files(self, path: str) -> tuple[str, ...]:
        prefix = "" if path == "." else path + "/"
        return tuple(sorted(file.removeprefix(prefix) for file in self._files if file.startswith(prefix)))
