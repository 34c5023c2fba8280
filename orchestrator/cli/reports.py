"""A run in the formats that other tools read: a comment in Markdown, JUnit XML, SARIF."""

from __future__ import annotations

import json

from orchestrator.cli import edge
from orchestrator.domain.errors import MoTestplanError
from orchestrator.domain.plan import TestPlan
from orchestrator.domain.run import RunSummary
from orchestrator.settings import Settings

#: Values of ``--format`` beside text and json.
FORMATS = ("markdown", "junit", "sarif")


def report_text(config: Settings, summary: RunSummary, plan: TestPlan, form: str) -> str:
    """The run as one of :data:`FORMATS`: with all cases where this host has the history, else each task's failures."""
    from orchestrator.notify.github.words import run_comment
    from orchestrator.service.reports.junit import junit_xml
    from orchestrator.service.reports.sarif import sarif
    from orchestrator.service.reports.source import Material, gathered

    if form == "markdown":
        return run_comment(summary, plan)
    try:
        history = edge.open_store(config)
        try:
            found = gathered(summary, plan, history)
        finally:
            history.close()
    except MoTestplanError:  # the history is elsewhere
        found = Material(summary, plan, {task.task: task.failures for task in summary.tasks})
    return junit_xml(found).decode() if form == "junit" else json.dumps(sarif(found), ensure_ascii=False, indent=2)
