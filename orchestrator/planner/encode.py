"""A plan as JSON: the fields other tools read, in a fixed order, the same bytes for the same plan.

Field names are those of MatrixOne's plan document; ``schema_version``, ``profile``, ``shards``, ``omitted``, ``cost``,
``notes`` and a few of a task and a file are this program's additions.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

from orchestrator.domain.change import DiffSummary, FileChange
from orchestrator.domain.plan import Cost, Omitted, Reason, Shard, TestPlan, TestTask
from orchestrator.planner.names import clean

Json = dict[str, Any]

#: Not part of what the id is made of.
_OUTSIDE_OF_ID = ("id", "created_at")


def plan_to_json(plan: TestPlan) -> Json:
    """The plan as plain data: strings, numbers, booleans, ``None``, lists and dictionaries in a fixed order."""
    change = plan.diff_summary
    return {
        "schema_version": plan.schema_version,
        "id": plan.id,
        "pr_number": change.pr_number,
        "base_branch": _text(change.base_branch),
        "head_branch": _text(change.head_branch),
        "created_at": plan.created_at,
        "profile": plan.profile,
        "summary": clean(plan.summary),
        "diff_summary": _change(change, plan.unmatched),
        "tasks": [_task(task) for task in plan.tasks],
        "shards": [_shard(shard) for shard in plan.shards],
        "omitted": [_omitted(omitted) for omitted in plan.omitted],
        "cost": _cost(plan.cost),
        "notes": _texts(plan.notes),
    }


def dumps(plan: TestPlan) -> bytes:
    """UTF-8 JSON that ends in a newline: a line for each field, and for each entry of the lists that matter."""
    fields = (_field(key, value) for key, value in plan_to_json(plan).items())
    return ("{\n" + ",\n".join(fields) + "\n}\n").encode()


def plan_id(plan: TestPlan) -> str:
    """SHA-256 of the canonical plan without ``id`` and ``created_at``, 64 hex digits."""
    return document_id(plan_to_json(plan))


def document_id(document: Json) -> str:
    """:func:`plan_id` of a plan that is JSON already."""
    content = {key: value for key, value in document.items() if key not in _OUTSIDE_OF_ID}
    return hashlib.sha256(json.dumps(content, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def _change(change: DiffSummary, unmatched: tuple[str, ...]) -> Json:
    return {
        "pr_number": change.pr_number,
        "base_branch": _text(change.base_branch),
        "head_branch": _text(change.head_branch),
        "base_commit": change.base_commit,
        "head_commit": change.head_commit,
        "total_added": change.total_added,
        "total_deleted": change.total_deleted,
        "files": [_file(file) for file in change.files],
        "unmatched": _texts(unmatched),
        "warnings": _texts(change.warnings),
    }


def _file(file: FileChange) -> Json:
    return {
        "path": clean(file.path),
        "change_kind": file.change_kind.value,
        "package": _text(file.package),
        "functions": _texts(file.functions),
        "added": file.added,
        "deleted": file.deleted,
        "old_path": _text(file.old_path),
        "binary": file.binary,
    }


def _task(task: TestTask) -> Json:
    return {
        "id": task.id,
        "type": task.type.value,
        "category": task.category,
        "package": task.package,
        "analyser": task.analyser,
        "test_file": task.test_file,
        "files": list(task.files),
        "priority": int(task.priority),
        "est_duration": task.est_duration,
        "status": "pending",
        "reason": clean(task.reason),
        "reasons": [_reason(reason) for reason in task.reasons],
        "shard": task.shard,
        "note": _text(task.note),
        "skip": task.skip,
    }


def _reason(reason: Reason) -> Json:
    return {
        "strategy": clean(reason.strategy),
        "weight": reason.weight,
        "detail": clean(reason.detail),
        "test": _text(reason.test),
    }


def _shard(shard: Shard) -> Json:
    return {
        "id": shard.id,
        "suite": shard.suite.value,
        "queue": shard.queue,
        "tasks": list(shard.tasks),
        "est_duration": shard.est_duration,
    }


def _omitted(omitted: Omitted) -> Json:
    return {
        "type": omitted.type.value,
        "name": clean(omitted.name),
        "score": omitted.score,
        "reason": clean(omitted.reason),
        "reasons": [_reason(reason) for reason in omitted.reasons],
        "budget": omitted.budget,
    }


def _cost(cost: Cost) -> Json:
    return {
        "runner_seconds": cost.runner_seconds,
        "critical_path": cost.critical_path,
        "workers": cost.workers,
        "by_suite": dict(cost.by_suite),
    }


def _field(key: str, value: object) -> str:
    if isinstance(value, list) and value:
        entries = ",\n".join(f"  {_line(entry)}" for entry in value)
        return f"{_line(key)}: [\n{entries}\n]"
    if key == "diff_summary" and isinstance(value, dict):
        return f"{_line(key)}: {{\n" + ",\n".join(_field(*item) for item in value.items()) + "\n}"
    return f"{_line(key)}: {_line(value)}"


_line = json.JSONEncoder(ensure_ascii=False, allow_nan=False).encode


def _text(text: str | None) -> str | None:
    return None if text is None else clean(text)


def _texts(texts: tuple[str, ...]) -> list[str]:
    return [clean(text) for text in texts]
