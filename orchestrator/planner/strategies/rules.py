"""The static table: path prefix to tests, case file to its category, Go file to the analysers."""

from __future__ import annotations

from collections.abc import Iterator

from orchestrator.domain.change import DiffSummary
from orchestrator.domain.plan import Priority, Suite
from orchestrator.domain.profile import Rule
from orchestrator.planner.evidence import Context, Evidence
from orchestrator.planner.globs import matches
from orchestrator.planner.names import mention
from orchestrator.planner.packages import and_below, to_analyse
from orchestrator.planner.python.homes import unit_tests
from orchestrator.planner.table import category_of


class Rules:
    """Nothing but the profile's table; every file counts, whatever its kind, by its new path."""

    name = "rules"

    def propose(self, change: DiffSummary, context: Context) -> Iterator[Evidence]:
        """Evidence of weight 1 for everything the table names."""
        paths = [file.path for file in change.files]
        for rule in context.profile.rules:
            touched = [path for path in paths if path.startswith(rule.prefix)]
            if touched:
                yield from self._of_rule(rule, touched, context)
        yield from self._of_cases(paths, context)
        yield from self._of_sources(change, context)

    def _of_rule(self, rule: Rule, touched: list[str], context: Context) -> Iterator[Evidence]:
        priority = Priority[rule.priority.upper()]
        graph, detail = context.graph, f"rule {rule.prefix}: {mention(touched)}"
        blunt = [path for path in touched if graph is None or not graph.traces(path)]
        for package in rule.unit_tests if blunt else ():
            why = f"rule {rule.prefix}: {mention(blunt)}"
            for name, files in unit_tests(and_below(package), context):
                yield Evidence(self.name, Suite.UNIT_TEST, name, priority, 1.0, why, files)
        for category in rule.categories:
            yield Evidence(self.name, Suite.BVT, category, priority, 1.0, detail)

    def _of_cases(self, paths: list[str], context: Context) -> Iterator[Evidence]:
        touched: dict[str, list[str]] = {}
        for path in paths:
            category = category_of(path, context.profile)
            if category is not None:
                touched.setdefault(category, []).append(path)
        for category, files in touched.items():
            detail = f"its own cases changed: {mention(files)}"
            yield Evidence(self.name, Suite.BVT, category, Priority.HIGH, 1.0, detail)

    def _of_sources(self, change: DiffSummary, context: Context) -> Iterator[Evidence]:
        patterns = context.profile.sca.files
        files = [file.path for file in change.files if matches(file.path, patterns)]
        if not files:
            return
        go = [path for path in files if path.endswith(".go")]
        packages = to_analyse(change, context.tree) if go == files else ()  # others lie in no package
        note = None if packages or go != files else "no package of the change is known to be left: looks at everything"
        detail = f"{'Go files' if go == files else 'sources'} changed: {mention(files)}"
        for analyser in context.profile.sca.analysers:
            yield Evidence(self.name, Suite.SCA, analyser.name, Priority.CRITICAL, 1.0, detail, packages, note)
