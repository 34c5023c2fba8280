"""What moved with what, and which words meet: evidence of a history model, when one is at hand."""

from __future__ import annotations

from collections.abc import Iterator

from orchestrator.domain.change import DiffSummary
from orchestrator.domain.plan import Suite
from orchestrator.planner.evidence import Context, Evidence
from orchestrator.planner.packages import package_of
from orchestrator.planner.reasons import priority_of


class Learned:
    """One strategy's part in what a history model finds likely enough; silent without a model."""

    name: str

    def propose(self, change: DiffSummary, context: Context) -> Iterator[Evidence]:
        """Evidence for the categories and packages that the model would take and this strategy spoke for."""
        from orchestrator.history.because import Explainer

        outlook = context.outlook
        if outlook is None or context.budget is not None:  # under a budget every case and package is explained anyway
            return
        explainer = Explainer(outlook)
        for name in outlook.chosen_categories():
            for part in explainer.category(name):
                if part.strategy == self.name:
                    priority = priority_of(outlook.categories[name])
                    yield Evidence(self.name, Suite.BVT, name, priority, part.weight, part.detail)
        own = {package for file in change.files if (package := package_of(file)) is not None}
        for name in outlook.chosen_packages(own):
            for part in explainer.package(name):
                if part.strategy == self.name:
                    priority = priority_of(outlook.packages[name])
                    yield Evidence(self.name, Suite.UNIT_TEST, name, priority, part.weight, part.detail)


class History(Learned):
    """Past commits that were like the change, and the tests they touched."""

    name = "history"


class Lexical(Learned):
    """Words the change shares with a case."""

    name = "lexical"


class Surface(Learned):
    """What SQL reaches the change: functions, statements, variables, and the messages of errors."""

    name = "surface"


class Imports(Learned):
    """Packages that import what changes, directly or through another."""

    name = "imports"


class Changed(Learned):
    """Unit tests of the packages that change, by a model that knows how often that is all."""

    name = "changed"
