"""The safe floor: what no rule knows widens the plan to everything; documentation alone plans nothing."""

from __future__ import annotations

from collections.abc import Iterator

from orchestrator.domain.change import DiffSummary, FileChange
from orchestrator.domain.plan import Priority, Suite
from orchestrator.planner.evidence import Context, Evidence, Remark
from orchestrator.planner.globs import matches
from orchestrator.planner.names import mention
from orchestrator.planner.packages import package_of
from orchestrator.planner.python.homes import unit_tests
from orchestrator.planner.table import unmatched

#: Of an unknown file's own package, and of everything else: likely, and merely possible.
_OWN, _ANY = 0.8, 0.1


class Safety:
    """Widens, and says so; or vetoes, and says so. Does nothing where the rules know every file."""

    name = "safety"

    def propose(self, change: DiffSummary, context: Context) -> Iterator[Evidence | Remark]:
        """The safe superset when a path is in unknown territory; a veto when all paths are documentation."""
        patterns = context.profile.documentation
        # What moves to the documentation is gone from where it was.
        code = [f for f in change.files if not all(matches(path, patterns) for path in (f.path, f.old_path or f.path))]
        if change.files and not code:
            yield Remark(self.name, "Only documentation changes: no test is needed.", vetoes=True)
            return
        unknown_paths = frozenset(unmatched(change, context.profile))
        known = context.outlook.knows if context.outlook else _nothing
        traced = context.graph.traces if context.graph else _nothing
        unknown = [f for f in code if f.path in unknown_paths and not known(f.path) and not traced(f.path)]
        if unknown:
            paths = mention([file.path for file in unknown])
            yield Remark(self.name, f"Widened to every test, because no rule knows {paths}.")
            yield from self._own_packages(unknown)
            yield from self._everything(f"widened: no rule knows {paths}", context)

    def _own_packages(self, unknown: list[FileChange]) -> Iterator[Evidence]:
        touched: dict[str, list[str]] = {}
        for file in unknown:
            package = package_of(file)
            if package is not None:
                touched.setdefault(package, []).append(file.path)
        for package, paths in touched.items():
            detail = f"the package of {mention(paths)}, which no rule knows"
            yield Evidence(self.name, Suite.UNIT_TEST, package, Priority.HIGH, _OWN, detail)

    def _everything(self, detail: str, context: Context) -> Iterator[Evidence]:
        profile = context.profile
        for pattern in profile.unit_tests.everything:
            for name, files in unit_tests(pattern, context):
                yield Evidence(self.name, Suite.UNIT_TEST, name, Priority.LOW, _ANY, detail, files)
        for category in sorted(context.categories):
            yield Evidence(self.name, Suite.BVT, category, Priority.LOW, _ANY, detail)
        for analyser in profile.sca.analysers:
            yield Evidence(self.name, Suite.SCA, analyser.name, Priority.CRITICAL, _ANY, detail)


def _nothing(path: str) -> bool:
    """Without a history model or a graph no file is known but by a rule."""
    return not path
