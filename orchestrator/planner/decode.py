"""A plan from JSON that somebody else wrote: nothing of it is believed before it is checked."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Iterable
from typing import Any

from orchestrator.domain.errors import BadPlanError, nearest
from orchestrator.domain.plain import from_plain
from orchestrator.domain.plan import SCHEMA_VERSION, TestPlan, TestTask
from orchestrator.planner.encode import Json, document_id, plan_to_json
from orchestrator.planner.verify import check

_AGAIN = "Make the plan again with `mo-testplan plan --format json`."
#: Of no number in a plan there are more: neither lines nor seconds.
_DIGITS = 19
#: Fields that are worked out from others: checked, not read.
_DERIVED_TASK = ("test_file", "status", "reason")
_DERIVED_CHANGE = ("total_added", "total_deleted", "unmatched")
_PLAN_KEYS = (
    *("schema_version", "id", "pr_number", "base_branch", "head_branch", "created_at", "profile", "summary"),
    *("diff_summary", "tasks", "shards", "omitted", "cost", "notes"),
)
_CHANGE_KEYS = (
    *("pr_number", "base_branch", "head_branch", "base_commit", "head_commit", "total_added", "total_deleted"),
    *("files", "unmatched", "warnings"),
)


def loads(data: bytes | str, where: str = "the plan") -> TestPlan:
    """The plan in ``data``; raises :class:`BadPlanError`. ``where`` names the origin in messages."""
    try:
        document = json.loads(data, parse_constant=_refuse, parse_float=_finite, parse_int=_whole)
    except (ValueError, RecursionError) as error:
        raise BadPlanError(f"{where} is no JSON: {error}", _AGAIN) from None
    return plan_from_json(document, where)


def plan_from_json(document: object, where: str = "the plan") -> TestPlan:
    """The plan that ``document`` is the JSON of.

    Raises :class:`BadPlanError` for a newer schema, unknown or missing fields, names that lead outside of the tree
    under test, broken invariants, and contents that are not those of the plan's ``id``.
    """
    body = _mapping(document, where)
    _check_version(body, where)
    _check_keys(body, _PLAN_KEYS, where)
    plan = _plan(body, where)
    check(plan)
    if plan.id != document_id(body) or plan_to_json(plan) != body:
        raise BadPlanError(f"{where} was changed after it was made: its contents are not those of its id", _AGAIN)
    return plan


def _plan(body: Json, where: str) -> TestPlan:
    change = _mapping(body["diff_summary"], f"{where}.diff_summary")
    _check_keys(change, _CHANGE_KEYS, f"{where}.diff_summary")
    cost = _mapping(body["cost"], f"{where}.cost")
    shape = {key: body[key] for key in _PLAN_KEYS if key not in ("pr_number", "base_branch", "head_branch")}
    shape["diff_summary"] = {key: change[key] for key in _CHANGE_KEYS if key not in _DERIVED_CHANGE}
    shape["diff_summary"]["head_time"] = body["created_at"]
    shape["unmatched"] = change["unmatched"]
    shape["tasks"] = [_task(task, f"{where}.tasks[{n}]") for n, task in enumerate(_list(body["tasks"], where))]
    by_suite = _mapping(cost.get("by_suite"), f"{where}.cost.by_suite")
    shape["cost"] = cost | {"by_suite": [list(item) for item in by_suite.items()]}
    return from_plain(TestPlan, shape, where, BadPlanError)


def _task(value: object, where: str) -> Json:
    task = _mapping(value, where)
    known = {*(field.name for field in dataclasses.fields(TestTask)), *_DERIVED_TASK}
    _check_keys(task, known, where)
    return {key: item for key, item in task.items() if key not in _DERIVED_TASK}


def _check_version(body: Json, where: str) -> None:
    version = body.get("schema_version")
    if not isinstance(version, int) or isinstance(version, bool) or version < 1:
        raise BadPlanError(f"{where} is no plan: it has no schema_version", _AGAIN)
    if version > SCHEMA_VERSION:
        raise BadPlanError(
            f"{where} has schema version {version}; this program reads up to version {SCHEMA_VERSION}",
            "Update mo-testplan, or make the plan again with this one.",
        )


def _check_keys(body: Json, known: Iterable[str], where: str) -> None:
    wanted = frozenset(known)
    for key in body:
        if key not in wanted:
            raise BadPlanError(f"{where}: unknown key {key!r}", nearest(key, wanted))
    missing = sorted(wanted - body.keys())
    if missing:
        raise BadPlanError(f"{where}: {missing[0]!r} is missing", _AGAIN)


def _mapping(value: object, where: str) -> Json:
    if not isinstance(value, dict):
        raise BadPlanError(f"{where} is no JSON object", _AGAIN)
    return value


def _list(value: object, where: str) -> list[object]:
    if not isinstance(value, list):
        raise BadPlanError(f"{where}: a list is needed, not {type(value).__name__}", _AGAIN)
    return value


def _refuse(text: str) -> Any:  # noqa: ANN401 - never returns
    raise ValueError(f"{text[:40]} is no number of a plan")


def _finite(text: str) -> float:
    number = float(text)
    return number if math.isfinite(number) else _refuse(text)


def _whole(text: str) -> int:
    """A whole number; one that no computation here could hold is refused."""
    return int(text) if len(text) < _DIGITS else _refuse(text)
