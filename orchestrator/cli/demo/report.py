"""What happened, for programs: two runs and the messages of both."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from orchestrator.cli.demo.played import Played
from orchestrator.domain.plan import Suite
from orchestrator.domain.run import CaseResult
from orchestrator.notify.wecom.standin import Received


def write_report(path: Path, first: Played, second: Played, messages: Sequence[Received]) -> None:
    """Write ``first``, ``second`` and ``wecom_messages`` (each the JSON the group's robot took) as JSON."""
    data = {
        "first": {
            "run": first.summary.run,
            "state": first.summary.state.value,
            "failed_tests": [case.name for case in first.failures(Suite.UNIT_TEST)],
            "failed_sql": [_sql(case) for case in first.failures(Suite.BVT)],
            "strict_sql": [_sql(case) for case in first.strict],
        },
        "second": {
            "run": second.summary.run,
            "parent": second.summary.parent,
            "state": second.summary.state.value,
            "reran": [task.task for task in second.summary.tasks],
        },
        "wecom_messages": [message.body for message in messages],
    }
    path.write_text(json.dumps(data, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")


def _sql(case: CaseResult) -> dict[str, Any]:
    return {"file": case.file, "line": case.line, "expected": case.expected, "actual": case.actual}
