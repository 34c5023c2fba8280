"""What failed lately when such files changed: evidence of our own runs."""

from __future__ import annotations

from collections.abc import Iterator

from orchestrator.domain.change import DiffSummary
from orchestrator.domain.plan import Suite
from orchestrator.planner.evidence import Context, Evidence
from orchestrator.planner.names import is_package_pattern, is_safe_path
from orchestrator.planner.python.homes import tests_below, unit_tests
from orchestrator.planner.reasons import priority_of

_SCRIPTS = (".sql", ".test")


class Failures:
    """Tests of past runs that failed on a change like this one; silent where nobody keeps any."""

    name = "failures"

    def propose(self, change: DiffSummary, context: Context) -> Iterator[Evidence]:
        """Evidence for the script, the package or the category that failed, as far as the tree still has it."""
        del change  # what it shares with past runs was found when the failures were read
        for test, (weight, detail) in sorted(context.failed.items()):
            kind, _, name = test.partition(":")
            category, _, file = name.partition("/")
            if kind == "bvt" and category in context.categories and (not file or _is_script(context, category, file)):
                files = (file,) if file else ()
                yield Evidence(self.name, Suite.BVT, category, priority_of(weight), weight, detail, files)
            elif kind == "ut" and is_package_pattern(name):
                for task, inside in _unit_tests(name, context):
                    yield Evidence(self.name, Suite.UNIT_TEST, task, priority_of(weight), weight, detail, inside)


def _unit_tests(name: str, context: Context) -> Iterator[tuple[str, tuple[str, ...]]]:
    """The tasks of a pattern that the tree still has; of Python tests those that run its files now."""
    graph, tree = context.graph, context.tree
    if graph is not None and tests_below(name, graph):
        yield from unit_tests(name, context)
    elif tree is None or name == "..." or tree.has_directory(name.removesuffix("/...")):
        yield name, ()


def _is_script(context: Context, category: str, file: str) -> bool:
    """Whether a name, which a test host said, is a script of the category."""
    if context.tree is None:
        return file.endswith(_SCRIPTS) and is_safe_path(file)
    return file in context.tree.files(f"{context.profile.bvt.cases.rstrip('/')}/{category}")
