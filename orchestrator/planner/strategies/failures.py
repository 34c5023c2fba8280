"""What failed lately when such files changed: evidence of our own runs."""

from __future__ import annotations

from collections.abc import Iterator

from orchestrator.domain.change import DiffSummary
from orchestrator.domain.plan import Suite
from orchestrator.planner.evidence import Context, Evidence
from orchestrator.planner.reasons import priority_of

_SUITES = {"bvt": Suite.BVT, "ut": Suite.UNIT_TEST}


class Failures:
    """Tests of past runs that failed on a change like this one; silent where nobody keeps any."""

    name = "failures"

    def propose(self, change: DiffSummary, context: Context) -> Iterator[Evidence]:
        """Evidence for the script, the package or the category that failed."""
        del change  # what it shares with past runs was found when the failures were read
        for test, (weight, detail) in sorted(context.failed.items()):
            kind, _, name = test.partition(":")
            if kind not in _SUITES:
                continue
            category, _, file = name.partition("/") if kind == "bvt" else (name, "", "")
            if kind == "bvt" and category not in context.categories:
                continue
            files = (file,) if file else ()
            yield Evidence(self.name, _SUITES[kind], category, priority_of(weight), weight, detail, files)
