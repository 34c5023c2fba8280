"""SARIF 2.1.0: what failed at a file and line, as code scanning reads it.

https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from orchestrator import __version__
from orchestrator.domain.run import CaseResult, CaseStatus, FailureKind
from orchestrator.service.reports.source import Material

Json = dict[str, Any]
#: Results that GitHub's code scanning takes from one run.
MAX_RESULTS = 5000
_TEXT = 4000


def sarif(found: Material) -> Json:
    """The document as plain data: a rule a task (parts of a category have one), a result a failure."""
    wholes = found.wholes()
    results = [row for task, cases in found.cases.items() for row in _results(wholes[task], cases)][:MAX_RESULTS]
    rules = [{"id": task} for task in dict.fromkeys(row["ruleId"] for row in results)]
    driver = {"name": "mo-testplan", "version": __version__, "rules": rules}
    run: Json = {
        "tool": {"driver": driver},
        "automationDetails": {"id": f"mo-testplan/{found.summary.profile}/{found.summary.run}"},
        "results": results,
    }
    commit = found.plan.diff_summary.head_commit
    if commit:
        run["properties"] = {"commit": commit}
    return {"$schema": "https://json.schemastore.org/sarif-2.1.0.json", "version": "2.1.0", "runs": [run]}


def _results(whole: str, cases: tuple[CaseResult, ...]) -> Iterator[Json]:
    for case in cases:
        if case.status not in (CaseStatus.FAILED, CaseStatus.ERROR):
            continue
        words = f"{case.name}: {case.message}".strip()[:_TEXT]
        row: Json = {"ruleId": whole, "level": "error", "message": {"text": words}}
        if case.kind is FailureKind.FINDING:
            row["level"] = "warning"
        if case.file:
            place: Json = {"artifactLocation": {"uri": quote(case.file, errors="replace")}}
            if case.line:
                place["region"] = {"startLine": case.line}
            row["locations"] = [{"physicalLocation": place}]
        yield row
